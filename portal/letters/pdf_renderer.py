"""Rendering of letters as PDF.  A process has one font configuration and one stylesheet.

WeasyPrint needs the system library Pango.  Without it the portal starts, but letters are unavailable.
"""

import functools
import threading
from pathlib import Path
from typing import Any

from flask import render_template

from portal.letters import libraries
from portal.letters.fonts import COMMON, WHOLE

FOLDER = Path(__file__).parent
VARIANT = "pdf/ua-1"


class PdfUnavailable(Exception):
    """Letters cannot be made on this machine yet; `how` says what to install."""

    def __init__(self, how: str):
        super().__init__(how)
        self.how = how


class PdfRenderer:
    """Converts HTML to a tagged PDF.  It loads nothing over the network: a letter contains all its resources."""

    def __init__(self) -> None:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher

        self._weasyprint = weasyprint
        self._fonts = FontConfiguration()
        faces = "".join(
            f'@font-face {{ font-family: "{name}"; src: url("{path.as_uri()}") }}'
            for name, path in (("Letter", COMMON), ("Letter Rare", WHOLE))
        )
        css = faces + (FOLDER / "letter.css").read_text("utf-8")
        self._css = weasyprint.CSS(string=css, font_config=self._fonts)
        self._only_data = URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
        self._one_at_a_time = threading.Lock()

    def print(self, html: str) -> bytes:
        """The PDF (PDF/UA-1, tagged, with the title and language of the page)."""
        with self._one_at_a_time:  # fontconfig is not thread-safe
            page = self._weasyprint.HTML(string=html, url_fetcher=self._only_data)
            return page.write_pdf(stylesheets=[self._css], font_config=self._fonts, pdf_variant=VARIANT)


@functools.lru_cache(maxsize=1)
def _renderer() -> PdfRenderer:
    libraries.check_libraries()  # starts other programs to find libraries, so it runs once
    return PdfRenderer()


def renderer() -> PdfRenderer:
    """The renderer of this process.  Raises PdfUnavailable."""
    try:
        return _renderer()
    except libraries.LibraryMissing as missing:
        raise PdfUnavailable(str(missing)) from missing
    except (ImportError, OSError) as fault:
        raise PdfUnavailable(str(fault).splitlines()[0]) from fault


def letter(template: str, **known: Any) -> bytes:
    """A letter from `templates/letters`.  Raises PdfUnavailable."""
    ready = renderer()
    return ready.print(render_template(f"letters/{template}.html", **known))
