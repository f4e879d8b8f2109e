"""Repeat the calls that build a test town without running the services again.

The first time a worker makes a call on an empty database, the services run, and the statements that write are kept.  When
another test begins with the same calls at the same times, the same statements are sent again: the same rows, with the same
ids, in less than a tenth of the processor time.  What a call returned is loaded from the database.

A test that does anything else in between is left alone from there on: as soon as somebody else writes on this database (the
test with its session, a service, a request), or a row of the test waits to be written, every further call runs the services.
So whatever a test is about runs for real, and each call of the town does, once for each worker.  `TOWN_REPLAY=0` switches
the replay off.
"""

import datetime as dt
import enum
import functools
import os
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, inspect
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from tests.support.town_families import Family

READS = re.compile(r"\s*(SELECT|SHOW|SAVEPOINT|RELEASE SAVEPOINT)\b", re.IGNORECASE)
WRITES_WITHIN = re.compile(
    r"\b(set_config|setval|nextval)\b|\b(INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b", re.IGNORECASE
)
UNDOES = re.compile(r"\s*ROLLBACK\b", re.IGNORECASE)
KEPT_BETWEEN_MODULES = 4
"""Calls of a path that other modules may begin with as well; longer paths are forgotten when a module ends."""
RESTART = """SELECT setval(c.oid, 1, false) FROM pg_class c
    WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace"""

Plain = Any


class CannotRepeat(Exception):
    """An argument, a result or a state that a later test could not have."""


@dataclass
class Step:
    """The rows after a path of calls: what the last call wrote, what it returned, and how it left the town."""

    depth: int
    written: list[tuple[str, Any, int]] = field(default_factory=list)
    result: Plain = None
    state: Plain = None
    after: dict[Plain, "Step"] = field(default_factory=dict)


class Watch:
    """Everything that is written on the databases of this worker, and by whom."""

    def __init__(self) -> None:
        self.beginning: dict[bool, Step] = {}
        self.module: Path | None = None
        self.untouched = False
        self.written: list[tuple[str, Any, int]] | None = None

    def listen(self, engine: Engine) -> None:
        event.listen(engine, "after_cursor_execute", self._hear)
        event.listen(engine, "rollback", lambda _connection: self._undone())

    def begin(self, module: Path) -> None:
        """A test begins, on a database without rows."""
        if module != self.module:
            self.module = module
            for step in self.beginning.values():
                _forget(step)
        self.untouched, self.written = os.environ.get("TOWN_REPLAY") != "0", None

    def _hear(self, _connection, cursor, statement, parameters, _context, _many) -> None:
        if READS.match(statement) and not WRITES_WITHIN.search(statement):
            return
        if self.written is None:
            self.untouched = False
        elif UNDOES.match(statement):
            self._undone()
        else:
            self.written.append((statement, parameters, cursor.rowcount))

    def _undone(self) -> None:
        self.untouched = False


WATCH = Watch()


def _forget(step: Step) -> None:
    if step.depth >= KEPT_BETWEEN_MODULES:
        step.after.clear()
    for each in step.after.values():
        _forget(each)


