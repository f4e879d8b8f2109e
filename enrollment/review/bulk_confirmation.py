"""Bulk confirmation of the applications for which the registers match every claimed fact."""

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.applications.applications import Application, Stage
from enrollment.applications.notifications import notify_guardians
from enrollment.applications.register_answers import RegisterAnswer
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.tiers import claimed_facts_of
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.review import review
from enrollment.review.review_queue import matched

MOST_AT_ONCE = 500


def confirm_matched(
    session: Session,
    kindergarten_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    application_ids: Collection[uuid.UUID] | None = None,
    limit: int = MOST_AT_ONCE,
) -> int:
    """Confirm the waiting applications of a kindergarten for which a register matches every claimed fact.

    Each fact is stored as verified with the claimed value and its register as the source.  An application stays for a
    clerk if a clerk has taken it, if a register contradicts, does not know or could not answer a fact, or if an answer
    is disputed.  With `application_ids` only these are confirmed.  Returns how many.  Refuses `review_not_open`.
    """
    if not (session.scalar(_waiting(kindergarten_id, by).limit(1)) is None or _open(session, kindergarten_id, by, now)):
        raise Refused("review_not_open")
    found = _waiting(kindergarten_id, by).where(matched())
    if not review.opens_early(session, kindergarten_id, now=now):
        found = found.where(review.registration_over(now))
    if application_ids is not None:
        found = found.where(Application.id.in_(application_ids))
    first = found.order_by(Application.submitted_at).limit(limit)
    ids = list(session.scalars(first.with_for_update(of=Application, skip_locked=True)))
    if not ids:
        return 0
    note_matches(session, ids, by=by, now=now)
    lifecycle.make_many(session, ids, "take", by=by, now=now, reviewer_id=by.account_id, taken_at=now)
    lifecycle.make_many(session, ids, "confirm", by=by, now=now)
    notify_guardians(session, "review_confirmed", ids, now=now, by=by)
    return len(ids)


def _waiting(kindergarten_id: uuid.UUID, by: Actor):
    return select(Application.id).where(
        Application.review_kindergarten_id == kindergarten_id,
        Application.stage == Stage.SUBMITTED,
        review.within(by),
    )


def _open(session: Session, kindergarten_id: uuid.UUID, by: Actor, now: dt.datetime) -> bool:
    over = _waiting(kindergarten_id, by).where(review.registration_over(now)).limit(1)
    return session.scalar(over) is not None or review.opens_early(session, kindergarten_id, now=now)


def note_matches(session: Session, ids: Collection[uuid.UUID], *, by: Actor, now: dt.datetime) -> None:
    """Verify each claimed fact that a register matches, except facts that already have a clerk's finding."""
    answers = select(RegisterAnswer.application_id, RegisterAnswer.fact, RegisterAnswer.register).where(
        RegisterAnswer.application_id.in_(ids), RegisterAnswer.answer == "matches"
    )
    register = {(row.application_id, row.fact): row.register for row in session.execute(answers)}
    settled = select(VerifiedFact.application_id, VerifiedFact.fact).where(VerifiedFact.application_id.in_(ids))
    known = {(row.application_id, row.fact) for row in session.execute(settled)}
    rows = [
        {
            "application_id": application_id,
            "fact": fact.value,
            "outcome": "verified",
            "value": value,
            "source": "roll" if register[application_id, fact.value] == "roll" else "register",
            "account_id": by.account_id,
            "at": now,
        }
        for application_id, facts in claimed_facts_of(session, ids).items()
        for fact, value in facts.items()
        if (application_id, fact.value) in register and (application_id, fact.value) not in known
    ]
    if rows:
        session.execute(insert(VerifiedFact), rows)
    audit.record_many(session, "verify", "application", {one: {"by": "registers"} for one in ids}, by=by, now=now)
