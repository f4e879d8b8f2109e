"""How long a family has to complete what a clerk sent back: as long as the clerk chose, else until the review ends; at least the
hours of the policy.

No list is frozen before: the last moment that a family reads is true.  Afterwards the application takes part with what was
verified.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.returned_items import RETURNED_ITEMS
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import calendar, policy_approval, seasons
from enrollment.season.rules import RETURN_HOURS


def answer_until(session: Session, application: Application, *, returned_at: dt.datetime) -> dt.datetime:
    """The last moment to answer a return of this time: the one that the clerk chose, else that of the policy and the review."""
    chosen = [each.answer_by for each in RETURNED_ITEMS.of(session, application.id) if each.asked_at == returned_at]
    if chosen and (latest := max((each for each in chosen if each is not None), default=None)) is not None:
        return latest
    area = session.scalar(select(Kindergarten.area_code).where(Kindergarten.id == application.review_kindergarten_id))
    least = returned_at + dt.timedelta(hours=_hours(session, application.year, area))
    ends = review_ends(session, application.year)
    return least if ends is None else max(least, ends)


def review_ends(session: Session, year: int) -> dt.datetime | None:
    """The end of the step `review` of the calendar; None without a calendar."""
    season = seasons.of_year(session, year)
    return calendar.spans(season)["review"][1] if season is not None else None


def latest_answer(
    session: Session, year: int, returned: list[tuple[str | None, dt.datetime, dt.datetime | None]]
) -> dt.datetime | None:
    """The last of the moments to answer; None without a return.

    A return is the area of the reviewing kindergarten, its time, and the last moment that the clerk chose, if one was chosen.
    """
    hours = {
        area: least_time(session, year, area) for area in {area for area, _at, chosen in returned if chosen is None}
    }
    ends = review_ends(session, year)
    default = [
        at + hours[area] if ends is None else max(at + hours[area], ends)
        for area, at, chosen in returned
        if chosen is None
    ]
    return max([*default, *(chosen for _area, _at, chosen in returned if chosen is not None)], default=None)


def least_time(session: Session, year: int, area: str | None) -> dt.timedelta:
    """What a family of this area has at least."""
    return dt.timedelta(hours=_hours(session, year, area))


def _hours(session: Session, year: int, area: str | None) -> int:
    policy = policy_approval.policy_in_force(session, year, area) if area else None
    return policy_approval.rules_of(policy).return_hours if policy else RETURN_HOURS
