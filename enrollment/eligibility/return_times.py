"""How long a family has to complete what a clerk sent back: until the review ends, but at least the hours of the policy.

No list is frozen before: the last moment that a family reads is true.  Afterwards the application takes part with what was
verified.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Stage
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import calendar, policy_approval, seasons
from enrollment.season.rules import RETURN_HOURS


def answer_until(session: Session, application: Application, *, returned_at: dt.datetime) -> dt.datetime:
    """The last moment to answer a return of this time."""
    area = session.scalar(select(Kindergarten.area_code).where(Kindergarten.id == application.review_kindergarten_id))
    return _answer_times(session, application.year, [(area, returned_at)])[0]


def open_returns(session: Session, year: int) -> list[tuple[Application, dt.datetime]]:
    """The returned applications of the year that a family can act on, by id, each with the last moment to answer."""
    found = (
        select(Application, Kindergarten.area_code)
        .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(
            Application.year == year,
            Application.stage == Stage.RETURNED,
            Application.on_hold.is_(False),
            Application.returned_at.is_not(None),
        )
    )
    rows = session.execute(found.order_by(Application.id)).all()
    asked = [(area, each.returned_at) for each, area in rows if each.returned_at is not None]
    return list(zip((each for each, _area in rows), _answer_times(session, year, asked), strict=True))


def review_ends(session: Session, year: int) -> dt.datetime | None:
    """The end of the step `review` of the calendar; None without a calendar."""
    season = seasons.of_year(session, year)
    return calendar.spans(season)["review"][1] if season is not None else None


def latest_answer(session: Session, year: int, returned: list[tuple[str | None, dt.datetime]]) -> dt.datetime | None:
    """The last of the moments to answer, of returns by the area of the reviewing kindergarten; None without a return."""
    return max(_answer_times(session, year, returned), default=None)


def _answer_times(session: Session, year: int, returned: list[tuple[str | None, dt.datetime]]) -> list[dt.datetime]:
    if not returned:
        return []
    hours = {area: dt.timedelta(hours=_hours(session, year, area)) for area in {area for area, _at in returned}}
    ends = review_ends(session, year)
    least = [at + hours[area] for area, at in returned]
    return least if ends is None else [max(each, ends) for each in least]


def _hours(session: Session, year: int, area: str | None) -> int:
    policy = policy_approval.policy_in_force(session, year, area) if area else None
    return policy_approval.rules_of(policy).return_hours if policy else RETURN_HOURS
