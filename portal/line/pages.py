"""The pages of the line.  Each is rendered for each language and text size before anybody asks; an answer fills in its numbers.

The app renders them, with the frame of every page, but no answer asks the database: it is what the families wait for.  They are
rendered anew when the telephone of the season changes.
"""

import html
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import structlog
from flask import Flask, g, render_template
from sqlalchemy.exc import SQLAlchemyError

from portal.line.http_server import Answer, Request
from portal.line.line import Place
from portal.text.languages import COOKIE, LOCALES
from portal.web.admission_year import hotline
from portal.web.away import NEVER_RETURNED
from portal.web.headers import CONTENT_POLICY
from portal.web.safe_redirect import page_of_form

log = structlog.get_logger()

SIZES = ("normal", "large")
KINDS = {
    "wait": (503, "Service Unavailable"),
    "soon": (503, "Service Unavailable"),
    "next": (503, "Service Unavailable"),
    "form": (503, "Service Unavailable"),
    "form_waits": (503, "Service Unavailable"),
    "form_next": (503, "Service Unavailable"),
    "full": (503, "Service Unavailable"),
    "upload": (503, "Service Unavailable"),
    "pause": (503, "Service Unavailable"),
}
"""Place in the line with minutes or with less than one; a moment until the turn; a form that was not taken, with its fields
or without, of somebody who is in, who waits or who is next; full or silent page processes."""

SENT_BY_PROXY = ("large", "often", "pause")
"""Pages that the proxy sends by itself: it does not read the request, or nobody else answers."""

MOST_FIELDS = 400
HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
]


@dataclass(frozen=True)
class Reader:
    """Who reads the page, as far as its cookies tell."""

    language: str
    size: str

    @classmethod
    def of(cls, request: Request) -> "Reader":
        cookies = dict(part.strip().partition("=")[::2] for part in request.headers.get("cookie", "").split(";"))
        asked = dict(parse_qsl(urlsplit(request.target).query)).get("lang", cookies.get(COOKIE, ""))
        return cls(asked if asked in LOCALES else "zh", "large" if cookies.get("text") == "large" else "normal")


class Pages:
    """The rendered pages; those that the proxy sends stand in `folder` too, if there is one."""

    def __init__(self, app: Flask, folder: Path | None = None):
        self.app, self.folder = app, folder
        self.routes = app.url_map
        try:
            self._render()
        except SQLAlchemyError:
            log.warning("the pages of the line have no telephone yet")
            self._render(is_database_away=True)

    def _render(self, *, is_database_away: bool = False) -> None:
        """Raises SQLAlchemyError, and leaves the pages as they are, if the database does not answer."""
        found = None if is_database_away else _hotline(self.app)
        rendered = {
            (kind, language, size): _rendered(self.app, kind, language, size, is_database_away)
            for kind in (*KINDS, *SENT_BY_PROXY)
            for language in LOCALES
            for size in SIZES
        }
        if self.folder is not None:
            _write(rendered, self.folder)
        self.hotline, self.rendered = found, rendered

    def renew(self) -> None:
        """Render them anew if the telephone of the season has changed; while the database does not answer they stay as they are."""
        with suppress(SQLAlchemyError):
            if _hotline(self.app) != self.hotline:
                self._render()

    def waiting(self, request: Request, place: Place) -> Answer:
        """The place in the line.  The page looks again by itself; a posted form comes back with a button instead."""
        numbers = {"NUMBER": place.number, "AHEAD": place.ahead, "MINUTES": math.ceil(place.wait / 60)}
        if request.method == "POST":
            return self._form(request, "form_waits" if place.ahead else "form_next", **numbers)
        kind = "wait" if place.wait > 60 else "soon" if place.ahead else "next"
        return self._looking_again(request, kind, place.refresh, **numbers)

    def full(self, request: Request, seconds: int) -> Answer:
        """For somebody who is in: the page processes have all that they can take."""
        return (
            self._form(request, "form") if request.method == "POST" else self._looking_again(request, "full", seconds)
        )

    def pause(self, request: Request, seconds: int) -> Answer:
        """The page processes do not answer, as while a new version starts."""
        return (
            self._form(request, "form") if request.method == "POST" else self._looking_again(request, "pause", seconds)
        )

    def _looking_again(self, request: Request, kind: str, seconds: int, **numbers: int) -> Answer:
        answer = self._answer(request, kind, **numbers)
        answer.headers += [("Refresh", str(seconds)), ("Retry-After", str(seconds))]
        return answer

    def _form(self, request: Request, kind: str, **numbers: int) -> Answer:
        """A posted form could not be taken: its fields wait in the page, and a button sends them again.

        A form with a field that is never written into a page stays in the browser, to which the page sends back.
        """
        fields = ""
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") and request.body:
            entered = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)[:MOST_FIELDS]
            if not any(name in NEVER_RETURNED for name, _value in entered):
                fields = "".join(
                    f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                    for name, value in entered
                )
        back = html.escape(page_of_form(self.routes, request.target, request.headers.get("referer", "")))
        answer = self._answer(request, kind if fields else "upload", FIELDS=fields, BACK=back, **numbers)
        answer.headers.append(("Retry-After", "5"))
        return answer

    def _answer(self, request: Request, kind: str, **numbers: object) -> Answer:
        reader = Reader.of(request)
        text = self.rendered[kind, reader.language, reader.size]
        # the address first, because nothing may be filled into what a visitor wrote
        target = html.escape("/" + request.target.lstrip("/\\").replace("\\", "%5C"))
        parts = {"TARGET": target, "FIELDS": "", **{name: str(value) for name, value in numbers.items()}}
        pieces = text.split("@@")
        filled = (parts.get(piece, piece) if place % 2 else piece for place, piece in enumerate(pieces))
        status, reason = KINDS[kind]
        return Answer(status, reason, list(HEADERS), "".join(filled).encode())


@contextmanager
def _of_a_reader(app: Flask, language: str, size: str) -> Iterator[None]:
    """A request of a reader, with a context of its own: a command has one for its whole life, and what the first page had noted
    there, its language above all, would be that of every other page.
    """
    with app.app_context(), app.test_request_context("/", headers={"Cookie": f"{COOKIE}={language}; text={size}"}):
        yield


def _rendered(app: Flask, kind: str, language: str, size: str, is_database_away: bool) -> str:
    with _of_a_reader(app, language, size):
        if is_database_away:
            g.internal_error = True
        return render_template("public/waiting.html", kind=kind)


def _hotline(app: Flask) -> str | None:
    """The telephone of the season; None if it names none."""
    with _of_a_reader(app, "zh", "normal"):
        return hotline()


def _write(rendered: dict[tuple[str, str, str], str], folder: Path) -> None:
    """Write the pages that the proxy sends, each at once: it may be sending the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    for (kind, language, size), text in rendered.items():
        if kind in SENT_BY_PROXY:
            page = folder / f"{kind}-{language}-{size}.html"
            beside = page.with_suffix(".new")
            beside.write_text(text.replace("@@TARGET@@", "/"), encoding="utf-8")
            beside.replace(page)
