"""Offers 录取: at most one live offer for a child over all rounds of a season, and never more offers than places.

After arrival an offer stays `arrived`: it records where the child entered, its notice stays valid, and the place stays
taken.  The next season makes a new offer, so the limit of one applies to a child and a season.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from enrollment.applications import units
from enrollment.applications.applications import Application
from enrollment.applications.bonds import bond_rules
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers import irrevocable_acts
from enrollment.offers.deadline_pauses import extend_after_pauses
from enrollment.offers.joint_decision_rows import DecisionKind
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import (
    ANSWERABLE,
    EXPECTED,
    LIVE,
    OFFERS,
    STATES,
    CentralProposal,
    Offer,
    OfferMove,
    OfferState,
)
from enrollment.people.children import is_guardian_of

__all__ = ["ANSWERABLE", "EXPECTED", "LIVE", "STATES", "CentralProposal", "Offer", "OfferMove", "OfferState"]


def own(session: Session, offer_id: uuid.UUID, event: BondEvent, *, by: Actor) -> list[Offer]:
    """The family's offer, and the offers of children bound to this one at the same kindergarten, answered together.

    A guardian answers only for the children in his or her care.  The offer of `offer_id` is first.  All are locked, after
    their applications.  NotFound for another family's offer; refuses `on_hold` while one of these children is in dispute.
    """
    asked = session.get(Offer, offer_id)
    require_oneself(by)
    if asked is None or not is_guardian_of(session, asked.child_id, by=by):
        raise NotFound
    ids = [member.id for member in _who_answers(session, asked, event, by=by)]
    lock = select(Application).where(Application.id.in_(ids)).order_by(Application.id).with_for_update(key_share=True)
    session.execute(lock.execution_options(populate_existing=True)).all()
    members = [member for member in _who_answers(session, asked, event, by=by) if member.id in ids]
    found = select(Offer).where(or_(Offer.id == offer_id, _same_place(asked, members))).order_by(Offer.id)
    locked = session.scalars(found.with_for_update().execution_options(populate_existing=True)).all()
    answered = {offer.application_id for offer in locked}
    if any(member.on_hold for member in members if member.id in answered):
        raise Refused("on_hold")
    return sorted(locked, key=lambda offer: offer.id != offer_id)


def _who_answers(session: Session, offer: Offer, event: BondEvent, *, by: Actor) -> list[Application]:
    """The child of the offer and the children bound to it that are in this person's care, by id."""
    application = session.get_one(Application, offer.application_id)
    return units.in_care(session, bond_rules.concerned(session, application, event), by=by)


def _same_place(offer: Offer, members: Sequence[Application]) -> ColumnElement[bool]:
    """The offers of these children at the same kindergarten that can be answered."""
    return and_(
        Offer.application_id.in_([member.id for member in members]),
        Offer.programme_id == offer.programme_id,
        Offer.state.in_(ANSWERABLE),
    )


def answered_with(session: Session, offer: Offer, *, by: Actor) -> dict[Application, Offer]:
    """The other children to whom this person's answer to the offer also applies, with their offers, by id."""
    members = _who_answers(session, offer, BondEvent.CONFIRM, by=by)
    found = {each.application_id: each for each in _at_the_same_place(session, offer, members)}
    others = [member for member in members if member.id in found and member.id != offer.application_id]
    return {member: found[member.id] for member in others}


def _at_the_same_place(session: Session, offer: Offer, members: Sequence[Application]) -> Sequence[Offer]:
    """The offers of `_same_place`, as they were read ahead or from their table."""
    read = [OFFERS.ahead(session, member.id) for member in members]
    if any(known is None for known in read):
        return session.scalars(select(Offer).where(_same_place(offer, members))).all()
    mine = (each for known in read for each in known or ())
    return [each for each in mine if each.programme_id == offer.programme_id and each.state in ANSWERABLE]


def confirm(session: Session, offer_id: uuid.UUID, *, wait: bool, by: Actor, now: dt.datetime) -> Offer:
    """Accept the place, finally or (`wait`) until a place at a better wish is free.

    The answer may be changed until it is due; the family can stop waiting at any time.  A waiting joint decision is taken
    back if the actor proposed it; if another guardian proposed it, this counts as an objection.
    Refuses `offer_is_over`, `answer_too_late`, and `nothing_to_wait_for` on a first wish.
    """
    offers = own(session, offer_id, BondEvent.CONFIRM, by=by)
    extend_after_pauses(session, now=now, offer_id=offer_id)
    offer = offers[0]
    if offer.state not in ANSWERABLE:
        raise Refused("offer_is_over", state=offer.state)
    stops_waiting = offer.state == OfferState.CONFIRMED_WAITING and not wait
    if now >= offer.answer_by and not stops_waiting:
        raise Refused("answer_too_late", due=offer.answer_by)
    if wait and offer.rank in (None, 1):
        raise Refused("nothing_to_wait_for")
    move = "confirm_and_wait" if wait else "confirm"
    answered = [each for each in offers if each.state in OFFER_MOVES[move].from_]
    irrevocable_acts.answer(session, move, answered, by=by, now=now)
    irrevocable_acts.stop(session, [each.application_id for each in offers], by=by, now=now)
    return offer


def decline(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Offer:
    """Give up the place, for bound children together.  It goes to the next in line, and the child no longer waits in this
    round.  With several guardians the act waits for the others (`irrevocable_acts`).

    Refuses `offer_is_over`, `decision_waits` while a withdrawal waits.
    """
    offers = own(session, offer_id, BondEvent.DECLINE, by=by)
    if offers[0].state not in ANSWERABLE:
        raise Refused("offer_is_over", state=offers[0].state)
    given_up = {each.application_id: each.id for each in offers if each.state in ANSWERABLE}
    irrevocable_acts.decide(session, DecisionKind.DECLINE, given_up, by=by, now=now)
    return offers[0]
