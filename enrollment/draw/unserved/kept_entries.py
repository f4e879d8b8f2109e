"""The board of children without a place, kept ready: a page costs the same in a small and in a large city (ADR 68).

Triggers write every application that may stand otherwise into `unserved_change`, and a whole year where a run is published, a
great many change at once, or an officer comes or goes.  `listing` reads what is kept and computes what changed; so a page is
exact at every moment, and quick when the job of every minute has run `refresh`.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, SQLColumnExpression, delete, func, insert, literal, select, true, union_all
from sqlalchemy.orm import Session

from enrollment.draw.unserved import entries
from enrollment.draw.unserved.entries import WITHOUT_A_WORD, BoardState, Entry
from enrollment.draw.unserved.kept_rows import UnservedChange, UnservedCount, UnservedEntry
from enrollment.draw.unserved.officers import Officers
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.places import scope

K = TypeVar("K")

POSITIONS = {state: position for position, state in enumerate(BoardState)}
LEFT_TO_DO = "todo"
"""The states in which something is left to do, as one filter."""


@dataclass(frozen=True)
class Number:
    """How many children an officer has in an area and a state."""

    area: str | None
    state: BoardState
    officer: uuid.UUID | None
    n: int


@dataclass(frozen=True)
class Listing:
    """A page of the board, counted from 1, and the numbers of the official's whole scope."""

    rows: tuple[Entry, ...]
    total: int
    number: int
    last: int
    numbers: tuple[Number, ...]

    @property
    def by_area(self) -> Counter[str | None]:
        return _sums((each.area, each.n) for each in self.numbers)

    @property
    def workload(self) -> Counter[uuid.UUID]:
        """The children of each officer for whom something is left to do."""
        left = (each for each in self.numbers if each.state in WITHOUT_A_WORD)
        return _sums((each.officer, each.n) for each in left if each.officer is not None)

    def by_state(self, area: str | None) -> Counter[BoardState]:
        return _sums((each.state, each.n) for each in self.numbers if area is None or each.area == area)


