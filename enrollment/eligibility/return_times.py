"""How long a family has to complete what a clerk sent back: until the review ends, but at least the hours of the policy.

No list is frozen before: the last moment that a family reads is true.  Afterwards the application takes part with what was
verified.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import calendar, policy_approval, seasons
from enrollment.season.rules import RETURN_HOURS


def answer_until(session: Session, application: Application, *, returned_at: dt.datetime) -> dt.datetime:
    """The last moment to answer a return of this time."""
    area = session.scalar(select(Kindergarten.area_code).where(Kindergarten.id == application.review_kindergarten_id))
    least = returned_at + dt.timedelta(hours=_hours(session, application.year, area))
    ends = review_ends(session, application.year)
    return least if ends is None else max(least, ends)


def review_ends(session: Session, year: int) -> dt.datetime | None:
    """The end of the step `review` of the calendar; None without a calendar."""
    season = seasons.of_year(session, year)
    return calendar.spans(season)["review"][1] if season is not None else None


def latest_answer(session: Session, year: int, returned: list[tuple[str | None, dt.datetime]]) -> dt.datetime | None:
    """The last of the moments to answer, of returns by the area of the reviewing kindergarten; None without a return."""
    if not returned:
        return None
    hours = {area: dt.timedelta(hours=_hours(session, year, area)) for area in {area for area, _at in returned}}
    ends = review_ends(session, year)
    latest = max(at + hours[area] for area, at in returned)
    return latest if ends is None else max(latest, ends)


def _hours(session: Session, year: int, area: str | None) -> int:
    policy = policy_approval.policy_in_force(session, year, area) if area else None
    return policy_approval.rules_of(policy).return_hours if policy else RETURN_HOURS
