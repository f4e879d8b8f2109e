"""Two people: they sign the same digest of the same subject, each person once; and a request that waits for the second one has an end.

Nobody agrees today to what was asked for in another month: whoever asked may have left, the reason may be gone, and an old
request in a list is agreed to by mistake.
"""

import datetime as dt
import uuid

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused

OPEN_FOR = dt.timedelta(days=7)
"""How long a request waits for a second person."""

NEEDED = 2


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
    """The signatures that count, in their order.

    Once two people in office have signed, theirs stay, whoever leaves later.  Before that, whoever has lost the account since is none
    of the two, and no page tells that this person's signature waits for another one.
    """
    found = _signed(session, subject, subject_id, digest)

    def in_office(at: dt.datetime) -> list[Signature]:
        return [each for each, left_at in found if each.signed_at <= at and (left_at is None or left_at > at)]

    decided = next((each.signed_at for each, _left_at in found if len(in_office(each.signed_at)) >= NEEDED), None)
    if decided is None:
        return [each for each, left_at in found if left_at is None]
    return [*in_office(decided), *(each for each, _left_at in found if each.signed_at > decided)]


def _signed(
    session: Session, subject: str, subject_id: uuid.UUID, digest: str
) -> list[tuple[Signature, dt.datetime | None]]:
    """Every signature with the time at which its account was disabled."""
    found = select(Signature, Account.disabled_at).join(Account, Account.id == Signature.account_id)
    mine = found.where(Signature.subject == subject, Signature.subject_id == subject_id, Signature.digest == digest)
    return [(row.Signature, row.disabled_at) for row in session.execute(mine.order_by(Signature.signed_at))]


def waits() -> ColumnElement[bool]:
    """SQL condition for a list of signatures that wait for a second one: the signer has not lost the account since."""
    return select(Account.id).where(Account.id == Signature.account_id, Account.disabled_at.is_(None)).exists()


def sign(
    session: Session, subject: str, subject_id: uuid.UUID, digest: str, *, by: Actor, now: dt.datetime, note: str = ""
) -> int:
    """Add one signature and return how many people have signed.  The caller holds a lock on the subject.

    Whoever signed and lost the account since is not counted: two people sign who can still answer for it.

    Refuses `signed_already` when this person signed before.
    """
    earlier = _signed(session, subject, subject_id, digest)
    if any(signature.account_id == by.account_id for signature, _left_at in earlier):
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
    return sum(left_at is None for _signature, left_at in earlier) + 1


def has_lapsed(asked_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether the request can no longer be agreed to."""
    return now >= asked_at + OPEN_FOR


def require_open(asked_at: dt.datetime, now: dt.datetime) -> None:
    """Refuses `request_lapsed`."""
    if has_lapsed(asked_at, now):
        raise Refused("request_lapsed")
