"""The families on whose applications a policy is tried before two people sign it."""

import uuid

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application, Wish
from enrollment.draw import participants
from enrollment.draw.participants import FactBasis
from enrollment.eligibility import kindergarten_facts
from enrollment.ground.errors import NotFound
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import ServiceAreaIndex
from enrollment.season.facts import home_of
from enrollment.season.policy_comparison import ComparedApplication
from enrollment.season.policy_rows import Policy

LAST_YEARS = (0, 1)


def year_to_try(session: Session, year: int, area: str) -> int | None:
    """The year whose applications are used for a trial: this one, else the last one; None without any."""
    for back in LAST_YEARS:
        if session.scalar(_wishing(year - back, area).limit(1)) is not None:
            return year - back
    return None


def cases(session: Session, year: int, area: str) -> list[ComparedApplication]:
    """Each handed-in application with a wish in this area, as rules see it, by registration code.

    Facts count as far as they are likely: before the review a trial would otherwise show nothing at all.
    """
    applications = select(Application.id, Application.registration_code).where(
        Application.id.in_(_wishing(year, area)), Application.registration_code.is_not(None)
    )
    codes = dict(session.execute(applications.order_by(Application.registration_code)).all())
    wishes = participants.wishes_of(session, Wish.application_id.in_(_wishing(year, area)))
    offered = select(Programme.id, Programme.kindergarten_id).where(Programme.year == year)
    kindergarten_of = dict(session.execute(offered).all())
    areas, seen = ServiceAreaIndex(session, year), kindergarten_facts.kindergartens(session)
    found = []
    for application_id, facts in participants.facts_of(session, list(codes), FactBasis.LIKELY):
        serving = areas.serving(home_of(facts))
        wished = dict.fromkeys(kindergarten_of[each] for each in wishes[application_id])
        found.append(
            ComparedApplication(
                codes[application_id] or "", facts, tuple((seen[each], each in serving) for each in wished)
            )
        )
    return found


def cases_for(session: Session, policy_id: uuid.UUID) -> list[ComparedApplication]:
    """The cases for a trial of this version: those of its year, else of the year before, else none."""
    made = session.get(Policy, policy_id)
    if made is None:
        raise NotFound(policy_id)
    year = year_to_try(session, made.year, made.area_code)
    return cases(session, year, made.area_code) if year else []


def _wishing(year: int, area: str) -> Select[uuid.UUID]:
    """The applications of the year that were handed in and have a wish in the area, in whichever round."""
    here = Programme.kindergarten.has(Kindergarten.area_code == area)
    return participants.applications_query(year, participants.HANDED_IN).where(
        Application.wishes.any(Wish.programme.has(here))
    )
