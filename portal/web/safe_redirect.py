"""Redirect targets: only paths of this portal are allowed."""

from urllib.parse import unquote, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, RequestRedirect


def local_path(target: str | None) -> str | None:
    """The target if it is a path of this portal; None for another site, a script or control characters."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    if any(sign.isspace() or not sign.isprintable() for sign in target):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None


def page_of_form(routes: Map, target: str, referrer: str) -> str:
    """The address of the page that holds a posted form: that of the post if it answers GET, else the referrer's, else `/`.

    It keeps its query, which can name what the form is about, such as the kind of a correction.
    """
    adapter = routes.bind("")
    for address in (target, referrer):
        try:
            _scheme, _host, path, query, _fragment = urlsplit(address)
            # what belongs to no desk only redirects, and an address that only takes POST would match it
            if path and "." in adapter.match(unquote(path), "GET")[0]:
                return f"{path}?{query}" if query else path
        except (HTTPException, RequestRedirect, ValueError):
            continue
    return "/"
