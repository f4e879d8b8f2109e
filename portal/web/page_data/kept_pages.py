"""Public pages that are the same for everybody, kept whole in the memory of the process.

A view under `kept` is not called again while nothing has changed that its page shows.  The page of one request answers another
only if both have the same `Place`: address, language, text size and minute.  Nothing personal is ever kept, because

* only a request without a session, and without a cookie that a page could show (`COOKIES`), is answered so or kept;
* a page with a form token is not kept: the token is drawn anew for each answer;
* a page whose view began a session, or that is not plain text with status 200, is not kept.

A kept page is as fresh as what it shows.  It is bound to the stamps of the parts of the catalogue that it was made from, and
of the `tables` that its view declares.  A page that read any other table is not kept.
"""

import functools
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ParamSpec
from weakref import WeakSet

from flask import Flask, current_app, g, has_app_context, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine, event

from enrollment.ground.db import Base
from enrollment.ground.reading.catalogue import KEY, Attached, Part
from portal.text.languages import COOKIE as LANGUAGE_COOKIE
from portal.text.languages import chosen
from portal.web.page_data.page_reads import attach_catalogue
from portal.web.reading.request_read import catalogue, common, is_common_lent, lend_common
from portal.web.sessions import current_session
from portal.web.unit_of_work import clock, db, services

P = ParamSpec("P")

COOKIES = frozenset({LANGUAGE_COOKIE, "text", "device", "__Host-device", "visit", "__Host-visit"})
"""Cookies that these pages show nothing of, beside the language and the text size, which are part of the place."""

LOOK = 1.0
"""Seconds for which a process takes the catalogue as unchanged, for readers without a session."""

_heard: WeakSet[Engine] = WeakSet()
"""The engines that tell `_note_tables` their statements."""

EVERY = timedelta(seconds=20)
"""The shortest time between two looks at the tables that a view declares."""

MOST_BYTES = 24 * 1024 * 1024
MOST_SEARCHED_BYTES = 6 * 1024 * 1024
"""For pages that answer words: a flood of words pushes out no other page."""

LARGEST = 256 * 1024
LONGEST_SEARCH = 300
"""Characters of the query of a page that answers words."""

TABLE = re.compile(r"(?<![.\w])(?<!as )[a-z_]+")
"""Where the text of a statement may name a table; the name of a column comes after a point, that of an answer after `AS`."""


@dataclass(frozen=True)
class Place:
    """Where a page stands: two requests with the same place get the same page."""

    host: str
    path: str
    query: bytes
    language: str
    is_large: bool
    minute: datetime


@dataclass(frozen=True)
class KeptPage:
    """A page, and the stamp of each part that it was made from."""

    body: bytes
    stamps: Mapping[Part[Any], str]


@dataclass
class KeptPages:
    """The pages that this process keeps, the one that was asked for last at the end."""

    most_bytes: int = MOST_BYTES
    moment: Callable[[], float] = time.monotonic
    size: int = 0
    _pages: OrderedDict[Place, KeptPage] = field(default_factory=OrderedDict)
    _looked: float = float("-inf")
    _stamps: Mapping[str, str] = field(default_factory=dict)

    def find(self, place: Place) -> bytes | None:
        """The page of this place, if everything that it shows is unchanged."""
        kept = self._pages.get(place)
        if kept is None:
            return None
        if any(self._stamp(part) != stamp for part, stamp in kept.stamps.items()):
            self._drop(place)
            return None
        self._pages.move_to_end(place)
        return kept.body

    def keep(self, place: Place, page: KeptPage) -> None:
        self._note_stamps()
        if len(page.body) > LARGEST:
            return
        if place in self._pages:
            self._drop(place)
        self._pages[place] = page
        self.size += len(page.body)
        while self.size > self.most_bytes:
            self._drop(next(iter(self._pages)))

    def _drop(self, place: Place) -> None:
        self.size -= len(self._pages.pop(place).body)

    def _stamp(self, part: Part[Any]) -> str | None:
        """The part's stamp now; a small part's as of the last second."""
        if part.every:
            return catalogue().look(part, db)
        if "common" in g or catalogue().always_look or self.moment() - self._looked >= LOOK:
            self._note_stamps()
        return self._stamps.get(part.asked_as)

    def _note_stamps(self) -> None:
        if not is_common_lent():  # what was lent is not newer than what this process has noted
            self._stamps, self._looked = common(db()).stamps, self.moment()


