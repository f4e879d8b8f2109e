"""Numbers of children at a date, by place, kind and level: what `counts` counts and `rollup` keeps."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from enrollment.coverage.indicator import Children
from enrollment.places.areas import level_in


@dataclass(frozen=True)
class Counted:
    """Children of one place: on roll, or after the intake.  `area` is where the kindergarten is, `parent_area` where its
    parent is; `school_year` is that of the roll."""

    place: str
    area: str
    parent_area: str
    children: Children
    school_year: int | None = None

    def area_by(self, at_parent: bool) -> str:
        return self.parent_area if at_parent else self.area


STALE_AFTER = dt.timedelta(days=7)


@dataclass(frozen=True)
class RollDates:
    """The oldest and the newest date of the rolls of an area's kindergartens."""

    oldest: dt.date
    newest: dt.date

    def is_stale(self, on: dt.date) -> bool:
        """Whether no kindergarten has brought its roll up to date for a week."""
        return self.newest < on - STALE_AFTER


@dataclass(frozen=True)
class Snapshot:
    """The children of the city, or of one area, at a date: `now` on roll, `after` the intake of `year`, in which `coming`
    have an offer; `dates` of the rolls by area."""

    on: dt.date
    year: int
    now: tuple[Counted, ...]
    after: tuple[Counted, ...]
    coming: tuple[Counted, ...]
    dates: Mapping[str, RollDates] = field(default_factory=dict)

    @property
    def roll_of(self) -> dt.date | None:
        """The newest date of the counted rolls; None without a roll."""
        return max((each.newest for each in self.dates.values()), default=None)

    @property
    def school_year(self) -> int | None:
        """The newest school year of a roll with children; None without a roll."""
        years = (row.school_year for row in self.now if row.school_year is not None and row.children.number)
        return max(years, default=None)

    @property
    def in_school_year(self) -> tuple[Counted, ...]:
        """The children by their levels in `school_year`: who is still on last year's roll is a level higher, or at school.

        While most of them are, many new children have not arrived; then it is the roll after the intake, if that is of this
        year.
        """
        newest = self.school_year
        if newest is None:
            return ()
        waiting = sum(_number(row) for row in self.now if _year_of(row, newest) < newest)
        if self.year == newest and 2 * waiting > sum(map(_number, self.now)):
            return self.after
        levels = ((row, level_in(row.children.level, _year_of(row, newest), newest)) for row in self.now)
        return tuple(replace(row, children=replace(row.children, level=level)) for row, level in levels if level)


def _number(row: Counted) -> int:
    return row.children.number


def _year_of(row: Counted, otherwise: int) -> int:
    return otherwise if row.school_year is None else row.school_year
