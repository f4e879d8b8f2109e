"""Verifications of the whole trail that officials ask for: a worker does one at a time, and the verdict is kept.

Request and verdict are entries of the trail: they are kept as long as what they are about, and nobody can change them.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import audit, jobs
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.audit import AuditEntry
from enrollment.ground.audit_chain.verification import Finding, FindingKind, Verification
from enrollment.ground.jobs import Job

KIND = "verify_trail"
SUBJECT = "audit_check"
MOST_TOLD = 10
"""Findings that a verdict names; `flask audit verify` names more."""


@dataclass(frozen=True)
class Verdict:
    """`found` findings of which `findings` are the first; the chain was read up to `links`."""

    at: dt.datetime
    asked_by: uuid.UUID | None
    links: int
    found: int
    findings: list[Finding]


def request(session: Session, *, by: Actor, now: dt.datetime) -> tuple[uuid.UUID, bool]:
    """Ask for a verification.  Returns the id of its job, and whether it is a new one: while one waits or runs there is no other."""
    last = _newest(session, "ask_verify_trail")
    running = _job_of(session, last)
    if running is not None and running.state in jobs.ACTIVE:
        return running.id, False
    # two requests at the same moment have the same key, so that the second gets the job of the first
    key = f"{KIND}:{last.number if last else 0}"
    job_id = jobs.enqueue(session, KIND, {"by": str(by.account_id)}, key=key, now=now)
    audit.record(session, "ask_verify_trail", "audit_check", job_id, by=by, now=now)
    session.flush()
    return job_id, True


def newest_job(session: Session) -> Job | None:
    """The job of the newest request, while it is kept."""
    return _job_of(session, _newest(session, "ask_verify_trail"))


def keep_verdict(
    session: Session, job_id: uuid.UUID, result: Verification, *, asked_by: str, now: dt.datetime
) -> dict[str, int]:
    """Write the verdict into the trail; returns the numbers that the job keeps."""
    numbers = {"links": result.links, "waiting": result.waiting, "found": len(result.findings)}
    told = [[str(finding.kind), finding.where] for finding in result.findings[:MOST_TOLD]]
    details: dict[str, Any] = {"asked_by": asked_by, "findings": told, **numbers}
    audit.record(session, "verify_trail", "audit_check", job_id, by=SYSTEM, now=now, **details)
    return numbers


def newest_verdict(session: Session) -> Verdict | None:
    entry = _newest(session, "verify_trail")
    if entry is None:
        return None
    findings = [Finding(FindingKind(kind), where) for kind, where in entry.details["findings"]]
    asked_by = entry.details["asked_by"]
    by = uuid.UUID(asked_by) if asked_by else None
    return Verdict(entry.at, by, entry.details["links"], entry.details["found"], findings)


def _newest(session: Session, act: str) -> AuditEntry | None:
    found = select(AuditEntry).where(AuditEntry.subject == SUBJECT, AuditEntry.act == act)
    return session.scalars(found.order_by(AuditEntry.number.desc()).limit(1)).first()


def _job_of(session: Session, entry: AuditEntry | None) -> Job | None:
    return session.get(Job, uuid.UUID(entry.subject_id), populate_existing=True) if entry is not None else None
