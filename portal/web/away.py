"""The page while the database does not answer: calm, 503 with Retry-After, and with what was typed.

The same page answers a request that waited too long for another transaction: it was taken back as a whole, and can be sent
again.  Nothing of it reads a row, so that it works when nothing else does.  It stands around the whole portal: a connection is
lost while a session is opened, in a view, at the commit, or while an error page is drawn.
"""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import flask
import structlog
import werkzeug
from flask import Flask
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from portal.web.logs import fault_trace
from portal.web.safe_redirect import local_path, page_of_form

log = structlog.get_logger()

RETRY_AFTER = range(4, 8)
"""Seconds until the page, and a client that reads headers, asks again: not all in the same second."""

NEVER_RETURNED = frozenset(["password", "code", "totp", "new_code", "old_code"])
"""Fields that are not written into a page, neither here nor by the waiting line: passwords and one-time codes."""

LONGEST_RETURNED = 200_000
"""Characters of typed fields that the page gives back."""

LONGEST_READ = 4 * 2**20
"""Bytes of a body that is read for nothing but to be given back."""

TYPED = "portal.typed"
"""The key of the parsed form in the environment of a request."""

LOG_INTERVAL = 30.0
"""Seconds between two lines about one outage: each visitor of an outage would write one."""

SHUTDOWN = ("57P01", "57P02", "57P03", "53100", "53200", "53300", "58030")
"""SQLSTATEs of a server that ends, starts, or has no disk, memory or connection left; those that begin with 08 are lost
connections."""

BUSY = ("55P03", "40P01", "40001")
"""SQLSTATEs of a transaction that waited too long for a lock, or was ended in favour of another one; nothing of it is written."""

Environ = dict[str, Any]


def is_away(fault: BaseException | None) -> bool:
    """Whether an exception, or what caused it, is that of a database that cannot be reached."""
    while fault is not None:
        if isinstance(fault, PoolTimeout):
            return True
        if isinstance(fault, DBAPIError):
            state = getattr(fault.orig, "sqlstate", None)
            lost = isinstance(fault, (OperationalError, InterfaceError)) and state is None
            return fault.connection_invalidated or lost or bool(state and (state in SHUTDOWN or state.startswith("08")))
        fault = fault.__cause__ or fault.__context__
    return False


def is_busy(fault: BaseException | None) -> bool:
    """Whether an exception, or what caused it, is that of a transaction that can be tried again (`BUSY`)."""
    while fault is not None:
        if isinstance(fault, DBAPIError):
            return getattr(fault.orig, "sqlstate", None) in BUSY
        fault = fault.__cause__ or fault.__context__
    return False


class WhileAway:
    """The portal's WSGI application, with this page for a request that the database left without an answer.

    `/healthz` is asked without its cookies: the health of the portal does not depend on a visitor's session.
    """

    def __init__(self, app: Flask):
        self._app, self._inner, self._next_line = app, app.wsgi_app, 0.0

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == "/healthz":
            environ.pop("HTTP_COOKIE", None)
        try:
            return self._inner(environ, start_response)
        except Exception as fault:
            busy = is_busy(fault)
            if busy:
                log.warning("busy", path=environ.get("PATH_INFO"), fault=fault_trace(fault))
            elif is_away(fault):
                self._note(environ)
            else:
                raise
            return self._page(environ, busy=busy)(environ, start_response)

    def _note(self, environ: Environ) -> None:
        moment = time.monotonic()
        if moment >= self._next_line:
            self._next_line = moment + LOG_INTERVAL
            log.error("away", part="database", path=environ.get("PATH_INFO"))

    def _page(self, environ: Environ, *, busy: bool) -> Response:
        template = self._app.jinja_env.get_template("public/away.html")
        typed, files = typed_fields(environ)
        path = quote(environ.get("PATH_INFO", "/").encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
        again = path + (f"?{query}" if (query := environ.get("QUERY_STRING")) else "")
        posted = environ.get("REQUEST_METHOD") not in ("GET", "HEAD")
        seconds = str(random.choice(RETRY_AFTER))
        back = page_of_form(self._app.url_map, again, environ.get("HTTP_REFERER", ""))
        page = template.render(
            busy=busy,
            again=local_path(again) or "/",
            back=local_path(back) or "/",
            posted=posted,
            typed=typed,
            files=files,
        )
        headers = {
            "Retry-After": seconds,
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }
        if not posted:
            headers["Refresh"] = seconds  # a form is sent again by its button alone
        return Response(page, 503, headers, mimetype="text/html")


class RememberingRequest(flask.Request):
    """A request whose parsed form can be read when the request is over."""

    def _load_form_data(self) -> None:
        super()._load_form_data()
        self.environ[TYPED] = (self.form, self.files)


def typed_fields(environ: Environ) -> tuple[list[tuple[str, str]], bool]:
    """The posted fields that may stand in a page, and whether files were sent, which a page cannot give back.

    A field that must not, or a form that is too long, makes the list empty: a form is given back whole or not at all.
    """
    if environ.get("REQUEST_METHOD") != "POST":
        return [], False
    if TYPED not in environ:
        unread = werkzeug.Request(environ)  # the session could not be opened, and nobody has read the body
        unread.max_content_length = LONGEST_READ
        try:
            environ[TYPED] = (unread.form, unread.files)
        except (HTTPException, OSError, ValueError):
            return [], True
    form, uploads = environ[TYPED]
    fields = [(name, value) for name, values in form.lists() for value in values]
    files = any(upload.filename for upload in uploads.values())
    if any(name in NEVER_RETURNED for name, _value in fields) or sum(len(v) for _n, v in fields) > LONGEST_RETURNED:
        return [], files
    return fields, files


def init(app: Flask) -> None:
    """Stand around the portal, remember what was typed, and keep Flask from writing a traceback for each visitor of an outage."""
    app.request_class = RememberingRequest
    app.wsgi_app = WhileAway(app)  # type: ignore[method-assign]
    log_exception = app.log_exception

    def log_other_exceptions(about: Any) -> None:
        if not is_away(about[1]):
            log_exception(about)

    app.log_exception = log_other_exceptions  # type: ignore[method-assign, assignment]
