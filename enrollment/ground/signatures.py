"""Two people: they sign the same digest of the same subject, each person once; and a request that waits for the second one has an end.

Nobody agrees today to what was asked for in another month: whoever asked may have left, the reason may be gone, and an old
request in a list is agreed to by mistake.
"""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused

OPEN_FOR = dt.timedelta(days=7)
"""How long a request waits for a second person."""


class Signature(Base):
    """`note` is what the signer wrote about it, for the next signer and for the record."""

    __tablename__ = "signature"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    subject: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    digest: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    signed_at: Mapped[dt.datetime]
    note: Mapped[str | None]

    __table_args__ = (UniqueConstraint("subject", "subject_id", "digest", "account_id"),)


def signatures_of(session: Session, subject: str, subject_id: uuid.UUID, digest: str) -> list[Signature]:
    found = select(Signature).where(
        Signature.subject == subject, Signature.subject_id == subject_id, Signature.digest == digest
    )
    return list(session.scalars(found.order_by(Signature.signed_at)))


def sign(
    session: Session, subject: str, subject_id: uuid.UUID, digest: str, *, by: Actor, now: dt.datetime, note: str = ""
) -> int:
    """Add one signature and return how many people have signed.  The caller holds a lock on the subject.

    Whoever signed and lost the account since is not counted: two people sign who can still answer for it.

    Refuses `signed_already` when this person signed before.
    """
    earlier = signatures_of(session, subject, subject_id, digest)
    if any(signature.account_id == by.account_id for signature in earlier):
        raise Refused("signed_already")
    session.add(
        Signature(
            subject=subject,
            subject_id=subject_id,
            digest=digest,
            account_id=by.account_id,
            signed_at=now,
            note=" ".join(note.split()) or None,
        )
    )
    audit.record(session, "sign", subject, subject_id, by=by, now=now, digest=digest)
    session.flush()
    in_office = select(func.count()).where(
        Account.id.in_(each.account_id for each in earlier), Account.disabled_at.is_(None)
    )
    return (session.scalar(in_office) or 0) + 1


def has_lapsed(asked_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether the request can no longer be agreed to."""
    return now >= asked_at + OPEN_FOR


def require_open(asked_at: dt.datetime, now: dt.datetime) -> None:
    """Refuses `request_lapsed`."""
    if has_lapsed(asked_at, now):
        raise Refused("request_lapsed")
