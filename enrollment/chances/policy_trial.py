"""The families on whom a policy is tried before two people sign it."""

import uuid
from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.eligibility import kindergarten_facts, tiers
from enrollment.ground.errors import NotFound
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import Lookup
from enrollment.season.facts import home_of
from enrollment.season.policy_comparison import Case
from enrollment.season.policy_rows import Policy

BATCH = 2000
LAST_YEARS = (0, 1)


class _City:
    """What is read once for all families."""

    def __init__(self, session: Session, year: int):
        self.lookup = Lookup(session, year)
        self.seen = kindergarten_facts.kindergartens(session)


def year_to_try(session: Session, year: int, area: str) -> int | None:
    """The year whose families are there to try rules on: this one, else last year; None without any."""
    for back in LAST_YEARS:
        if session.scalar(_wishing(year - back, area).limit(1)) is not None:
            return year - back
    return None


def cases(session: Session, year: int, area: str) -> list[Case]:
    """Each handed-in application with a wish in this area, as rules see it.

    Facts as `tiers.likely_facts_of` gives them: before the review a trial would otherwise show nothing at all.
    """
    ids = list(session.scalars(_wishing(year, area)))
    city = _City(session, year)
    return [case for start in range(0, len(ids), BATCH) for case in _batch(session, ids[start : start + BATCH], city)]


def cases_for(session: Session, policy_id: uuid.UUID) -> list[Case]:
    """The families to try this version on: the year's own, else last year's, else none."""
    made = session.get(Policy, policy_id)
    if made is None:
        raise NotFound(policy_id)
    year = year_to_try(session, made.year, made.area_code)
    return cases(session, year, made.area_code) if year else []


def _wishing(year: int, area: str):
    return (
        select(Application.id)
        .where(
            Application.year == year,
            Application.stage.in_(HANDED_IN),
            Application.registration_code.is_not(None),
            Application.wishes.any(Wish.programme.has(Programme.kindergarten.has(Kindergarten.area_code == area))),
        )
        .order_by(Application.id)
    )


def _batch(session: Session, ids: list[uuid.UUID], city: _City) -> Iterator[Case]:
    facts = tiers.likely_facts_of(session, ids)
    wishes = _wishes_of(session, ids)
    codes = select(Application.id, Application.registration_code).where(Application.id.in_(ids))
    for application_id, code in session.execute(codes.order_by(Application.registration_code)):
        known = facts.get(application_id, {})
        serving = city.lookup.serving(home_of(known))
        wished = tuple((city.seen[place], place in serving) for place in wishes.get(application_id, ()))
        yield Case(code or "", known, wished)


def _wishes_of(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """The kindergartens that each application wishes for, once each, over all its rounds."""
    found = (
        select(Wish.application_id, Programme.kindergarten_id)
        .join(Programme, Programme.id == Wish.programme_id)
        .where(Wish.application_id.in_(list(ids)))
        .order_by(Wish.application_id, Wish.round_id, Wish.rank)
    )
    wishes: dict[uuid.UUID, dict[uuid.UUID, None]] = {}
    for application_id, kindergarten_id in session.execute(found):
        wishes.setdefault(application_id, {})[kindergarten_id] = None
    return {application_id: list(places) for application_id, places in wishes.items()}
