"""The audit trail: every change, and every view of a child's record by staff, is a row.

Rows are written in the transaction of the act.  `audit_chain` links them into a keyed chain in a later transaction, and
finds rows that were changed, deleted, swapped or cut off.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import copy_rows
from enrollment.ground.db import Base
from enrollment.ground.sealed.codes import KeyedJson, keyed

COPIED = ("at", "account_id", "act", "subject", "subject_id", "details")
"""The columns of a row that is written with many others."""


class AuditEntry(Base):
    """Triggers set `writer` (the database connection), `turn` (its entries, counted without a gap) and `written_at`, the
    time of the database.  The sealer sets `link` (the position in the chain, without a gap), `digest` and `seal_key`; an
    entry without a key was sealed before there were keys.
    """

    __tablename__ = "audit_entry"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[dt.datetime]
    account_id: Mapped[uuid.UUID | None]
    act: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[str]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(KeyedJson, default=dict)
    link: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    writer: Mapped[uuid.UUID | None]
    turn: Mapped[int | None] = mapped_column(BigInteger)
    written_at: Mapped[dt.datetime | None]
    seal_key: Mapped[str | None]

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
    """Write one row for each subject of the same act, by COPY."""
    who, behalf = by.acting_account_id, _mandate_details(by)
    rows = ((now, who, act, subject, str(one), keyed(details | behalf)) for one, details in details_of.items())
    copy_rows(session, AuditEntry.__tablename__, COPIED, rows)


def _mandate_details(by: Actor) -> dict[str, str]:
    """For an act of a helper: the guardian's account and the mandate."""
    behalf = by.on_behalf
    return {"for_account": str(by.account_id), "mandate": str(behalf.mandate_id)} if behalf else {}
