"""The arithmetic of a deadline: how far an area is, how far it should be, and when it is through at its pace."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from enrollment.ground.city_time import CHENGDU
from enrollment.season.calendar_validation import Span
from enrollment.season.holidays import WorkingCalendar, last_day


@dataclass(frozen=True)
class Pace:
    """Working days of a step: `gone` of `days`, today counted as gone."""

    gone: int
    days: int
    today: dt.date
    calendar: WorkingCalendar

    @property
    def percent(self) -> int:
        """How far everybody should be today."""
        return 100 * self.gone // self.days if self.days else 100


def pace(span: Span, calendar: WorkingCalendar, now: dt.datetime) -> Pace:
    begins_at, ends_at = span
    today = now.astimezone(CHENGDU).date()
    if now < begins_at:
        gone = 0
    elif now >= ends_at:
        gone = calendar.working_days(begins_at, ends_at)
    else:
        gone = calendar.working_days(begins_at, now)
    return Pace(gone, max(calendar.working_days(begins_at, ends_at), 1), min(today, last_day(ends_at)), calendar)


@dataclass(frozen=True)
class AreaProgress:
    """`done` of `whole` in one area; what is left is never negative."""

    area: str
    whole: int
    done: int

    @property
    def left(self) -> int:
        return max(self.whole - self.done, 0)

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 is said only when nothing is left."""
        return 100 * self.done // self.whole if self.whole else 100

    def behind(self, at: Pace) -> int:
        """How many should be done today and are not."""
        should = -(-self.whole * at.gone // at.days)
        return max(min(should, self.whole) - self.done, 0)

    def through_on(self, at: Pace) -> dt.date | None:
        """The working day on which it is through at the pace until now; None while nothing is done yet."""
        if not self.left:
            return at.today
        if not self.done or not at.gone:
            return None
        return at.calendar.working_day_after(at.today, -(-self.left * at.gone // self.done))


def slowest_first(found: Iterable[AreaProgress], at: Pace) -> list[AreaProgress]:
    """Those who are behind first, by how many; then by what is left."""
    return sorted(found, key=lambda each: (-each.behind(at), -each.left, each.area))
