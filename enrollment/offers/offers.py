"""Offers 录取: at most one live offer for a child over all rounds of a season, and never more offers than places.

After arrival an offer stays `arrived`: it records where the child entered, its notice stays valid, and the place stays
taken.  The next season makes a new offer, so the limit of one applies to a child and a season.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment.applications import units
from enrollment.applications.applications import Application
from enrollment.applications.bonds import bond_rules
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import constraint_errors
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.random_codes import notice_code
from enrollment.offers import irrevocable_acts, offer_lifecycle
from enrollment.offers.deadline_pauses import extend_after_pauses
from enrollment.offers.joint_decision_rows import DecisionKind
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import (
    ANSWERABLE,
    EXPECTED,
    LIVE,
    STATES,
    CentralProposal,
    Offer,
    OfferMove,
    OfferState,
)
from enrollment.people import documents
from enrollment.people.children import is_guardian_of
from enrollment.people.person_rows import Child
from enrollment.places import roll_admission, scope
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme

__all__ = ["ANSWERABLE", "EXPECTED", "LIVE", "STATES", "CentralProposal", "Offer", "OfferMove", "OfferState"]


def make(
    session: Session,
    application: Application,
    programme_id: uuid.UUID,
    *,
    round_id: uuid.UUID,
    answer_by: dt.datetime,
    by: Actor,
    now: dt.datetime,
) -> Offer:
    """Make a single offer, as central placement does.  The offers of a run are made in `publication`."""
    offer = Offer(
        id=uuid.uuid4(), child_id=application.child_id, application_id=application.id, programme_id=programme_id,
        year=application.year, round_id=round_id, notice_code=notice_code(), made_at=now, answer_by=answer_by,
    )  # fmt: skip
    try:
        with session.begin_nested():
            offer_lifecycle.create(session, offer, "place_centrally", by=by, now=now)
    except IntegrityError as fault:
        refused = constraint_errors.refusal_of(fault)
        if refused is None:
            raise
        raise refused from fault
    return offer


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
    found = {each.application_id: each for each in session.scalars(select(Offer).where(_same_place(offer, members)))}
    others = [member for member in members if member.id in found and member.id != offer.application_id]
    return {member: found[member.id] for member in others}


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
    for each in answered:
        offer_lifecycle.make(session, each, move, by=by, now=now)
    irrevocable_acts.stop(session, [each.application_id for each in offers], by=by, now=now)
    irrevocable_acts.tell_answer(session, move, answered, by=by, now=now)
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


def _at_the_door(session: Session, offer_id: uuid.UUID, *, by: Actor) -> Offer:
    """A confirmed offer of a kindergarten where this person works, locked.  NotFound elsewhere."""
    found = (
        select(Offer)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.id == offer_id, scope.scope_condition(by))
    )
    offer = session.scalars(found.with_for_update(of=Offer).execution_options(populate_existing=True)).one_or_none()
    if offer is None:
        raise NotFound
    if offer.state not in EXPECTED:
        raise Refused("offer_not_confirmed", state=offer.state)
    return offer


def mark_arrived(
    session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime, class_name: str | None = None
) -> Offer:
    """Record that the child has arrived; with a `class_name` also add the child to the roll.

    Refuses `offer_not_confirmed`, and what the roll refuses (`on_roll_already`, `class_is_counted`).
    """
    offer = _at_the_door(session, offer_id, by=by)
    offer_lifecycle.make(session, offer, "mark_arrived", by=by, now=now)
    notify_guardians(session, "marked_arrived", [offer.application_id], now=now, by=by, event=f"arrived:{offer.id}")
    if class_name:
        child, programme = session.get_one(Child, offer.child_id), session.get_one(Programme, offer.programme_id)
        roll_admission.admit(
            session, programme.kindergarten_id, programme.level, programme.year, name=child.name,
            class_name=class_name, id_number=child.id_number, id_kind=child.id_kind, born=child.born,
            known_by=[each.person_index for each in documents.documents_of(session, child.id)], by=by, now=now,
        )  # fmt: skip
    return offer


def mark_no_show(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime, reason: str) -> Offer:
    """Record that the child did not come; the place is free for the next in line.  Refuses `offer_not_confirmed`, `say_why`."""
    offer = _at_the_door(session, offer_id, by=by)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    offer_lifecycle.make(session, offer, "mark_no_show", by=by, now=now, reason=reason.strip())
    notify_guardians(session, "marked_no_show", [offer.application_id], now=now, by=by, event=f"no_show:{offer.id}")
    return offer
