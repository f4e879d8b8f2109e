"""The list for the notice board 录取公示: registration codes only."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.ground.accounts import Actor
from enrollment.offers.offer_rows import LIVE, Offer
from enrollment.places import scope
from enrollment.places.programmes import Programme


def admitted_codes(session: Session, kindergarten_id: uuid.UUID, year: int, *, by: Actor) -> dict[str, list[str]]:
    """Registration codes of those who hold a place here, by class level."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    rows = session.execute(
        select(Programme.level, Application.registration_code)
        .join(Offer, Offer.programme_id == Programme.id)
        .join(Application, Application.id == Offer.application_id)
        .where(Programme.kindergarten_id == kindergarten.id, Programme.year == year, Offer.state.in_(LIVE))
        .order_by(Application.registration_code)
    )
    listed: dict[str, list[str]] = {}
    for level, code in rows:
        listed.setdefault(level, []).append(code or "")
    return listed
