"""What each page process does before the app: measure itself, look at the visit, and skip whom nobody waits for any more.

The waiting line knocks at `/_lane` through the same queue as everybody, so the time until the answer is the time that a
visitor waits.  The answer says how busy the process has been.  The proxy lets nobody else ask this.
"""

import functools
import json
import os
import select
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from portal.config import page_processes
from portal.web.front.address_rate import HEADER, AddressRate
from portal.web.front.request_buckets import RequestBuckets
from portal.web.front.visits import IDLE, KEPT, Visits

PROBE = "/_lane"
RATE_OF_VISIT, BURST_OF_VISIT = 2.0, 120.0
"""Requests of one entrance in a second, and at once, in each process.  A family has far fewer; above them the cookie is one that is handed
around, and whoever comes with it asks the line."""

GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


class Lane:
    """WSGI middleware."""

    def __init__(self, app: WSGIApplication, visits: Visits):
        self.app, self.visits = app, visits
        self.entrances = RequestBuckets(RATE_OF_VISIT, BURST_OF_VISIT)
        self.busy, self.requests = 0.0, 0

    @functools.cached_property
    def addresses(self) -> AddressRate:
        """Made at the first request: a process that stands by has loaded the portal before it knows whose place it takes."""
        return AddressRate.of_process(page_processes(os.environ))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == PROBE and "HTTP_X_FORWARDED_FOR" not in environ:
            return self._report(start_response)
        address = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        if address and not self.addresses.takes(address):
            headers = [(HEADER, "1"), ("Retry-After", "5"), ("Cache-Control", "no-store"), ("Content-Length", "0")]
            start_response("429 Too Many Requests", headers)
            return []
        if environ["REQUEST_METHOD"] in ("GET", "HEAD") and visitor_has_left(environ):
            start_response("503 Nobody waits", [("Content-Length", "0")])
            return []
        began = time.monotonic()
        try:
            return self._visit(environ, start_response)
        finally:
            self.busy += time.monotonic() - began
            self.requests += 1

    def _report(self, start_response: StartResponse) -> Iterable[bytes]:
        body = json.dumps({"process": os.getpid(), "busy": self.busy, "requests": self.requests}).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _visit(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        cookies = environ.get("HTTP_COOKIE", "")
        if not self.visits.passes(cookies):
            return self.app(environ, start_response)
        age, token = self.visits.entrance_in(cookies) or (float("inf"), "")
        longest = IDLE if environ["REQUEST_METHOD"] in ("GET", "HEAD") else KEPT
        if age > longest or not self.entrances.takes(token):
            return self._ask_the_line(environ, start_response)
        if age < IDLE / 2:
            return self.app(environ, start_response)
        return self.app(environ, adding_cookie(start_response, self.visits.entrance(token)))

    def _ask_the_line(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The visit is over, or is that of a crowd: the same address without the cookie, which the proxy shows to the waiting line.

        The browser sends a form again with all its fields, and the line keeps them in the page of somebody who waits.
        """
        path = environ.get("RAW_URI") or environ["PATH_INFO"]
        headers = [("Cache-Control", "no-store"), ("Content-Length", "0")]
        headers += [("Set-Cookie", each) for each in self.visits.ends()]
        start_response(
            "307 Temporary Redirect", [("Location", "/" + path.lstrip("/\\").replace("\\", "%5C")), *headers]
        )
        return []


def adding_cookie(start_response: StartResponse, cookie: str) -> StartResponse:
    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
        shared = any(name.lower() == "cache-control" and "public" in value for name, value in headers)
        return start_response(status, headers if shared else [*headers, ("Set-Cookie", cookie)], *more)

    return start


def visitor_has_left(environ: WSGIEnvironment) -> bool:
    """Whether the proxy has closed the connection of this request, because its visitor went away."""
    connection = environ.get("gunicorn.socket")
    if connection is None or connection.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(connection, GONE)
    return any(event & GONE for _, event in poll.poll(0))


def init(app: Flask) -> None:
    config = app.extensions["services"].config
    app.wsgi_app = Lane(app.wsgi_app, Visits(config.secret_key, secure=config.https))  # type: ignore[method-assign]
