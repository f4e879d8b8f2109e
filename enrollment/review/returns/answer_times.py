"""The last moments that a clerk may choose for a family's answer to a return, within the bounds of the policy.

A day ends at nine in the evening, so that a family that works has the evening of each day.  No moment leaves less than the least
hours of the policy (`return_times`), or lies after the end of the review, or, once that is over, after the beginning of the draw.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.eligibility import return_times
from enrollment.eligibility.tiers import rules_in_round
from enrollment.ground.city_time import CHENGDU, today
from enrollment.ground.errors import Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import calendar, openings, seasons
from enrollment.season.rules import ANSWER_DAYS

LAST_HOUR, EVENING = dt.time(21), dt.time(18)
SUGGESTED_EVENINGS = 2
"""Two evenings: a paper that lies at the grandparents' can still be photographed."""


@dataclass(frozen=True)
class AnswerTime:
    """A moment with the number of evenings before it.  `fits` is false where it comes too late; it is shown all the same."""

    at: dt.datetime
    evenings: int
    fits: bool


@dataclass(frozen=True)
class AnswerTimes:
    """The moments of a return, the earliest first, at most one that does not fit, and what bounds them (None: nothing)."""

    times: tuple[AnswerTime, ...]
    limit: dt.datetime | None
    limit_is_review: bool

    @property
    def possible(self) -> list[dt.datetime]:
        return [each.at for each in self.times if each.fits]

    @property
    def suggested(self) -> dt.datetime | None:
        """The first that leaves two evenings, else the last."""
        fitting = [each for each in self.times if each.fits]
        enough = (each.at for each in fitting if each.evenings >= SUGGESTED_EVENINGS)
        return next(enough, fitting[-1].at if fitting else None)


def answer_times(session: Session, application: Application, *, now: dt.datetime) -> AnswerTimes:
    """What the clerk may choose now; nothing where the limit leaves less than the least time, which then holds."""
    area = _area(session, application.review_kindergarten_id)
    least, most = _bounds(session, application, area, now)
    earliest = now + return_times.least_time(session, application.year, area)
    limit, is_review = _limit(session, application.year, now)
    days = [today(now) + dt.timedelta(days=number) for number in range(least, most + 1)]
    ends = [dt.datetime.combine(day, LAST_HOUR, CHENGDU) for day in days]
    fitting = [end for end in ends if earliest <= end and (limit is None or end <= limit)]
    late = [end for end in ends if limit is not None and end > limit][:1]
    if limit is not None and limit not in fitting and earliest <= limit <= ends[-1]:
        fitting.append(limit)
    if not fitting:
        return AnswerTimes((), limit, is_review)
    times = [AnswerTime(end, _evenings(now, end), True) for end in fitting]
    times += [AnswerTime(end, _evenings(now, end), False) for end in late]
    return AnswerTimes(tuple(times), limit, is_review)


def require_possible(session: Session, application: Application, chosen: dt.datetime, *, now: dt.datetime) -> None:
    """Refuse `answer_time_impossible` with the first and the last possible moment."""
    possible = answer_times(session, application, now=now).possible
    if chosen not in possible:
        possible = possible or [return_times.answer_until(session, application, returned_at=now)]
        local = [each.astimezone(CHENGDU) for each in possible]
        raise Refused("answer_time_impossible", field="answer_by", first=local[0], last=local[-1])


def _bounds(session: Session, application: Application, area: str | None, now: dt.datetime) -> tuple[int, int]:
    """The days of the policy of the area whose kindergarten reviews the application."""
    last = openings.window(session, application.year, application.level, now=now).last
    if last is None or area is None:
        return ANSWER_DAYS
    return rules_in_round(session, last, area).answer_days


def _area(session: Session, kindergarten_id: uuid.UUID | None) -> str | None:
    return session.scalar(select(Kindergarten.area_code).where(Kindergarten.id == kindergarten_id))


def _limit(session: Session, year: int, now: dt.datetime) -> tuple[dt.datetime | None, bool]:
    ends = return_times.review_ends(session, year)
    if ends is not None and ends > now:
        return ends.astimezone(CHENGDU), True
    season = seasons.of_year(session, year)
    draw = calendar.spans(season).get("draw") if season is not None else None
    return (draw[0].astimezone(CHENGDU) if draw is not None and draw[0] > now else None), False


def _evenings(now: dt.datetime, end: dt.datetime) -> int:
    """The evenings of which at least an hour lies between `now` and `end`."""
    first, last = today(now), end.astimezone(CHENGDU).date()
    days = (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
    hour = dt.timedelta(hours=1)
    return sum(
        min(end, dt.datetime.combine(day, LAST_HOUR, CHENGDU)) - max(now, dt.datetime.combine(day, EVENING, CHENGDU))
        >= hour
        for day in days
    )
