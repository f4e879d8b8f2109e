"""The days of arrival: when they begin, until when a child is expected, and the year in which children arrive now."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from enrollment.ground.city_time import CHENGDU, today
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import Offer
from enrollment.season import seasons
from enrollment.season.calendar import SeasonDate
from enrollment.season.kept_years import YEARS

AFTER_THE_ANSWER = dt.timedelta(days=3)
"""A child that is offered a place late is expected until three days after its answer was due."""


@dataclass(frozen=True)
class Arrival:
    """When a child that has a place comes to its kindergarten.

    `begins_at` is None for a place that was offered after the arrival days: its child comes at once, at the latest at `due_at`.
    """

    begins_at: dt.datetime | None
    due_at: dt.datetime


def _days(session: Session, year: int) -> SeasonDate | None:
    """The arrival days of the calendar, from the process where a page is shown."""
    kept = YEARS.of(session)
    if kept is None:
        return session.get(SeasonDate, (year, "arrival"))
    dates = (date for season in kept if season.year == year for date in season.dates)
    return next((date for date in dates if date.step == "arrival"), None)


def begins_at(session: Session, year: int) -> dt.datetime | None:
    """When the arrival days of the year begin; None if the calendar does not have them."""
    step = _days(session, year)
    return step.begins_at if step else None


def first_day(session: Session, year: int) -> dt.date | None:
    """The first day on which children arrive, from its first hour on."""
    begins = begins_at(session, year)
    return begins.astimezone(CHENGDU).date() if begins is not None else None


def ends_at(session: Session, year: int) -> dt.datetime | None:
    """When the arrival days of the year end; None if the calendar does not have them."""
    step = _days(session, year)
    return step.ends_at if step else None


def arrival_of(session: Session, offer: Offer) -> Arrival | None:
    """When the child of this offer is expected; None if the calendar has no arrival days.

    Page, notice, calendar file, messages and reminders all say this, and `due_at` decides when the place of an absent child
    can be given away.
    """
    step = _days(session, offer.year)
    if step is None:
        return None
    return Arrival(step.begins_at if offer.made_at < step.ends_at else None, due_at(session, offer))


def due_at(session: Session, offer: Offer) -> dt.datetime:
    """Until when the child of this offer is expected.  `due_of` is the same rule in SQL."""
    after_its_answer = offer.answer_by + AFTER_THE_ANSWER
    last_day = ends_at(session, offer.year)
    return max(last_day, after_its_answer) if last_day else after_its_answer


def due_of(last_day: ColumnElement[dt.datetime], answer_by: ColumnElement[dt.datetime]) -> ColumnElement[dt.datetime]:
    """SQL of `due_at`, from the end of the arrival days and the time by which the offer had to be answered."""
    return func.greatest(last_day, answer_by + AFTER_THE_ANSWER)


def year_of_arrivals(session: Session, *, now: dt.datetime) -> int | None:
    """The newest year under way in which children arrive now; None if none does."""
    going_on = [season.year for season in reversed(seasons.announced(session)) if not seasons.is_past(season, now)]
    return next(
        (year for year in going_on if (first := first_day(session, year)) is not None and first <= today(now)), None
    )


def refuse_too_early(session: Session, year: int, *, now: dt.datetime) -> None:
    """Refuse `arrival_not_begun` (with the first day): a child that stands at the door early that morning has arrived."""
    first = first_day(session, year)
    if first is not None and today(now) < first:
        raise Refused("arrival_not_begun", begins=first)
