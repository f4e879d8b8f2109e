"""The audit trail: every change, and every view of a child's record by staff, is a row.

Rows are written in the transaction of the act.  `seal` links them into a hash chain in a later transaction, in the order
of their numbers.  `broken_links` finds rows that were changed, deleted, swapped or cut off.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.accounts import Actor
from enrollment.ground.db import Base
from enrollment.ground.maintenance_permits import MaintenancePermit

FIRST_LINK = bytes(32)


class AuditEntry(Base):
    __tablename__ = "audit_entry"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[dt.datetime]
    account_id: Mapped[uuid.UUID | None]
    act: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[str]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    link: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("ix_audit_entry__subject", "subject", "subject_id"),
        Index("ix_audit_entry__account_id", "account_id", "number"),
        Index(
            "ix_audit_entry__at", "at", postgresql_using="brin"
        ),  # rows are inserted in order of time, so a small BRIN index finds a day
        Index("ix_audit_entry__unsealed", "number", postgresql_where=text("link IS NULL")),
    )


def record(
    session: Session,
    act: str,
    subject: str,
    subject_id: object,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str | None = None,
    **details,
) -> None:
    """Write one row.  `details` hold codes and numbers, never a name, phone, address or ID number."""
    session.add(
        AuditEntry(
            at=now,
            account_id=by.acting_account_id,
            act=act,
            subject=subject,
            subject_id=str(subject_id),
            reason=reason,
            details=details | _mandate_details(by),
        )
    )


def record_many(
    session: Session,
    act: str,
    subject: str,
    details_of: Mapping[uuid.UUID, dict[str, Any]],
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Write one row for each subject of the same act, in one statement."""
    session.execute(
        insert(AuditEntry),
        [
            {
                "at": now,
                "account_id": by.acting_account_id,
                "act": act,
                "subject": subject,
                "subject_id": str(one),
                "details": details | _mandate_details(by),
            }
            for one, details in details_of.items()
        ],
    )


def _mandate_details(by: Actor) -> dict[str, str]:
    """For an act of a helper: the guardian's account and the mandate."""
    behalf = by.on_behalf
    return {"for_account": str(by.account_id), "mandate": str(behalf.mandate_id)} if behalf else {}


def _link_digest(before: bytes, entry: AuditEntry) -> bytes:
    body = json.dumps(
        [
            entry.number,
            entry.link,
            entry.at.astimezone(dt.UTC).isoformat(),
            str(entry.account_id),
            entry.act,
            entry.subject,
            entry.subject_id,
            entry.reason,
            entry.details,
        ],
        sort_keys=True,
        ensure_ascii=False,
    )
    return hashlib.sha256(before + body.encode()).digest()


def seal(session: Session, limit: int = 5000) -> int:
    """Link the rows that are not in the chain yet, oldest first; return how many.  A lock admits one caller at a time."""
    session.execute(text("SELECT pg_advisory_xact_lock(731001)"))
    last = session.scalars(
        select(AuditEntry).where(AuditEntry.link.is_not(None)).order_by(AuditEntry.link.desc()).limit(1)
    ).first()
    before, position = (last.digest or FIRST_LINK, last.link or 0) if last else _start_of_chain(session)
    fresh = session.scalars(
        select(AuditEntry).where(AuditEntry.link.is_(None)).order_by(AuditEntry.number).limit(limit)
    ).all()
    for entry in fresh:
        position += 1
        entry.link = position
        entry.digest = before = _link_digest(before, entry)
    session.flush()
    return len(fresh)


def _start_of_chain(session: Session) -> tuple[bytes, int]:
    """Digest and position of the last deleted link: entries are deleted after ten years."""
    cut = select(MaintenancePermit.audit_digest, MaintenancePermit.audit_link).where(MaintenancePermit.kind == "audit")
    row = session.execute(cut.order_by(MaintenancePermit.audit_link.desc()).limit(1)).one_or_none()
    return (row.audit_digest, row.audit_link) if row else (FIRST_LINK, 0)


def broken_links(session: Session) -> list[int]:
    """Positions in the chain where a row was changed, deleted, swapped or cut off."""
    broken: list[int] = []
    before, position = _start_of_chain(session)
    expected = position + 1
    for entry in session.scalars(
        select(AuditEntry)
        .where(AuditEntry.link.is_not(None))
        .order_by(AuditEntry.link)
        .execution_options(yield_per=1000)
    ):
        if entry.link != expected or entry.digest != _link_digest(before, entry):
            broken.append(entry.link or 0)
        before, expected = entry.digest or b"", (entry.link or 0) + 1
    return broken
