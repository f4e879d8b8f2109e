"""Since when an application waits for its review, and by when the review is due.

Time counts from the opening of the review: an application that was handed in early has not waited meanwhile.  It is due at
five o'clock on the second working day, and never after the step `review` of the calendar.
"""

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, exists, or_, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground.city_time import CHENGDU, today
from enrollment.season import holidays
from enrollment.season.calendar import Season
from enrollment.season.holidays import WorkingCalendar
from enrollment.season.kept_years import ROUNDS, YEARS
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

WORKING_DAYS = 2
CLOSE_OF_DAY = dt.time(17)


@dataclass(frozen=True)
class ReviewTimes:
    """`closings`: when registrations closed, the earliest first.  `ends_at`: the end of the step `review`, if known."""

    now: dt.datetime
    closings: Sequence[dt.datetime]
    ends_at: dt.datetime | None
    days: WorkingCalendar

    def waits_since(self, submitted_at: dt.datetime) -> dt.datetime:
        """The close of the registration in which it was handed in; the submission itself, if that came later."""
        place = bisect_left(self.closings, submitted_at)
        return self.closings[place] if place < len(self.closings) else submitted_at

    def due(self, submitted_at: dt.datetime) -> dt.datetime:
        since = self.waits_since(submitted_at)
        regular = dt.datetime.combine(self._due_day(since.astimezone(CHENGDU).date()), CLOSE_OF_DAY, CHENGDU)
        if self.ends_at is None or self.ends_at <= since:
            return regular
        return min(regular, self.ends_at)

    def _due_day(self, day: dt.date) -> dt.date:
        for _ in range(WORKING_DAYS):
            day = self.days.next_working_day(day + dt.timedelta(days=1))
        return day

    def due_today(self) -> ColumnElement[bool]:
        """SQL condition: the review of the application is due today, or was due earlier."""
        evening, since = today(self.now), self._waits_since()
        day = evening
        while self._due_day(day) > evening:
            day -= dt.timedelta(days=1)
        regular = since < dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), CHENGDU)
        if self.ends_at is None or self.ends_at.astimezone(CHENGDU).date() > evening:
            return regular
        return or_(regular, since < self.ends_at)

    def _waits_since(self) -> ColumnElement[Any]:
        handed_in = Application.submitted_at
        steps = [(handed_in <= closed, closed) for closed in self.closings]
        return case(*steps, else_=handed_in) if steps else handed_in.expression


def review_times(session: Session, *, now: dt.datetime) -> ReviewTimes:
    """The times of the years that are not closed."""
    kept, rounds = YEARS.of(session), ROUNDS.of(session)
    if kept is None or rounds is None:
        kept, rounds = tuple(session.scalars(select(Season))), tuple(session.scalars(select(Round)))
    years = {season.year: season for season in kept if season.closed_at is None}
    begun = [each for each in rounds if each.year in years and each.stage != RoundStage.PLANNED]
    closings = sorted(each.closes_at for each in begun if each.closes_at <= now)
    ends = sorted(date.ends_at for season in years.values() for date in season.dates if date.step == "review")
    ends_at = ends[min(bisect_left(ends, now), len(ends) - 1)] if ends else None
    return ReviewTimes(now, closings, ends_at, holidays.of_year(session, now.year))


def registration_goes_on(session: Session, *, now: dt.datetime) -> bool:
    """Whether a round is still open for changes by families."""
    kept = ROUNDS.of(session)
    if kept is not None:
        return any(each.stage == RoundStage.OPEN and each.closes_at > now for each in kept)
    still_open = exists().where(Round.stage == RoundStage.OPEN, Round.closes_at > now)
    return bool(session.scalar(select(still_open)))


def in_open_years(session: Session) -> ColumnElement[bool]:
    """SQL condition: the application is of a year that is not closed."""
    kept = YEARS.of(session)
    if kept is not None:
        return Application.year.in_([season.year for season in kept if season.closed_at is None])
    return Application.year.in_(select(Season.year).where(Season.closed_at.is_(None)))
