"""Two people decided that two entries are one child: what follows, at the desk of likely duplicates and by a correction."""

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from enrollment.applications import identity_documents, lifecycle
from enrollment.applications.application_rows import Application
from enrollment.applications.bonds import bond_rules
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.applications.identity_documents import Union
from enrollment.applications.notifications import notify_guardians
from enrollment.applications.returned_items import RefusalProposal
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.people.duplicate_rows import DuplicateHint, Verdict
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
    """The refusal of a duplicate, from any live stage: two people have signed it with the verdict."""
    refuse_while_refusal_is_open(session, application.id)
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
