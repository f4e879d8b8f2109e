"""What the children of the arrivals page and of a class need, for the people at the door and the teachers of the class."""

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.child_needs import answers
from enrollment.applications.child_needs.rows import ChildNeeds
from enrollment.ground.accounts import Actor
from enrollment.offers.arrivals.current_entries import offers_of
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferState
from enrollment.places.programmes import Programme

HERE = (*EXPECTED, OfferState.ARRIVED)


def of_offers(
    session: Session, offer_ids: Collection[uuid.UUID], *, by: Actor, now: dt.datetime
) -> dict[uuid.UUID, ChildNeeds]:
    """By offer: what the children need whose place at one of the actor's kindergartens is taken up."""
    found = session.execute(
        select(Offer.id, Offer.application_id)
        .join(Programme, Programme.id == Offer.programme_id)
        .where(Offer.id.in_(offer_ids), Offer.state.in_(HERE), Programme.kindergarten_id.in_(by.kindergartens))
    )
    application_of = {row.id: row.application_id for row in found}
    told = answers.read_for_care(session, set(application_of.values()), reason="arrival", by=by, now=now)
    return {offer: told[application] for offer, application in application_of.items() if application in told}


def of_roll(
    session: Session, roll_child_ids: Collection[uuid.UUID], *, by: Actor, now: dt.datetime
) -> dict[uuid.UUID, ChildNeeds]:
    """By entry of the roll: what the children of a class need who came by an offer of this portal, while they
    are in it."""
    offer_of = offers_of(session, roll_child_ids, now=now)
    told = of_offers(session, set(offer_of.values()), by=by, now=now)
    return {entry: told[offer] for entry, offer in offer_of.items() if offer in told}
