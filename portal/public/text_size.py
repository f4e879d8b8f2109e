"""关怀版: large text on every page; the choice is saved in a cookie."""

from flask import redirect, request
from flask.typing import ResponseReturnValue

from portal.public import pages
from portal.web.guards import public
from portal.web.safe_redirect import local_path
from portal.web.unit_of_work import services

COOKIE = "text"
A_YEAR = 365 * 24 * 3600


@pages.get("/text-size")
@public
def text_size() -> ResponseReturnValue:
    answer = redirect(local_path(request.args.get("to")) or "/", 303)
    if request.args.get("size") == "large":
        answer.set_cookie(
            COOKIE, "large", max_age=A_YEAR, secure=services().config.https, httponly=True, samesite="Lax"
        )
    else:
        answer.delete_cookie(COOKIE, secure=services().config.https, httponly=True, samesite="Lax")
    return answer
