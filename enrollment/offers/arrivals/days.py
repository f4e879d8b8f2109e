"""The days of arrival: when they begin, until when a child is expected, and the year in which children arrive now."""

import datetime as dt

from sqlalchemy.orm import Session

from enrollment.ground.city_time import CHENGDU, today
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import Offer
from enrollment.season import seasons
from enrollment.season.calendar import SeasonDate

AFTER_THE_ANSWER = dt.timedelta(days=3)
"""A child that is offered a place late is expected until three days after its answer was due."""


def begins_at(session: Session, year: int) -> dt.datetime | None:
    """When the arrival days of the year begin; None if the calendar does not have them."""
    step = session.get(SeasonDate, (year, "arrival"))
    return step.begins_at if step else None


def first_day(session: Session, year: int) -> dt.date | None:
    """The first day on which children arrive, from its first hour on."""
    begins = begins_at(session, year)
    return begins.astimezone(CHENGDU).date() if begins is not None else None


def ends_at(session: Session, year: int) -> dt.datetime | None:
    """When the arrival days of the year end; None if the calendar does not have them."""
    step = session.get(SeasonDate, (year, "arrival"))
    return step.ends_at if step else None


def due_at(session: Session, offer: Offer) -> dt.datetime:
    """Until when the child of this offer is expected."""
    after_its_answer = offer.answer_by + AFTER_THE_ANSWER
    last_day = ends_at(session, offer.year)
    return max(last_day, after_its_answer) if last_day else after_its_answer


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
