"""What a letter says, as HTML: made in a page process, without the libraries that draw it."""

import datetime as dt
import functools
import hashlib
from pathlib import Path
from typing import Any

from flask import current_app
from markupsafe import Markup

from enrollment.results.letters import PRINTED, LetterPage
from portal.text.words import language

STYLESHEET = Path(__file__).parent / "letter.css"


@functools.cache
def edition() -> str:
    """The digest of the stylesheet: a letter that was drawn with another one is drawn again."""
    return hashlib.sha256(STYLESHEET.read_bytes()).hexdigest()


def letter_html(template: str, /, **known: Any) -> str:
    """A letter from `templates/letters`, in the reader's language."""
    page = current_app.jinja_env.get_template(f"letters/{template}.html")  # jobs make letters too, outside a request
    spoken = "en" if language() == "en" else "zh-CN"
    return page.render(lang=spoken, bold=Markup("<b>{}</b>").format, **known)


def letter_page(
    name: str, template: str, /, *, printed: str = "", kept: dt.timedelta | None = None, **known: Any
) -> LetterPage:
    """The letter of this name of a subject, ready to be asked for (`enrollment.results.letters`).

    A letter with the time of printing gets it as `printed`: its template says `printed`, and gets the place for it.
    """
    html = letter_html(template, printed=PRINTED if printed else "", **known)
    return LetterPage(name, language(), html, edition(), printed, kept)
