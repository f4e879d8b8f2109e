"""Findings against a register that no page supports: a second person agrees, or the finding falls."""

import datetime as dt
import uuid

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.claim_rows import VerifiedFact, waits_for_second
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.review import leases, notes
from enrollment.review.findings import facts_still_open
from enrollment.review.scope import REVIEWERS, locked, office_of, refuse_while_refusal_is_open
from enrollment.season.facts import Fact

WAITS_FOR_SECOND = "waits_for_second"
"""The reason in the history when a review is laid aside until a second person has looked."""


def waiting(session: Session, application_id: uuid.UUID) -> list[VerifiedFact]:
    """The findings of the application that wait for a second person."""
    found = select(VerifiedFact).where(VerifiedFact.application_id == application_id, waits_for_second())
    return list(session.scalars(found.order_by(VerifiedFact.fact).execution_options(populate_existing=True)))


def lay_aside(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> None:
    """Put a reviewed application back until a second person has looked.  The caller holds its lock."""
    lifecycle.make(session, application, "release", by=by, now=now, reason=WAITS_FOR_SECOND)


def decide(
    session: Session,
    application_id: uuid.UUID,
    fact: Fact | str,
    *,
    agreed: bool,
    seen: dt.datetime | None,
    note: str = "",
    by: Actor,
    now: dt.datetime,
) -> bool:
    """The second person agrees with a finding, or not: then it falls, and a clerk looks at the fact again.

    `seen` is the time of the finding that the person read; a later one has to be read first.  Who does not agree
    says why in a `note`, which the first person reads.  If the first person cannot answer for the finding any more, it is now that
    of who agrees, and waits for another second person.  With the last agreement the review ends, if every fact is settled and the second person is of the kindergarten.
    Returns whether it ended.  Refuses `second_person_needed`, `decided_already`, `finding_has_changed`, `taken_by_another`,
    `reason_needed`.
    """
    application = locked(session, application_id, by=by)
    finding = session.get(VerifiedFact, (application_id, str(fact)), populate_existing=True)
    if finding is None and fact in set(Fact):  # a colleague did not agree, or the family changed what was claimed
        raise Refused("finding_has_changed", field=str(fact))
    if finding is None:
        raise NotFound("verified_fact")
    if not finding.waits:
        raise Refused("decided_already")
    if finding.account_id == by.account_id:
        raise Refused("second_person_needed")
    if seen != finding.at:
        raise Refused("finding_has_changed", field=finding.fact)
    if application.reviewer_id not in (None, by.account_id) and leases.is_live(application, now):
        raise Refused("taken_by_another")
    if not agreed:
        if not note.strip():
            raise Refused("reason_needed", field=finding.fact)
        notes.add(session, application_id, note, by=by, now=now)
        _record(session, finding, agreed=False, by=by, now=now)
        session.execute(
            delete(VerifiedFact).where(VerifiedFact.application_id == application_id, VerifiedFact.fact == finding.fact)
        )
        session.expire_all()
        return False
    _agree(session, application, finding, by=by, now=now)
    return _end_review(session, application, by=by, now=now)


def agree_with_colleagues(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Agree with the findings of others that wait: who confirms a whole application has looked at each of its facts."""
    application = session.get_one(Application, application_id)
    for finding in waiting(session, application_id):
        if finding.account_id != by.account_id:
            _agree(session, application, finding, by=by, now=now)


def _agree(session: Session, application: Application, finding: VerifiedFact, *, by: Actor, now: dt.datetime) -> None:
    """Nobody agrees alone: the finding of somebody who has left becomes that of who agrees with it, and waits again."""
    if not signatures.can_answer(session, finding.account_id, office_of(session, application)):
        finding.account_id, finding.at = by.account_id, now
        audit.record(session, "verify", "application", application.id, by=by, now=now, fact=finding.fact)
        session.flush()
        return
    _record(session, finding, agreed=True, by=by, now=now)
    finding.second_by, finding.second_at = by.account_id, now
    session.flush()


def _record(session: Session, finding: VerifiedFact, *, agreed: bool, by: Actor, now: dt.datetime) -> None:
    audit.record(
        session,
        "second_opinion",
        "application",
        finding.application_id,
        by=by,
        now=now,
        fact=finding.fact,
        agreed=agreed,
    )


def _end_review(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> bool:
    unsettled = waiting(session, application.id) or facts_still_open(session, application.id)
    if unsettled or not by.is_any(*REVIEWERS) or application.stage not in (Stage.SUBMITTED, Stage.IN_REVIEW):
        return False
    refuse_while_refusal_is_open(session, application.id)
    leases.take(session, application.id, by=by, now=now)
    lifecycle.make(session, application, "confirm", by=by, now=now)
    notify_guardians(session, "review_confirmed", [application.id], now=now, by=by)
    return True
