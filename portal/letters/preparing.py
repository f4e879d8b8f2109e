"""The pages in the place of a PDF: while it is drawn, when it is ready, and when it cannot be drawn.

They turn by themselves, without JavaScript: the browser asks again after some seconds and is told to fetch the PDF once it is
there.  A PDF is a download, which leaves the page where it is; so the last page says that it is ready.
"""

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.results.letters import Letter, LetterState
from portal.letters.pdf_renderer import PdfUnavailable
from portal.web.errors import error_page

SHORTEST, LONGEST = 2, 20
"""Seconds after which a waiting page asks again: a third of what is announced, within these."""


def letters_wait(fault: PdfUnavailable) -> ResponseReturnValue:
    """A 503 page that names the missing library."""
    text = _("PDF 暂时不能生成，您家的申请和学位不受影响，请稍后再来下载。缺少的部分：%(how)s", how=fault.how)
    return error_page(503, heading=_("通知书还在准备"), text=text)


def waiting_page(letter: Letter, *, frame: str, back: str, back_text: str) -> ResponseReturnValue | None:
    """The page to show; None where the PDF itself is given.

    `frame` is the base template of the desk, `back` and `back_text` lead to the page that offers the letter.
    """
    if letter.refused is not None:
        return letters_wait(PdfUnavailable(str(letter.refused.details.get("missing", ""))))
    if letter.content is not None and not request.args.get("follow"):
        return None
    page = render_template(
        "public/letter_waiting.html", letter=letter, frame=frame, back=back, back_text=back_text, file=request.path
    )
    if letter.content is not None:
        return _turning(page, 200, 1, request.path)
    failed = letter.state == LetterState.FAILED
    again = letter.seconds if failed else max(SHORTEST, min(LONGEST, letter.seconds // 3))
    answer = _turning(page, 503 if failed else 202, again, f"{request.path}?follow=1")
    answer.headers["Retry-After"] = str(again)
    return answer


def _turning(page: str, status: int, seconds: int, address: str) -> Response:
    answer = make_response(page, status)
    answer.headers["Refresh"] = f"{seconds}; url={address}"
    answer.headers["Cache-Control"] = "no-store"
    return answer
