"""关怀版: large text on every page; the choice is saved in a cookie.  And what was typed when a reader changes the display."""

from flask import redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal.public import pages
from portal.web.guards import public
from portal.web.idempotency import keeps_key
from portal.web.restored_form import save_form
from portal.web.safe_redirect import local_path
from portal.web.unit_of_work import services

COOKIE = "text"
A_YEAR = 365 * 24 * 3600


@pages.get("/text-size")
@public
def text_size() -> ResponseReturnValue:
    return _sized(redirect(local_path(request.args.get("to")) or "/", 303), request.args.get("size"))


@pages.post("/kept-form")
@public
@keeps_key
def keep_form() -> ResponseReturnValue:
    """The switches of a page with a form: another language or text size, and the same page with what was typed.

    The form is not sent: nothing of it is saved but in the session of this person, for this page.  A second press of the
    same page keeps what is typed then, so that the key of the form is not used up here.
    """
    page = local_path(request.args.get("to")) or "/"
    save_form(page, of_nobody=True)
    answer = redirect(page, 303)  # the language of the address is remembered as on every page
    return _sized(answer, request.args["size"]) if "size" in request.args else answer


def _sized(answer: Response, size: str | None) -> Response:
    if size == "large":
        answer.set_cookie(
            COOKIE, "large", max_age=A_YEAR, secure=services().config.https, httponly=True, samesite="Lax"
        )
    else:
        answer.delete_cookie(COOKIE, secure=services().config.https, httponly=True, samesite="Lax")
    return answer
