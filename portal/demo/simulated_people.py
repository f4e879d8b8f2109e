"""What the simulated people of the demo city do when its clock moves: clerks review, families answer their offers.

They use the same service functions as real people.  Their accounts are the demo's own; a real kindergarten has no such clerk.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Collection

import numpy as np
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from enrollment.applications import register_answers
from enrollment.applications.application_rows import Application, Stage, guardians_account
from enrollment.applications.register_answers import Answer
from enrollment.applications.returned_items import RefusalProposal
from enrollment.eligibility import register_questions
from enrollment.ground.accounts import Account, Actor, actor_of
from enrollment.offers import offers
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.review import review

Progress = Callable[[int, int], None]
BATCH = 500
DIFFERS, UNKNOWN = 0.03, 0.02
"""Rates of different and of missing answers of a register; all others match."""

DECLINED, WAITING, SILENT = 0.05, 0.09, 0.03
"""Rates of families that decline, confirm and wait for a better wish, or do not answer; all others confirm."""


def ask_registers(
    session: Session, random: np.random.Generator, application_ids: Collection[uuid.UUID], now: dt.datetime
) -> None:
    """Let the stand-in registers answer about these applications."""
    found = []
    for question in register_questions.questions_about(session, application_ids):
        luck = random.random()
        if question.fact == register_answers.VACCINATION:
            found.append(Answer(question.application_id, question.fact, question.register, "matches", True))
        elif luck < DIFFERS and question.fact not in ("born", "hukou_area", "home_area"):
            found.append(Answer(question.application_id, question.fact, question.register, "differs", None))
        elif luck < DIFFERS + UNKNOWN:
            found.append(Answer(question.application_id, question.fact, question.register, "unknown"))
        else:
            found.append(Answer(question.application_id, question.fact, question.register, "matches", question.claimed))
    register_answers.note(session, found, now=now)


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
    """Let the families of the next offers after an id answer, except the accounts in `leave`; how many, and the last id."""
    waiting = select(Offer, guardians_account()).join(Application, Application.id == Offer.application_id)
    waiting = waiting.where(Offer.state == OfferState.OFFERED, guardians_account().not_in(leave))
    if after is not None:
        waiting = waiting.where(Offer.id > after)
    rows = session.execute(waiting.order_by(Offer.id).limit(limit)).all()
    for offer, account_id in rows:
        luck = random.random()
        if offer.state != OfferState.OFFERED:
            continue  # bound children answer together: the sibling before it has answered
        family = actor_of(session.get_one(Account, account_id))
        if luck < DECLINED:
            offers.decline(session, offer.id, by=family, now=now)
        elif luck < DECLINED + WAITING and (offer.rank or 1) > 1:
            offers.confirm(session, offer.id, wait=True, by=family, now=now)
        elif luck < 1 - SILENT:
            offers.confirm(session, offer.id, wait=False, by=family, now=now)
    return len(rows), rows[-1].Offer.id if rows else None
