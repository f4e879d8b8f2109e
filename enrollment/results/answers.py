"""A family's answers to offers: the receipt of each, and why an answer is not possible any more."""

import datetime as dt
import hashlib
import json
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound
from enrollment.offers import joint_decisions, offers
from enrollment.offers.joint_decision_rows import DecisionKind
from enrollment.offers.offer_rows import ANSWERABLE, OFFER_MOVES, OFFERS, Offer, OfferMove, OfferState
from enrollment.people.children import relation_of
from enrollment.places.programmes import Programme
from enrollment.results.family_results import FamilyResult

MOVE_OF_ANSWER = {"confirm": "confirm", "wait": "confirm_and_wait", "decline": "decline"}
"""What a family may answer, and the move of the offer."""

RECEIPTED = (*MOVE_OF_ANSWER.values(), "take_back")
"""The moves of which a family has a receipt."""


@dataclass(frozen=True)
class AnswerReceipt:
    """`number` counts the answers of an application from 1.  `who` is a code for the reader: `you`, or
    the relation to the child, which `relation` always is."""

    registration_code: str
    number: int
    move: str
    at: dt.datetime
    who: str
    relation: str
    programme: Programme
    digest: str

    @property
    def code(self) -> str:
        return f"{self.registration_code}-{self.number}"


def receipts(session: Session, application: Application, *, by: Actor) -> list[AnswerReceipt]:
    """The receipts of all answers of an application that the caller has looked up in the reader's scope, oldest first."""
    rows = _moves_ahead(session, application.id)
    if rows is None:
        rows = _moves(session, application.id)
    return [_receipt(session, application, number, *row, by=by) for number, row in enumerate(rows, start=1)]


def _moves_ahead(session: Session, application_id: uuid.UUID) -> list[tuple[OfferMove, Programme]] | None:
    """The moves of which the family has a receipt, as they were read ahead; None if they were not."""
    offers_ahead = OFFERS.ahead(session, application_id)
    if offers_ahead is None:
        return None
    found = []
    for offer in offers_ahead:
        moves = OFFER_MOVES.ahead(session, offer.id)
        if moves is None:
            return None
        programme = session.get_one(Programme, offer.programme_id)
        found += [(each, programme) for each in moves if each.move in RECEIPTED]
    return sorted(found, key=lambda row: row[0].number)


def _moves(session: Session, application_id: uuid.UUID) -> list[tuple[OfferMove, Programme]]:
    found = (
        select(OfferMove, Programme)
        .join(Offer, Offer.id == OfferMove.offer_id)
        .join(Programme, Programme.id == Offer.programme_id)
        .where(Offer.application_id == application_id, OfferMove.move.in_(RECEIPTED))
        .order_by(OfferMove.number)
    )
    return [(move, programme) for move, programme in session.execute(found)]


def receipt(session: Session, application: Application, number: int, *, by: Actor) -> AnswerReceipt:
    """One receipt.  NotFound for a number that there is not."""
    for each in receipts(session, application, by=by):
        if each.number == number:
            return each
    raise NotFound("receipt")


def _receipt(
    session: Session, application: Application, number: int, move: OfferMove, programme: Programme, *, by: Actor
) -> AnswerReceipt:
    code = application.registration_code or ""
    content = [code, number, move.move, move.at.astimezone(dt.UTC).isoformat(), programme.code, programme.year]
    return AnswerReceipt(
        registration_code=code,
        number=number,
        move=move.move or "",
        at=move.at,
        who=who(session, application.child_id, move.account_id, by=by),
        relation=relation_of(session, application.child_id, move.account_id) or "other",
        programme=programme,
        digest=hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest(),
    )


def who(session: Session, child_id: uuid.UUID, account_id: uuid.UUID | None, *, by: Actor) -> str:
    """The code of a guardian for this reader: `you`, its relation to the child, or `other`."""
    if account_id == by.account_id:
        return "you"
    return relation_of(session, child_id, account_id) or "other"


def gave_up_by(session: Session, result: FamilyResult, *, by: Actor) -> str | None:
    """Which guardian gave the newest place up, a code for the reader (`who`); None if nobody did."""
    if result.offer is None or result.offer.state != OfferState.DECLINED:
        return None
    declines = [each for each in OFFER_MOVES.of(session, result.offer.id) if each.move == "decline"]
    newest = max(declines, key=lambda each: each.number, default=None)
    return who(session, result.application.child_id, newest.account_id if newest else None, by=by)


def is_held(session: Session, result: FamilyResult, *, by: Actor) -> bool:
    """Whether a dispute about the child, or about one that is answered together with it, stops the family's answer."""
    together = offers.answered_with(session, result.offer, by=by) if result.offer else {}
    return any(each.on_hold for each in (result.application, *together))


def closed_reason(
    session: Session, result: FamilyResult, answer: str, seen: str | None, *, by: Actor, now: dt.datetime
) -> str | None:
    """Why the family cannot give this answer now, a code; None where it can.

    `seen` is what the page showed when the reader opened it (`joint_decisions.state_seen`); None for a page that is opened now.
    """
    offer = result.offer
    if offer is None:
        return "changed"
    if offer.state not in ANSWERABLE:
        return offer.state
    if is_held(session, result, by=by):
        return "on_hold"
    waiting = joint_decisions.waiting_for(session, result.application.id)
    if answer == "decline":
        if waiting is not None:
            return "waiting_decision" if waiting.kind == DecisionKind.DECLINE else "changed"
    elif offer.state == {"confirm": OfferState.CONFIRMED, "wait": OfferState.CONFIRMED_WAITING}[answer] and not waiting:
        return offer.state
    elif now >= offer.answer_by and not (answer == "confirm" and offer.state == OfferState.CONFIRMED_WAITING):
        return "too_late"
    elif answer == "wait" and not result.may_wait:
        return "nothing_to_wait_for"
    return "changed" if seen is not None and seen != joint_decisions.state_seen(session, offer) else None
