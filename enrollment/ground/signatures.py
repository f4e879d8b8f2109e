"""Two people: they sign the same digest of the same subject, each person once; and a request that waits for the second one has an end.

Nobody agrees today to what was asked for in another month: whoever asked may have left, the reason may be gone, and an old
request in a list is agreed to by mistake.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import ARRAY, ColumnElement, ForeignKey, UniqueConstraint, Uuid, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor, Office
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused

OPEN_FOR = dt.timedelta(days=7)
"""How long a request waits for a second person."""

NEEDED = 2


class Signature(Base):
    """`note` is what the signer wrote about it, for the next signer and for the record.

    `counted_with` has the earlier signatures that counted when this one was made: who has decided stays on record, whatever
    role is taken from them later.  Signatures are never changed; those of earlier versions of this software have none.
    Whoever lost the role, and got it back after another person signed alone, signs a second time, beside that person.
    """

    __tablename__ = "signature"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    subject: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    digest: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    signed_at: Mapped[dt.datetime]
    note: Mapped[str | None]
    counted_with: Mapped[list[uuid.UUID] | None] = mapped_column(ARRAY(Uuid))

    __table_args__ = (UniqueConstraint("subject", "subject_id", "digest", "account_id", "counted_with"),)


@dataclass(frozen=True)
class Proposed:
    """The first signature under what two people decide, as a page shows it, with its reason."""

    by: uuid.UUID
    name: str
    at: dt.datetime
    reason: str


@dataclass(frozen=True)
class _Signed:
    """A signature; `counts` while its signer may decide the subject, and `left_at` is when the account was disabled."""

    row: Signature
    counts: bool
    left_at: dt.datetime | None


def signatures_of(
    session: Session, subject: str, subject_id: uuid.UUID, digest: str, *, office: Office
) -> list[Signature]:
    """The signatures that count, in their order.  `office` is who may decide the subject.

    Once two people in office have signed, theirs stay, whoever leaves later.  Before that, whoever has lost the account, or the
    role for this subject, is none of the two, and no page tells that this person's signature waits for another one; nor does
    it wait where the role came back after another person signed without it.
    """
    found = _signed(session, subject, subject_id, digest, office)
    return _decided(found) or _waiting(found)


def _decided(found: list[_Signed]) -> list[Signature]:
    """The signatures from those that decided it on; none where two people have not signed."""
    for number, each in enumerate(found):
        before = _counted_with(each.row, found)
        if len(before) + 1 >= NEEDED:
            return [one.row for one in found if one.row.id in before] + [one.row for one in found[number:]]
    return []


def _waiting(found: list[_Signed]) -> list[Signature]:
    """The last one that counts, where it waits for another person: it did not count any earlier one."""
    return [each.row for each in found if each.counts][1 - NEEDED :]


def _counted_with(signature: Signature, found: list[_Signed]) -> set[uuid.UUID]:
    """The earlier signatures that counted with this one; of one without a record, those of accounts that were not disabled."""
    if signature.counted_with is not None:
        return set(signature.counted_with)
    at = signature.signed_at
    return {
        each.row.id
        for each in found
        if each.row is not signature and each.row.signed_at <= at and (each.left_at is None or each.left_at > at)
    }


def _signed(session: Session, subject: str, subject_id: uuid.UUID, digest: str, office: Office) -> list[_Signed]:
    """Every signature, in the order in which they were made."""
    found = select(Signature, office.held_by(Signature.account_id).label("counts"), Account.disabled_at)
    mine = found.join(Account, Account.id == Signature.account_id).where(
        Signature.subject == subject, Signature.subject_id == subject_id, Signature.digest == digest
    )
    rows = [_Signed(row.Signature, row.counts, row.disabled_at) for row in session.execute(mine)]
    depths = _depths([each.row for each in rows])
    return sorted(rows, key=lambda each: (each.row.signed_at, depths[each.row.id]))


def _depths(signatures: list[Signature]) -> dict[uuid.UUID, int]:
    """How many signatures stand before each one in a row that counted with one another: what orders those of one moment."""
    counted = {each.id: list(each.counted_with or ()) for each in signatures}

    def depth(signature: uuid.UUID) -> int:
        return max((1 + depth(each) for each in counted[signature] if each in counted), default=0)

    return {each: depth(each) for each in counted}


def proposed_by(session: Session, first: Signature, *, reason: str) -> Proposed:
    """The first signature with the name of its signer."""
    return Proposed(first.account_id, session.get_one(Account, first.account_id).name, first.signed_at, reason)


def waits(office: Office) -> ColumnElement[bool]:
    """SQL condition for a list of signatures that wait for a second one: the signer may still decide the subject."""
    return office.held_by(Signature.account_id)


def sign(
    session: Session,
    subject: str,
    subject_id: uuid.UUID,
    digest: str,
    *,
    office: Office,
    by: Actor,
    now: dt.datetime,
    note: str = "",
) -> int:
    """Add one signature and return how many people have signed.  The caller holds a lock on the subject.

    Whoever signed and lost the account, or the role with which this subject is decided, is not counted: two people sign who can
    still answer for it.  With the role back, this person signs once more beside another one who signed alone meanwhile.

    Refuses `signed_already` when this person signed before, and the signature waits or decided it.
    """
    earlier = _signed(session, subject, subject_id, digest, office)
    if any(each.row.account_id == by.account_id for each in earlier) and not _may_sign_again(earlier, by):
        raise Refused("signed_already")
    counted = [each.row.id for each in earlier if each.counts and each.row.account_id != by.account_id]
    session.add(
        Signature(
            subject=subject,
            subject_id=subject_id,
            digest=digest,
            account_id=by.account_id,
            signed_at=now,
            note=" ".join(note.split()) or None,
            counted_with=counted,
        )
    )
    audit.record(session, "sign", subject, subject_id, by=by, now=now, digest=digest)
    session.flush()
    return len(counted) + 1


def _may_sign_again(earlier: list[_Signed], by: Actor) -> bool:
    """Whether this person's signature counts again, and waits no longer: another one counts that was made without it."""
    if _decided(earlier) or any(each.account_id == by.account_id for each in _waiting(earlier)):
        return False
    return any(each.counts and each.row.account_id == by.account_id for each in earlier)


def can_answer(session: Session, account_id: uuid.UUID | None, office: Office) -> bool:
    """Whether the first of two people still has a role with which the subject is decided; True if no person asked."""
    return account_id is None or bool(session.scalar(select(office.held_by(account_id))))


def require_first_person(session: Session, account_id: uuid.UUID | None, office: Office) -> None:
    """Nobody agrees alone to what somebody proposed who cannot answer for it any more.  Refuses `first_person_left`."""
    if not can_answer(session, account_id, office):
        raise Refused("first_person_left")


def has_lapsed(asked_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether the request can no longer be agreed to."""
    return now >= asked_at + OPEN_FOR


def require_open(asked_at: dt.datetime, now: dt.datetime) -> None:
    """Refuses `request_lapsed`."""
    if has_lapsed(asked_at, now):
        raise Refused("request_lapsed")
