"""Public share and inclusive coverage from the roll: today, and after this year's intake.

The counting is in `counts.py`; the arithmetic is `allocation/coverage.py`.
A `Definition` says what is counted; it is shown beside every figure.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Row, func, select, true
from sqlalchemy.orm import Session

from allocation.coverage import INCLUSIVE_TARGET, PUBLIC_TARGET, Coverage
from enrollment.coverage.counts import (
    Definition,
    count_incoming,
    count_on_roll,
    newest_roll_condition,
    newest_roll_query,
    open_condition,
)
from enrollment.coverage.targets import Target
from enrollment.ground.classifications import Nature
from enrollment.places.areas import NEXT_LEVEL, Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollClass


@dataclass(frozen=True)
class Targets:
    """Targets in whole percent of all children in kindergarten."""

    public: int = PUBLIC_TARGET
    inclusive: int = INCLUSIVE_TARGET


@dataclass(frozen=True)
class CoverageLine:
    """An area's or a kindergarten's children on roll at the reference date, and after the intake."""

    code: str
    name: str
    name_en: str
    now: Coverage
    after: Coverage


@dataclass(frozen=True)
class Shares:
    """The city and its areas.

    `roll_of` is the newest date of the counted rolls, None without a roll; `coming` is the number of children with an offer
    that "after" adds.
    """

    definition: Definition
    year: int
    city: CoverageLine
    areas: tuple[CoverageLine, ...]
    roll_of: dt.date | None
    coming: int


@dataclass
class _Tally:
    """Numbers of children: all, public, inclusive."""

    targets: Targets
    all: int = 0
    public: int = 0
    inclusive: int = 0

    def add(self, children: int, row: Row, definition: Definition) -> None:
        self.all += children
        if row.attached and not definition.attached:
            return
        if row.nature == Nature.PUBLIC:
            self.public += children
        elif row.nature == Nature.INCLUSIVE:
            self.inclusive += children

    def coverage(self) -> Coverage:
        return Coverage(self.all, self.public, self.inclusive, self.targets.public, self.targets.inclusive)


def city_shares(session: Session, definition: Definition, *, year: int) -> Shares:
    """Both shares of the city and of every area, in the areas' order; `year` is the intake that "after" adds."""
    goals = targets_by_area(session, year)
    names = {a.code: (a.name, a.name_en) for a in session.scalars(select(Area).order_by(Area.position))}
    now, after, new = _tallies(
        session, definition, year, Kindergarten.area_code, {c: goals.get(c, goals[None]) for c in names}
    )
    areas = tuple(_line(code, both, now[code], after[code]) for code, both in names.items())
    return Shares(definition, year, _total(areas, goals[None]), areas, newest_roll_date(session, definition), new)


def area_shares(session: Session, area: str, definition: Definition, *, year: int) -> tuple[CoverageLine, ...]:
    """The same for each open kindergarten and site of an area, the largest first."""
    inside = Kindergarten.area_code == area
    found = select(Kindergarten.code, Kindergarten.name).where(inside, open_condition(definition))
    names = {code: (name, name) for code, name in session.execute(found)}
    goals = targets_by_area(session, year)
    goal = goals.get(area, goals[None])
    now, after, _new = _tallies(session, definition, year, Kindergarten.code, dict.fromkeys(names, goal), inside)
    lines = (_line(code, both, now[code], after[code]) for code, both in names.items())
    return tuple(sorted(lines, key=lambda line: (-line.now.all, line.code)))


def targets_by_area(session: Session, year: int) -> dict[str | None, Targets]:
    """The year's targets by area code; the city's own under None.  An area without its own row has the city's."""
    rows = session.execute(select(Target.area_code, Target.share, Target.percent).where(Target.year == year)).all()
    said: dict[str | None, dict[str, int]] = defaultdict(dict)
    for area, share, percent in rows:
        said[area][share] = percent
    city = said.pop(None, {})
    return {None: Targets(**city)} | {area: Targets(**(city | own)) for area, own in said.items()}


def newest_roll_date(session: Session, definition: Definition) -> dt.date | None:
    """The newest date of the counted classes; None without a roll."""
    newest = newest_roll_query(definition)
    return session.scalar(select(func.max(RollClass.as_of)).join(newest, newest_roll_condition(newest)))


def _line(code: str, names: tuple[str, str], now: _Tally, after: _Tally) -> CoverageLine:
    return CoverageLine(code, *names, now.coverage(), after.coverage())


def _total(areas: Iterable[CoverageLine], goals: Targets) -> CoverageLine:
    none = Coverage(0, 0, 0, goals.public, goals.inclusive)
    return CoverageLine("", "", "", sum((a.now for a in areas), none), sum((a.after for a in areas), none))


def _tallies(session: Session, definition: Definition, year: int, key, goals: dict[str, Targets], within=true()):
    """Two tallies for every place of `goals`, on roll at the date and after the intake of `year`, and how many come."""
    now = {place: _Tally(goal) for place, goal in goals.items()}
    after = {place: _Tally(goal) for place, goal in goals.items()}
    for row in count_on_roll(session, definition, year, key, within):
        if definition.counts(row.level):
            now[row.place].add(row.children, row, definition)
        later = NEXT_LEVEL[row.level] if row.school_year < year else row.level
        if later and definition.counts(later):
            after[row.place].add(row.staying, row, definition)
    new = 0
    for row in count_incoming(session, definition, year, key, within):
        if definition.counts(row.level):
            after[row.place].add(row.children, row, definition)
            new += row.children
    return now, after, new
