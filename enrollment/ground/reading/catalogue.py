"""What changes a few times a day and every page asks for, kept in the memory of the process: years, rounds, policies, areas.

A `Part` is the content of some small tables.  Its stamp changes whenever a row of them is added, changed or deleted, so a
part is read again only then.  Every request asks for all stamps with the statement that reads its session, so a change
counts from the next request on, in whatever process.  A large part (`every`) is asked about apart, and at most that often.

The rows of a part belong to no session: they are shared by all requests of the process, and nobody changes them.  Only a
session to which the catalogue is attached is answered from it; a request that writes reads the tables and locks their rows.
"""

import datetime as dt
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import text
from sqlalchemy.orm import Session

KEY = "catalogue"
T = TypeVar("T")

_parts: dict[str, "Part[Any]"] = {}


@dataclass(frozen=True, eq=False)
class Part(Generic[T]):
    """The content of `tables` as `load` reads it.  `every`: the shortest time between two looks at the tables."""

    name: str
    tables: tuple[str, ...]
    load: Callable[[Session], T]
    every: dt.timedelta = dt.timedelta()

    def __post_init__(self) -> None:
        _parts[self.name] = self

    def of(self, session: Session) -> T | None:
        """The content as it was when the session's request began; None where no catalogue is attached."""
        catalogue: Attached | None = session.info.get(KEY)
        return None if catalogue is None else catalogue.content(self, session)

    @property
    def stamp(self) -> str:
        """SQL for a text that changes with any row.

        An update gives a row a newer `xmin`, so that the sum grows; with the number of rows it also shows what was added
        and deleted, in whatever order transactions end.
        """
        counted = "count(*) || ':' || coalesce(sum(xmin::text::bigint), 0)"
        each = (f"(SELECT {counted} FROM {table})" for table in self.tables)  # noqa: S608  names of our own tables
        return " || ' ' || ".join(each)

    @cached_property
    def asked_as(self) -> str:
        """The name of the stamp among those of a request."""
        return " ".join(self.tables)


def part_named(name: str) -> Part[Any]:
    """Raises KeyError."""
    return _parts[name]


def stamps_sql() -> str:
    """SQL for one JSON object with the stamps of all parts that each request asks about, one for parts of the same tables."""
    stamps = {part.asked_as: part.stamp for part in _parts.values() if not part.every}
    pairs = (f"'{name}', {stamp}" for name, stamp in stamps.items())
    return f"json_build_object({', '.join(pairs)})"


class Catalogue:
    """The parts that this process keeps.  `always_look` ignores `every`, for tests and for the demo's moving clock."""

    def __init__(self, *, always_look: bool = False) -> None:
        self.always_look = always_look
        self.moment = time.monotonic
        self._kept: dict[str, tuple[str, Any]] = {}
        self._looked: dict[tuple[str, ...], tuple[float, str]] = {}

    def attach(self, session: Session, stamps: Callable[[], Mapping[str, str]]) -> None:
        """Answer the session's reads from this catalogue, as of the stamps that the function reads at the first use."""
        session.info[KEY] = Attached(self, stamps)

    def content(self, part: Part[T], stamp: str, session: Session) -> T:
        """The part at this stamp."""
        kept = self._kept.get(part.name)
        if kept is None or kept[0] != stamp:
            # a session of its own on the same connection: the rows must not belong to the request's session
            with Session(session.connection()) as reader:
                kept = (stamp, part.load(reader))
                reader.expunge_all()
            self._kept[part.name] = kept
        return kept[1]

    def look(self, part: Part[Any], session: Callable[[], Session]) -> str:
        """The stamp of a large part, asked at most every so often for its tables.  `session` is only called to ask."""
        moment = self.moment()
        looked, stamp = self._looked.get(part.tables, (float("-inf"), ""))
        if self.always_look or moment - looked >= part.every.total_seconds():
            stamp = str(session().scalar(text(f"SELECT {part.stamp}")))
            self._looked[part.tables] = (moment, stamp)
        return stamp


def once(session: Session, key: Hashable, compute: Callable[[], T]) -> T:
    """What follows from the catalogue and the key alone, computed once in a request that only shows a page."""
    attached: Attached | None = session.info.get(KEY)
    if attached is None:
        return compute()
    if key not in attached.computed:
        attached.computed[key] = compute()
    return cast(T, attached.computed[key])


def stamps_read(session: Session, parts: Iterable[Part[Any]]) -> tuple[str | None, ...] | None:
    """The stamps at which the session's request has read these parts, None for each that it has not read; None where no
    catalogue is attached."""
    attached: Attached | None = session.info.get(KEY)
    return None if attached is None else tuple(attached.used.get(part) for part in parts)


@dataclass
class Attached:
    """A catalogue at the stamps that a request has seen.  Those of large parts are looked at when one is first used.

    `used` has the stamp of each part that the request has read; `loading` says that a part is being read from its tables.
    `computed` is what `once` has computed.
    """

    catalogue: Catalogue
    stamps: Callable[[], Mapping[str, str]]
    looked: dict[tuple[str, ...], str] = field(default_factory=dict)
    used: dict[Part[Any], str] = field(default_factory=dict)
    loading: bool = False
    computed: dict[Hashable, Any] = field(default_factory=dict)

    def content(self, part: Part[T], session: Session) -> T:
        stamp = self.used.get(part)
        if stamp is None:
            self.loading = True
            stamp = self.used[part] = self._stamp(part, session)
            found = self.catalogue.content(part, stamp, session)
            self.loading = False
            return found
        return self.catalogue.content(part, stamp, session)

    def _stamp(self, part: Part[Any], session: Session) -> str:
        stamp = self.stamps().get(part.asked_as) or self.looked.get(part.tables)
        if stamp is None:
            stamp = self.looked[part.tables] = self.catalogue.look(part, lambda: session)
        return stamp
