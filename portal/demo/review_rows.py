"""Bulk rows of reviews, equal to those that the service functions write.

Applications that match the registers are confirmed in bulk; for the others a clerk checked the documents.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.applications.applications import Application, Stage
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.applications.notifications import notify_guardians
from enrollment.applications.register_answers import RegisterAnswer, is_current
from enrollment.applications.registers.comparison import matched
from enrollment.eligibility.tiers import claimed_facts_of
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import copy_rows
from enrollment.ground.sealed.codes import token_of
from enrollment.review import findings
from enrollment.review.findings import Found, facts_on_paper
from enrollment.review.queue import bulk_confirmation
from enrollment.review.scope import registration_over

AT_ONCE = 4000
CONTRADICTED = "与登记数据不一致，材料未能说明（模拟数据）"


def review_batch(session: Session, *, by: Actor, now: dt.datetime) -> int:
    """Review the next applications that wait; how many, 0 when none is left."""
    waiting = select(Application.id, matched()).where(Application.stage == Stage.SUBMITTED, registration_over(now))
    first = waiting.order_by(Application.submitted_at, Application.id).limit(AT_ONCE)
    agreed = dict(session.execute(first.with_for_update(of=Application, key_share=True, skip_locked=True)).all())
    if not agreed:
        return 0
    bulk_confirmation.note_matches(session, [one for one, agrees in agreed.items() if agrees], by=by, now=now)
    _verify_documents(session, [one for one, agrees in agreed.items() if not agrees], by=by, now=now)
    lifecycle.make_many(session, agreed, "take", by=by, now=now, reviewer_id=by.account_id, taken_at=now, opened_at=now)
    lifecycle.make_many(session, agreed, "confirm", by=by, now=now)
    notify_guardians(session, "review_confirmed", agreed, now=now, by=by)
    return len(agreed)


def _verify_documents(session: Session, ids: Collection[uuid.UUID], *, by: Actor, now: dt.datetime) -> None:
    """Replace the verified facts of the applications."""
    found = list(_found(session, ids))
    session.execute(delete(VerifiedFact).where(VerifiedFact.application_id.in_(ids)))
    findings.store_many(session, found, by=by, now=now)
    said = (
        (
            now,
            by.account_id,
            "verify",
            "application",
            str(each.application_id),
            {"fact": token_of(each.fact), "outcome": each.outcome, "source": each.source},
        )
        for each in found
    )
    copy_rows(session, "audit_entry", audit.COPIED, said)


def _found(session: Session, ids: Collection[uuid.UUID]) -> Iterator[Found]:
    """Verify facts by documents: facts that a register contradicts are declined, all others are confirmed.

    A fact without a register and without a page is a decision of the staff.
    """
    answers = (
        select(RegisterAnswer.application_id, RegisterAnswer.fact, RegisterAnswer.answer)
        .join(Application, Application.id == RegisterAnswer.application_id)
        .where(Application.id.in_(ids), is_current())
    )
    said = {(row.application_id, row.fact): row.answer for row in session.execute(answers)}
    on_paper = facts_on_paper(session, ids)
    for id_, facts in claimed_facts_of(session, ids).items():
        for fact, value in facts.items():
            answer = said.get((id_, fact.value))
            if answer == "differs":
                yield Found(id_, fact.value, None, source="register", reason=CONTRADICTED)
            else:
                source = "paper" if (id_, fact) in on_paper else "staff"
                yield Found(id_, fact.value, value, source="register" if answer == "matches" else source)
