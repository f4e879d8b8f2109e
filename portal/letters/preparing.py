"""The pages in the place of a PDF: while it is drawn, when it is ready, and when it cannot be drawn.

They turn by themselves, without JavaScript: the browser asks again after some seconds and is told to fetch the PDF once it is
there.  A PDF is a download, which leaves the page where it is; so the last page says that it is ready.
"""

from urllib.parse import urlencode

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.results.letters import Letter, LetterState
from portal.web.errors import error_page

SHORTEST, LONGEST = 2, 20
"""Seconds after which a waiting page asks again: a third of what is announced, within these."""


FAMILIES = "parents/base.html"
"""The frame of pages that tell a family that its place does not depend on a PDF."""


def _letters_wait(missing: str, frame: str, **way_on: str) -> ResponseReturnValue:
    """A 503 page that names the missing library; `way_on` is `back`, `back_text` and `if_failed` of `waiting_page`."""
    if frame == FAMILIES:
        text = _("PDF 暂时不能生成，您家的申请和学位不受影响，请稍后再来下载。缺少的部分：%(how)s", how=missing)
        return error_page(503, heading=_("通知书还在准备"), text=text, **way_on)
    text = _("请告诉系统管理员，装好后再来下载。缺少的部分：%(how)s", how=missing)
    return error_page(503, heading=_("PDF 暂时不能生成"), text=text, **way_on)


def pdf_file(letter: Letter, name: str) -> Response:
    """A drawn letter as a download."""
    return file_of(letter.content or b"", f"{name}.pdf", "application/pdf")


def file_of(content: bytes, name: str, media_type: str) -> Response:
    """A download that no browser and no proxy keeps."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, mimetype=media_type, headers=headers)


def waiting_page(
    letter: Letter, *, frame: str, back: str, back_text: str, if_failed: str = ""
) -> ResponseReturnValue | None:
    """The page to show; None where the PDF itself is given.

    `frame` is the base template of the desk, `back` and `back_text` lead to the page that offers the letter.  `if_failed` says
    how to go on where it cannot be made.
    """
    if letter.refused is not None:
        return _letters_wait(
            str(letter.refused.details.get("missing", "")), frame, back=back, back_text=back_text, if_failed=if_failed
        )
    if letter.content is not None and not request.args.get("follow"):
        return None
    file, follow = _addresses()
    page = render_template(
        "public/letter_waiting.html", letter=letter, frame=frame, for_family=frame == FAMILIES, back=back,
        back_text=back_text, if_failed=if_failed, file=file, follow=follow,
        is_pdf=request.path.endswith(".pdf"),
    )  # fmt: skip
    if letter.content is not None:
        return _turning(page, 200, 1, file)
    failed = letter.state == LetterState.FAILED
    if failed and not letter.seconds:
        return page, 503
    again = letter.seconds if failed else max(SHORTEST, min(LONGEST, letter.seconds // 3))
    answer = _turning(page, 503 if failed else 202, again, follow)
    answer.headers["Retry-After"] = str(again)
    return answer


def _addresses() -> tuple[str, str]:
    """The address of the file with its query, and the same for the page that waits for it."""
    asked = [(name, value) for name, value in request.args.items(multi=True) if name not in ("follow", "lang")]
    query = urlencode(asked)
    return f"{request.path}?{query}" if query else request.path, f"{request.path}?{urlencode([*asked, ('follow', 1)])}"


def _turning(page: str, status: int, seconds: int, address: str) -> Response:
    answer = make_response(page, status)
    answer.headers["Refresh"] = f"{seconds}; url={address}"
    answer.headers["Cache-Control"] = "no-store"
    return answer
