"""Rendering of letters as PDF, by workers only: a contract of `setup.cfg` keeps pages away from it.

A process has one font configuration and one stylesheet.

WeasyPrint needs the system library Pango.  Without it the portal starts, but letters are unavailable.
"""

import base64
import functools
import threading
from typing import Any

from flask_babel import gettext as _
from markupsafe import escape

from portal.letters import libraries
from portal.letters.fonts import COMMON, rare
from portal.letters.pages import STYLESHEET

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
        self._new_fonts = FontConfiguration
        self._look = STYLESHEET.read_text("utf-8")
        self._common = self._faces(())
        self._only_data = URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
        self._one_at_a_time = threading.Lock()

    def print(self, html: str) -> bytes:
        """The PDF (PDF/UA-1, tagged, with the title and language of the page)."""
        with self._one_at_a_time:  # fontconfig is not made for two threads
            characters = tuple(rare.beyond_common(html))
            fonts, css = self._faces(characters) if characters else self._common
            page = self._weasyprint.HTML(string=html, url_fetcher=self._only_data)
            return page.write_pdf(stylesheets=[css], font_config=fonts, pdf_variant=VARIANT)

    def _faces(self, characters: tuple[str, ...]) -> tuple[Any, Any]:
        """A font configuration and the stylesheet, with a face for each character of a letter that is not common."""
        faces = [("Letter", COMMON.as_uri())]
        for number, font in enumerate(rare.fonts_of(characters)):
            address = "data:font/ttf;base64," + base64.b64encode(font).decode()
            faces.append(("Letter Rare" if number == 0 else "Letter Rarest", address))
        declared = "".join(f'@font-face {{ font-family: "{name}"; src: url("{address}") }}' for name, address in faces)
        fonts = self._new_fonts()
        return fonts, self._weasyprint.CSS(string=declared + self._look, font_config=fonts)


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


def draw(html: str) -> bytes:
    """The PDF of a letter that `pages` made, in its own language.  Raises PdfUnavailable.

    A character that no font has is written as its number, and a line at the end of the letter says so.
    """
    return renderer().print(_with_numbers(html))


def _with_numbers(html: str) -> str:
    """Replace what no font can draw, so that nothing is left out or drawn as an empty box."""
    unknown = rare.missing(rare.beyond_common(html))
    if not unknown:
        return html
    for character in unknown:
        html = html.replace(character, f"〔U+{ord(character):04X}〕")
    said = _("〔U+…〕是字库里没有的字在国际编码（Unicode）里的编号，以户口簿上的字为准。")
    return html.replace("</body>", f'<p class="small">{escape(said)}</p></body>')
