"""What the simulated people of the demo city do when its clock moves: clerks review, families answer their offers.

They use the same service functions as real people.  Their accounts are the demo's own; a real kindergarten has no such clerk.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Collection

import numpy as np
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications import register_answers
from enrollment.applications.application_rows import Application, Stage, guardians_account
from enrollment.applications.elder_siblings import ElderSibling
from enrollment.applications.register_answers import Answer, RegisterAnswer
from enrollment.applications.returned_items import RefusalProposal, ReturnPhrase
from enrollment.eligibility import register_questions
from enrollment.ground.accounts import Account, Actor, actor_of
from enrollment.offers import offers
from enrollment.offers.deadline_pauses import extend_after_pauses
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.people.person_rows import Guardian
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_rows import RollChild, RollClass
from enrollment.review import review
from enrollment.review.review import Ask
from enrollment.review.scope import registration_over
from portal.demo import people
from portal.demo.offers import answer_rows
from portal.demo.offers.answer_rows import FamilyAnswer
from portal.gateways.registers import Registers

Progress = Callable[[int, int], None]
BATCH = 500

DECLINED, WAITING, SILENT = 0.04, 0.09, 0.02
"""Rates of families that decline, confirm and wait for a better wish, or do not answer; all others confirm."""


def ask_registers(
    session: Session, registers: Registers, application_ids: Collection[uuid.UUID], now: dt.datetime
) -> None:
    """Ask the registers about these applications; the roll is the city's own."""
    questions = register_questions.questions_about(session, application_ids)
    elders = _elders_on_roll(session, application_ids)
    found = registers.ask(one for one in questions if one.register != "roll")
    for question in questions:
        if question.register == "roll":
            value = elders.get(question.application_id)
            answer = "unknown" if value is None else "matches" if value == question.claimed else "differs"
            found.append(Answer(question.application_id, question.fact, question.register, answer, value))
    register_answers.note(session, found, now=now)


def _elders_on_roll(session: Session, application_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The kindergarten of the elder sibling that each family names: what `roll_register` answers, in one query."""
    rows = session.execute(
        select(ElderSibling.application_id, Kindergarten.code)
        .join(RollChild, RollChild.id_index == ElderSibling.id_index)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(ElderSibling.application_id.in_(application_ids), RollChild.left_on.is_(None))
    )
    return {row.application_id: row.code for row in rows}


def send_some_back(session: Session, number: int, *, by: Actor, now: dt.datetime) -> None:
    """Send applications back to families whom a register contradicts, and who do not answer in time; `number` at most."""
    of_desks = select(Guardian.account_id).join(Account).where(Account.phone_index.in_(people.phone_indices()))
    waiting = (
        select(Application.id, func.min(RegisterAnswer.fact))
        .join(RegisterAnswer, RegisterAnswer.application_id == Application.id)
        .where(
            Application.stage == Stage.SUBMITTED, RegisterAnswer.answer == "differs", Application.unit.is_(None),
            registration_over(now), guardians_account().not_in(of_desks),
        )
        .group_by(Application.id)
        .order_by(Application.id)
        .limit(number)
    )  # fmt: skip
    for application_id, fact in session.execute(waiting).all():
        review.take(session, application_id, by=by, now=now)
        review.send_back(session, application_id, [Ask(fact, phrase=ReturnPhrase.CHECK_ENTRY)], by=by, now=now)


def release_idle_reviews(session: Session, *, by: Actor, now: dt.datetime) -> None:
    """Put reviews that were taken more than a day ago back into the queue, except proposed refusals."""
    proposed = exists().where(RefusalProposal.application_id == Application.id, RefusalProposal.decided_at.is_(None))
    lying = select(Application.id).where(
        Application.stage == Stage.IN_REVIEW, Application.taken_at < now - dt.timedelta(days=1), ~proposed
    )
    for application_id in session.scalars(lying).all():
        review.release(session, application_id, by=by, now=now)


def answer_offers(
    session: Session,
    random: np.random.Generator,
    *,
    now: dt.datetime,
    after: uuid.UUID | None,
    leave: frozenset[uuid.UUID],
    limit: int = BATCH,
) -> tuple[int, uuid.UUID | None]:
    """Let the families of the next offers after an id answer, except the accounts in `leave`; how many, and the last id.

    Who answers alone for one child does so in bulk rows (`answer_rows`); the others use the service functions.
    """
    alone = answer_rows.answers_alone().label("alone")
    waiting = select(Offer, guardians_account().label("account"), alone)
    waiting = waiting.join(Application, Application.id == Offer.application_id)
    waiting = waiting.where(
        Offer.state == OfferState.OFFERED, Offer.answer_by > now, Application.on_hold.is_(False),
        guardians_account().not_in(leave),
    )  # fmt: skip
    held = aliased(Application)  # bound children answer together, so a dispute about one stops all
    waiting = waiting.where(~select(held.id).where(held.unit == Application.unit, held.on_hold).exists())
    if after is not None:
        waiting = waiting.where(Offer.id > after)
    extend_after_pauses(session, now=now)
    rows = session.execute(waiting.order_by(Offer.id).limit(limit)).all()
    with_phone = _with_phone(session, [row.account for row in rows])
    in_bulk = []
    for offer, account_id, alone_ in rows:
        luck = random.random()
        if offer.state != OfferState.OFFERED:
            continue  # bound children answer together: the sibling before it has answered
        # no message reaches a family without a phone: a desk has to contact it, and then it answers there
        move = _answer(luck, offer, silent=luck >= 1 - SILENT and account_id in with_phone)
        if move is None:
            continue
        if alone_:
            in_bulk.append(FamilyAnswer(offer.id, offer.application_id, offer.child_id, account_id, move))
        else:
            _answer_by_oneself(session, offer, move, actor_of(session.get_one(Account, account_id)), now)
    answer_rows.write(session, in_bulk, now=now)
    return len(rows), rows[-1].Offer.id if rows else None


def _with_phone(session: Session, account_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    return set(session.scalars(select(Account.id).where(Account.id.in_(account_ids), Account.phone_index.is_not(None))))


def _answer(luck: float, offer: Offer, *, silent: bool) -> str | None:
    """The move of a family's answer; None if it gives none."""
    if luck < DECLINED:
        return "decline"
    if luck < DECLINED + WAITING and (offer.rank or 1) > 1:
        return "confirm_and_wait"
    return None if silent else "confirm"


def _answer_by_oneself(session: Session, offer: Offer, move: str, family: Actor, now: dt.datetime) -> None:
    if move == "decline":
        offers.decline(session, offer.id, by=family, now=now)
    else:
        offers.confirm(session, offer.id, wait=move == "confirm_and_wait", by=family, now=now)