class Repeats:
    """The calls of one town since its test began."""

    def __init__(self, town: Any, *, in_portal: bool):
        self.town = town
        self.at = WATCH.beginning.setdefault(in_portal, Step(0))
        self.inside = False

    def call(self, act: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        town = self.town
        if self.inside or not WATCH.untouched:
            return act(town, *args, **kwargs)
        session: Session = town.session
        session.flush()
        try:
            key = act.__name__, town.now, plain(args), plain(kwargs)
            if not WATCH.untouched or (self.at.depth and plain(_state(town)) != self.at.state[0]):
                raise CannotRepeat
        except CannotRepeat:
            WATCH.untouched = False
            return act(town, *args, **kwargs)
        if self.at.depth == 0:
            session.connection().exec_driver_sql(RESTART)
            WATCH.untouched = True
        known = self.at.after.get(key)
        if known is None:
            return self._make(key, act, args, kwargs)
        self.at = known
        send(session, known.written)
        WATCH.untouched = True  # what was sent again is not the test's own
        town.__dict__.update({name: loaded(session, value) for name, value in known.state[0]}, now=known.state[1])
        return loaded(session, known.result)

    def _make(self, key: Plain, act: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        """Run the services, and keep what they wrote if all of it can be repeated."""
        town, step = self.town, Step(self.at.depth + 1)
        self.inside, WATCH.written = True, step.written
        try:
            result = act(town, *args, **kwargs)
            town.session.flush()
        except BaseException:
            WATCH.untouched = False
            raise
        finally:
            self.inside, WATCH.written = False, None
        try:
            step.result, step.state = plain(result), (plain(_state(town)), town.now)
        except CannotRepeat:
            WATCH.untouched = False
        if WATCH.untouched:
            self.at.after[key] = step
            self.at = step
        return result


OF_THE_TOWN = ("the_season", "the_round", "_city_pair", "_reviewers")
"""What a town remembers beside its time; a test may add names of its own."""


def _state(town: Any) -> dict[str, Any]:
    return {name: town.__dict__[name] for name in OF_THE_TOWN if name in town.__dict__}


def send(session: Session, written: list[tuple[str, Any, int]]) -> None:
    """Write the same rows; what the session has loaded is read anew."""
    raw = session.connection().connection.driver_connection
    if not written:
        return
    cursors = []
    with raw.pipeline():
        for statement, parameters, _rows in written:
            cursors.append(cursor := raw.cursor())
            (cursor.executemany if isinstance(parameters, list) else cursor.execute)(statement, parameters)
    for cursor, (statement, _parameters, rows) in zip(cursors, written, strict=True):
        assert cursor.rowcount == rows, f"this wrote {cursor.rowcount} rows instead of {rows}: {statement}"
    _read_anew(session, {name for statement, *_ in written for name in UPDATED.findall(statement)})


UPDATED = re.compile(r"\bUPDATE (\w+) SET|\bINSERT INTO (\w+) .*ON CONFLICT", re.DOTALL)


def _read_anew(session: Session, updated: set[tuple[str, str]]) -> None:
    """What the session holds is as if the services had changed it: rows at once, lists of rows when they are next used.

    Nothing of a row is read later: that would write what a test has half changed before.
    """
    tables = {name for pair in updated for name in pair}
    for row in list(session.identity_map.values()):
        mapper = inspect(row).mapper
        if mapper.local_table.name in tables:
            session.refresh(row)
        lists = [each.key for each in mapper.relationships if each.uselist and each.key in row.__dict__]
        if lists:
            session.expire(row, lists)


SIMPLE = (str, int, float, bytes, type(None), dt.date, dt.time, dt.timedelta, uuid.UUID, enum.Enum)


def plain(value: Any) -> Plain:
    """A value without rows, which can be compared and kept; the name of a row instead of the row."""
    if isinstance(value, SIMPLE):
        return value if isinstance(value, (str, type(None), uuid.UUID)) else (type(value), value)
    if isinstance(value, dict):
        return tuple((plain(each), plain(content)) for each, content in value.items())
    if isinstance(value, (list, tuple, set, frozenset)) and type(value) in (list, tuple, set, frozenset):
        return (type(value), *map(plain, sorted(value, key=str) if isinstance(value, (set, frozenset)) else value))
    if isinstance(value, Family):
        return (Family, value.name, value.phone, plain(value.account), plain(value.household))
    if isinstance(value, Actor):
        return (Actor, value)
    state = inspect(value, raiseerr=False)
    if state is not None and hasattr(state, "identity") and state.persistent and not state.modified:
        return (Row, type(value), state.identity)
    raise CannotRepeat(type(value))


class Row:
    """Marks the class and the identity of a row."""


def loaded(session: Session, value: Plain) -> Any:
    """The value that `plain` has written down, with the rows as they are in the database."""
    if not isinstance(value, tuple):
        return value
    if not value or isinstance(value[0], tuple) or not isinstance(value[0], type):
        return {loaded(session, each): loaded(session, content) for each, content in value}
    kind, *content = value
    if kind is Row:
        return session.get_one(*content)
    if kind is Family:
        name, phone, account, household = content
        return Family(name, phone, loaded(session, account), loaded(session, household))
    if kind in (list, tuple, set, frozenset):
        return kind(loaded(session, each) for each in content)
    return content[0]


REPEATED = (
    # places
    "area", "kindergarten", "programme", "plan", "service_area", "programme_of", "pool", "roll", "child_on_roll",
    "account_of_staff", "clerk_of", "head_of", "area_official", "city_official",
    # season
    "city_pair", "season", "prepared_season", "announce", "policy", "round", "open_registration", "close_registration",
    # families
    "family", "consent", "child", "not_entered_before", "twins", "claim", "wish", "submit", "withdraw", "apply_again",
    "bind", "separate", "follow_elder", "second_guardian",
    # helpers
    "helper", "mandate_by_code", "mandate_on_paper", "acting", "helper_enters",
    # review
    "reviewer_of", "clerk_takes", "clerk_confirms", "clerk_sends_back", "clerk_proposes_refusal", "everyone_is_reviewed",
    # corrections
    "requests_correction", "finds_error", "agrees", "refuses", "desk_pair", "two_agree", "one_agrees",
)  # fmt: skip
"""Methods of the town that write with statements alone; a draw also writes with COPY, which is not heard here."""


def repeatable(act: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(act)
    def call(town: Any, *args: Any, **kwargs: Any) -> Any:
        repeats = town.__dict__.get("repeats")
        return act(town, *args, **kwargs) if repeats is None else repeats.call(act, args, kwargs)

    return call


def with_repeatable_calls(town: type) -> type:
    for name in REPEATED:
        setattr(town, name, repeatable(getattr(town, name)))
    return town