@dataclass(frozen=True)
class Chosen:
    """What a page is asked for; None stands for all.  `state` is a state or `LEFT_TO_DO`."""

    area: str | None
    state: str | None
    officer: uuid.UUID | None

    def holds(self, area: str | None, state: str, officer: uuid.UUID | None) -> bool:
        return (
            self.area in (None, area)
            and self.officer in (None, officer)
            and (self.state in (None, state) or (self.state == LEFT_TO_DO and state in WITHOUT_A_WORD))
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        found = []
        if self.area is not None:
            found.append(UnservedEntry.area == self.area)
        if self.officer is not None:
            found.append(UnservedEntry.officer_id == self.officer)
        if self.state is not None:
            states = WITHOUT_A_WORD if self.state == LEFT_TO_DO else (self.state,)
            found.append(UnservedEntry.position.in_([POSITIONS[BoardState(each)] for each in states]))
        return found


def listing(
    session: Session,
    year: int,
    *,
    by: Actor,
    officers: Officers,
    area: str | None = None,
    state: str | None = None,
    officer: uuid.UUID | None = None,
    page: int = 1,
    per_page: int = 25,
) -> Listing:
    """One page, those for whom something has to be done first."""
    chosen = Chosen(area, state, officer)
    changed = _changed(session, year)
    now = entries.read(session, year, changed, by=by, officers=officers)
    numbers = _numbers(session, year, changed, by, now)
    total = sum(each.n for each in numbers if chosen.holds(each.area, each.state, each.officer))
    last = max(1, -(-total // per_page))
    number = min(max(page, 1), last)
    wanted = sorted((each for each in now if chosen.holds(each.area, each.state, each.officer)), key=_order)
    first, end = (number - 1) * per_page, number * per_page
    rows = (
        wanted[first:end]
        if changed is None
        else _page(session, year, changed, wanted, chosen, first, end, by, officers)
    )
    return Listing(tuple(rows), total, number, last, numbers)


def refresh(session: Session) -> int:
    """Count what changed again; return how many children stand on the boards that were touched.

    The changes are deleted before anything is read, so the count has seen each of them; what comes later has a row of its own.
    """
    gone = delete(UnservedChange).returning(UnservedChange.year, UnservedChange.application_id)
    changes = session.execute(gone).all()
    if not changes:
        return 0
    whole = {year for year, application_id in changes if application_id is None}
    officers, done = Officers(session), 0
    for year in sorted({year for year, _application_id in changes}):
        ids = None if year in whole else {each for of_year, each in changes if of_year == year and each is not None}
        done += _write(session, year, ids, officers)
    return done


def _write(session: Session, year: int, ids: Collection[uuid.UUID] | None, officers: Officers) -> int:
    old = delete(UnservedEntry).where(UnservedEntry.year == year)
    session.execute(old if ids is None else old.where(UnservedEntry.application_id.in_(ids)))
    found = entries.read(session, year, ids, by=SYSTEM, officers=officers)
    if found:
        write_rows(session, insert(UnservedEntry), [
            {
                "application_id": each.id, "year": year, "area": each.area, "state": _kept_state(each),
                "position": POSITIONS[_kept_state(each)], "code": each.registration_code or "", "officer_id": each.officer,
            }
            for each in found
        ])  # fmt: skip
    session.execute(delete(UnservedCount).where(UnservedCount.year == year))
    keys = (UnservedEntry.year, UnservedEntry.area, UnservedEntry.state, UnservedEntry.officer_id)
    counted = select(*keys, func.count()).where(UnservedEntry.year == year).group_by(*keys)
    session.execute(insert(UnservedCount).from_select(["year", "area", "state", "officer_id", "n"], counted))
    return session.scalar(select(func.count()).where(UnservedEntry.year == year)) or 0


def _kept_state(each: Entry) -> BoardState:
    """Whether a chosen place is still free changes with other children: it is computed by each page."""
    return BoardState.CHOSEN if each.state == BoardState.CHOICE_LOST else each.state


def _changed(session: Session, year: int) -> set[uuid.UUID] | None:
    """The applications that a page computes: what changed, and where a chosen place waits.  None for all of the year."""
    waiting = select(UnservedEntry.application_id).where(
        UnservedEntry.year == year, UnservedEntry.position == POSITIONS[BoardState.CHOSEN]
    )
    changes = select(UnservedChange.application_id).where(UnservedChange.year == year)
    found = set(session.scalars(union_all(changes, waiting)))
    return None if None in found else found


def _within(by: Actor, area: SQLColumnExpression[str | None]) -> ColumnElement[bool]:
    return true() if scope.may_see_all(by) else area.in_(by.areas)


def _numbers(
    session: Session, year: int, changed: set[uuid.UUID] | None, by: Actor, now: Iterable[Entry]
) -> tuple[Number, ...]:
    """The kept numbers, less the kept rows of what changed, and these as they are now."""
    found: Counter[tuple[str | None, BoardState, uuid.UUID | None]] = Counter()
    if changed is not None:
        kept = select(UnservedCount.area, UnservedCount.state, UnservedCount.officer_id, UnservedCount.n)
        left = select(UnservedEntry.area, UnservedEntry.state, UnservedEntry.officer_id, literal(-1))
        # one statement sees one moment: what is taken off is what was counted
        both = union_all(
            kept.where(UnservedCount.year == year, _within(by, UnservedCount.area)),
            left.where(UnservedEntry.application_id.in_(changed), _within(by, UnservedEntry.area)),
        )
        for area, state, officer, n in session.execute(both):
            found[area, BoardState(state), officer] += n
    for each in now:
        found[each.area, each.state, each.officer] += 1
    return tuple(Number(*key, n) for key, n in found.items() if n)


def _page(
    session: Session,
    year: int,
    changed: set[uuid.UUID],
    wanted: Sequence[Entry],
    chosen: Chosen,
    first: int,
    end: int,
    by: Actor,
    officers: Officers,
) -> list[Entry]:
    """The rows from `first` to `end` of the kept ones and of `wanted`, which changed, in one order."""
    skipped = max(0, first - len(wanted))  # at least so many kept rows stand before the page
    found = select(UnservedEntry.application_id).where(UnservedEntry.year == year, _within(by, UnservedEntry.area))
    found = found.where(*chosen.conditions(), UnservedEntry.application_id.not_in(changed))
    found = found.order_by(UnservedEntry.position, UnservedEntry.code).offset(skipped).limit(end - skipped)
    kept = entries.read(session, year, session.scalars(found).all(), by=by, officers=officers)
    return sorted([*kept, *wanted], key=_order)[first - skipped : end - skipped]


def _order(each: Entry) -> tuple[int, str]:
    return POSITIONS[each.state], each.registration_code or ""


def _sums(pairs: Iterable[tuple[K, int]]) -> Counter[K]:
    found: Counter[K] = Counter()
    for key, n in pairs:
        found[key] += n
    return found