def kept(
    *,
    tables: tuple[str, ...] = (),
    noted: Iterable[str] = (),
    queries: Iterable[str] = (),
    searched: Iterable[str] = (),
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Keep the pages of this view.

    `tables`: what it reads beside the catalogue.  `noted`: what it reads too, whose changes the triggers of one of `tables` note.
    `queries`: the parameters with which it is kept; with any other one it is computed each time.  `searched`: parameters that
    readers fill in, such as words to search for: such a page is kept beside the others, within a smaller memory.
    """
    known, typed, declared = frozenset(queries), frozenset(searched), frozenset((*tables, *noted))

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        read = Part(f"page {view.__module__}.{view.__name__}", tables, lambda _session: None, EVERY) if tables else None

        @functools.wraps(view)
        def answer(*args: P.args, **values: P.kwargs) -> ResponseReturnValue:
            place = _place(known | typed)
            if place is None:
                return view(*args, **values)
            is_search = not typed.isdisjoint(request.args)
            if is_search and len(place.query) > LONGEST_SEARCH:
                return view(*args, **values)
            pages: KeptPages = current_app.extensions["searched_pages" if is_search else "kept_pages"]
            found = pages.find(place)
            if found is not None:
                return found
            if not services().config.demo and not catalogue().always_look:
                lend_common(LOOK)
            page, stamps = _made(lambda: view(*args, **values), read, declared)
            if stamps is not None and isinstance(page, str):
                pages.keep(place, KeptPage(page.encode(), stamps))
            return page

        return answer

    return decorate


def _place(queries: frozenset[str]) -> Place | None:
    """The place of this request; None if its page is for one reader, or is one of too many."""
    is_anybodys = not current_session() and COOKIES.issuperset(request.cookies)
    if request.method not in ("GET", "HEAD") or not is_anybodys or not queries.issuperset(request.args):
        return None
    minute = clock().replace(second=0, microsecond=0)
    is_large = request.cookies.get("text") == "large"
    return Place(request.host_url, request.path, request.query_string, chosen(), is_large, minute)


def _made(
    view: Callable[[], ResponseReturnValue], read: Part[Any] | None, declared: frozenset[str]
) -> tuple[ResponseReturnValue, Mapping[Part[Any], str] | None]:
    """The answer of a view, with the stamps of what it read; None for these if it may not be kept."""
    attach_catalogue()
    attached: Attached = db().info[KEY]
    if read is not None:  # before the view reads: a change in the meantime makes the page old, not fresh
        attached.content(read, db())
    common(db())
    _hear_statements()
    g.tables_read = tables_read = set[str]()
    answer = view()
    del g.tables_read
    undeclared = tables_read - declared
    current = current_session()
    is_personal = bool(current) or current.modified or "masked_token" in g or "kept_language" in g
    return answer, None if undeclared or is_personal else dict(attached.used)


def _hear_statements() -> None:
    """Have the engine tell every statement of this process, of prepared reads too.  No connection is needed for it."""
    engine = services().engine
    if engine not in _heard:
        _heard.add(engine)
        event.listen(engine, "before_cursor_execute", _note_tables)


def _note_tables(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
    """Note which tables a statement names, while the page is made that this request may keep."""
    noted: set[str] | None = g.get("tables_read") if has_app_context() else None
    if noted is None or db().info[KEY].loading:
        return
    noted.update(Base.metadata.tables.keys() & set(TABLE.findall(statement.lower())))


def init(app: Flask) -> None:
    app.extensions["kept_pages"] = KeptPages()
    app.extensions["searched_pages"] = KeptPages(MOST_SEARCHED_BYTES)
