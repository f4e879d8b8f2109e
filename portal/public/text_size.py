"""关怀版: large text on every page, remembered in a cookie."""

from urllib.parse import urlsplit

from flask import redirect, request

from portal.guards import public
from portal.public import pages

COOKIE = "text"
A_YEAR = 365 * 24 * 3600


@pages.get("/text-size")
@public
def text_size():
    answer = redirect(_path(request.args.get("to", "/")), 303)
    if request.args.get("size") == "large":
        answer.set_cookie(COOKIE, "large", max_age=A_YEAR, httponly=True, samesite="Lax")
    else:
        answer.delete_cookie(COOKIE, httponly=True, samesite="Lax")
    return answer


def _path(target: str) -> str:
    """Only a path of this portal is a place to go back to."""
    parts = urlsplit(target)
    own = not parts.scheme and not parts.netloc and target.startswith("/") and "\\" not in target
    return target if own and not target.startswith("//") else "/"
