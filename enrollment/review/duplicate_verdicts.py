"""Two people decided that two entries are one child: what follows, at the desk of likely duplicates and by a correction; and
how two people take such a verdict back."""

import datetime as dt
import uuid

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from enrollment.applications import identity_documents, lifecycle, submission
from enrollment.applications.application_rows import Application
from enrollment.applications.bonds import bond_rules
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.applications.identity_documents import Union
from enrollment.applications.notifications import notify_guardians
from enrollment.applications.returned_items import RefusalProposal
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.people.duplicate_rows import DuplicateHint, Verdict
from enrollment.people.person_rows import Child
from enrollment.review.refusal_grounds import IDENTITY
from enrollment.review.scope import refuse_while_refusal_is_open


def unite(
    session: Session,
    hint: DuplicateHint,
    union: Union,
    *,
    first_by: uuid.UUID | None,
    first_at: dt.datetime | None,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Record the verdict `same` of the pair, and let one child remain.

    `union.ends` is refused as a duplicate and its family is told why; the documents go over to the child that stays.
    `first_by` and `by` are the two people.  The caller holds the locks of both families and then of the hint.  Refuses
    `refusal_is_proposed`.
    """
    hint.verdict, hint.reason = Verdict.SAME, reason
    hint.first_by, hint.first_at, hint.decided_by, hint.decided_at = first_by, first_at, by.account_id, now
    if union.ends is not None:
        _refuse(session, union.ends, hint, by=by, now=now)
    identity_documents.join_documents(session, union, own=False, by=by, now=now)
    audit.record(session, "judge_duplicate", "duplicate_hint", hint.id, by=by, now=now, verdict=Verdict.SAME)


def _refuse(session: Session, application: Application, hint: DuplicateHint, *, by: Actor, now: dt.datetime) -> None:
    """The refusal of a duplicate, from any live stage: two people have signed it with the verdict.

    A draft that was never handed in gets its registration code here: by it an official finds the refusal that was wrong.
    """
    refuse_while_refusal_is_open(session, application.id)
    if application.registration_code is None:
        application.registration_code = submission.fresh_code(session)
    bond_rules.leave(session, application, BondEvent.REFUSE, by=by, now=now)
    session.add(
        RefusalProposal(
            application_id=application.id,
            rule="duplicate",
            fact=IDENTITY,
            explanation=hint.reason,
            proposed_by=hint.first_by,
            proposed_at=hint.first_at,
            decided_by=hint.decided_by,
            decided_at=now,
            upheld=True,
        )
    )
    lifecycle.make(session, application, "refuse_duplicate", by=by, now=now, reason="duplicate")
    notify_guardians(session, "review_refused", [application.id], now=now, by=by, rule="duplicate")


def children_it_went_to(session: Session, child_id: uuid.UUID) -> list[uuid.UUID]:
    """The children of which two people said that they are this one, and that stayed."""
    hints = session.scalars(_same_as(child_id))
    others = [each.child_b if each.child_a == child_id else each.child_a for each in hints]
    found = (session.get(Child, other) for other in others)
    return [each.id for each in found if each is not None and not identity_documents.is_joined_to_another(each)]


def take_back(
    session: Session,
    child_id: uuid.UUID,
    *,
    first_by: uuid.UUID,
    first_at: dt.datetime,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> None:
    """The child is another one after all: the verdicts become `different`, and its documents are its own again.

    `first_by` and `by` are the two people.  The caller holds the locks of all families concerned.  Refuses
    `number_of_another_child`.
    """
    others = set(children_it_went_to(session, child_id))
    for hint in session.scalars(_same_as(child_id).with_for_update()):
        if not others & {hint.child_a, hint.child_b}:
            continue
        hint.verdict, hint.reason = Verdict.DIFFERENT, reason
        hint.first_by, hint.first_at, hint.decided_by, hint.decided_at = first_by, first_at, by.account_id, now
        audit.record(session, "judge_duplicate", "duplicate_hint", hint.id, by=by, now=now, verdict=Verdict.DIFFERENT)
    session.flush()
    identity_documents.part_documents(session, child_id, by=by, now=now)


def _same_as(child_id: uuid.UUID) -> Select[DuplicateHint]:
    """The pairs of this child that two people judged to be one child."""
    pair = or_(DuplicateHint.child_a == child_id, DuplicateHint.child_b == child_id)
    decided = DuplicateHint.decided_at.is_not(None), DuplicateHint.verdict == Verdict.SAME
    return select(DuplicateHint).where(pair, *decided).order_by(DuplicateHint.id)
