"""What a forecast starts from: births, new estates, and children by area, school year, level and kind of kindergarten."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from enrollment.coverage.indicator import Children, Definition, share
from enrollment.coverage.snapshots import Counted
from enrollment.ground.classifications import Level
from enrollment.places.population.rows import COUNTED_LEVELS, AreaBirths, AreaHistory, Estate

Numbers = NDArray[np.float64]

YEARS_TO_ENTRY = 4
"""A child born in the school year that begins in September 2022 enters a lower class in September 2026."""

PUBLIC, INCLUSIVE, OTHER = range(3)


@dataclass(frozen=True)
class Past:
    """`children` is [area, year, level, kind] with the kinds public, inclusive and other as the definition counts them;
    `births` is [area, year] and begins `YEARS_TO_ENTRY` years earlier.  NaN where nothing is on file.  `estates` are the
    children whom new housing brings, [area, year] of the years of `children` and of those after them; None without any.
    """

    areas: tuple[str, ...]
    first_year: int
    children: Numbers
    births: Numbers
    vintage: dt.date | None = None
    estates: Numbers | None = None

    @property
    def years(self) -> int:
        return int(self.children.shape[1])

    @property
    def last_year(self) -> int:
        return self.first_year + self.years - 1

    @property
    def totals(self) -> Numbers:
        """Children by area, year and level."""
        total: Numbers = self.children.sum(axis=3)
        return total

    def born_for(self, index: int) -> Numbers:
        """Births of the cohort that enters in the year of this index; NaN beyond what is on file."""
        return self.births[:, index] if 0 <= index < self.births.shape[1] else np.full(len(self.areas), np.nan)

    def moved_in(self, index: int) -> Numbers:
        """The children whom new estates bring to each level in the year of this index, by area: a third to each."""
        if self.estates is None or not 0 <= index < self.estates.shape[1]:
            return np.zeros(len(self.areas))
        third: Numbers = self.estates[:, index] / len(COUNTED_LEVELS)
        return third

    def until(self, index: int) -> "Past":
        """What was known of the children up to the year of this index."""
        return replace(self, children=self.children[:, : index + 1])


def read(
    session: Session, definition: Definition, areas: Sequence[str], base: Iterable[Counted], base_year: int
) -> Past:
    """The past up to `base_year`, whose children are those of `base`, the roll of now by the levels of this year.

    Years before the first gap count as not on file: a ratio needs two years in a row.
    """
    cells = _cells_of(_history(session, base_year), definition)
    cells[base_year] = _cells_of_roll(base, definition)
    first = base_year
    while first - 1 in cells:
        first -= 1
    index = {area: place for place, area in enumerate(areas)}
    children = np.zeros((len(areas), base_year - first + 1, len(COUNTED_LEVELS), 3))
    for year in range(first, base_year + 1):
        for (area, level), kinds in cells[year].items():
            if area in index:
                children[index[area], year - first, COUNTED_LEVELS.index(Level(level))] = kinds
    births, vintage = _births(session, definition.on, index, first - YEARS_TO_ENTRY, base_year)
    return Past(tuple(areas), first, children, births, vintage, _estates(session, index, first))


def _births(
    session: Session, on: dt.date, index: Mapping[str, int], first: int, last: int
) -> tuple[Numbers, dt.date | None]:
    """The newest vintage of each number that was there on the day."""
    newest = (
        select(AreaBirths.area_code, AreaBirths.school_year, AreaBirths.children, AreaBirths.vintage)
        .where(AreaBirths.vintage <= on)
        .ext(distinct_on(AreaBirths.area_code, AreaBirths.school_year))
        .order_by(AreaBirths.area_code, AreaBirths.school_year, AreaBirths.vintage.desc())
    )
    births = np.full((len(index), last - first + 1), np.nan)
    vintage: dt.date | None = None
    for row in session.execute(newest):
        # a year that had not ended on the day of the register is not a year of births
        is_whole = row.vintage >= dt.date(row.school_year + 1, 9, 1)
        if is_whole and first <= row.school_year <= last and row.area_code in index:
            births[index[row.area_code], row.school_year - first] = row.children
            vintage = max(vintage or row.vintage, row.vintage)
    return births, vintage


def _estates(session: Session, index: Mapping[str, int], first: int) -> Numbers | None:
    """The children of estates by area and the first September of their families, from `first` on."""
    brought = func.sum(Estate.dwellings * Estate.per_hundred // 100)
    rows = session.execute(
        select(Estate.area_code, Estate.first_september, brought)
        .where(Estate.first_september >= first)
        .group_by(Estate.area_code, Estate.first_september)
    ).all()
    if not rows:
        return None
    found = np.zeros((len(index), max(row.first_september for row in rows) - first + 1))
    for area, year, children in rows:
        if area in index:
            found[index[area], year - first] += float(children)
    return found


Cells = dict[tuple[str, str], tuple[int, int, int]]


def _history(session: Session, before: int) -> Iterable[Any]:
    return session.execute(
        select(
            AreaHistory.school_year,
            AreaHistory.area_code,
            AreaHistory.level,
            AreaHistory.nature,
            AreaHistory.attached,
            AreaHistory.children,
        ).where(AreaHistory.school_year < before)
    )


def _cells_of(rows: Iterable[Any], definition: Definition) -> dict[int, Cells]:
    groups: dict[int, dict[tuple[str, str], list[Children]]] = defaultdict(lambda: defaultdict(list))
    for year, area, level, nature, attached, number in rows:
        groups[year][area, level].append(Children(number, nature, level, attached))
    return {year: _kinds(of_year, definition) for year, of_year in groups.items()}


def _cells_of_roll(base: Iterable[Counted], definition: Definition) -> Cells:
    """The roll of now; the children of mixed classes stand a third in each level."""
    groups: dict[tuple[str, str], list[Children]] = defaultdict(list)
    for row in base:
        some, area = row.children, row.area_by(definition.at_parent)
        if some.level == Level.MIXED:
            for place, level in enumerate(COUNTED_LEVELS):
                third = (some.number + place) // len(COUNTED_LEVELS)
                groups[area, level].append(replace(some, number=third, level=level))
        elif some.level in COUNTED_LEVELS:
            groups[area, some.level].append(some)
    return _kinds(groups, definition)


def _kinds(groups: Mapping[tuple[str, str], Sequence[Children]], definition: Definition) -> Cells:
    found: Cells = {}
    for key, some in groups.items():
        coverage = share(some, definition)
        rest = coverage.all - coverage.public - coverage.inclusive
        found[key] = coverage.public, coverage.inclusive, rest
    return found
