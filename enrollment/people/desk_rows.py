"""Tables for families at a desk or without a mobile phone: identity checks, phone changes, access codes, contacts."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.phones import SealedPhone
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.values import Sealed


class IdentityCheck(Base):
    """A clerk saw a document of a guardian who is present at the desk: its kind and its last four characters."""

    __tablename__ = "identity_check"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    purpose: Mapped[str]
    document_kind: Mapped[str]
    document_end: Mapped[str] = mapped_column(Sealed("identity_check.document_end"))
    checked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    checked_at: Mapped[dt.datetime]


class PhoneChangeWay(StrEnum):
    """`NEW_HOLDER`: somebody who holds the number now has never applied with it, so the account loses it."""

    SESSION = "session"
    DESK = "desk"
    NEW_HOLDER = "new_holder"


class PhoneChangeOutcome(StrEnum):
    DONE = "done"
    STOPPED = "stopped"
    TAKEN = "taken"
    LAPSED = "lapsed"
    """No second person confirmed it in time."""
    REFUSED = "refused"
    """The second person did not confirm it."""


class PhoneChange(Base):
    """A change of the phone with which a guardian signs in.

    `effective_at` is when it takes effect; at a desk it is unknown until a second person has confirmed the identity check.
    `old_answered`: the code sent to the old number was entered too, so there is no waiting time.  `stop_digest` is the
    digest of the token in the link sent to the old number.  A row without `ended_at` is open; an account has at most one.
    A release to a new holder has no `new_phone` and no `asked_by`: whoever asked is no account.
    """

    __tablename__ = "phone_change"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    way: Mapped[str]
    new_phone: Mapped[str | None] = mapped_column(SealedPhone("phone_change.new_phone"))
    old_answered: Mapped[bool]
    asked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[dt.datetime]
    identity_check_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("identity_check.id"))
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"), index=True)
    confirmed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    confirmed_at: Mapped[dt.datetime | None]
    effective_at: Mapped[dt.datetime | None]
    stop_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    ended_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("way IN ('session','desk','new_holder')", name="known_way"),
        CheckConstraint(
            "(way = 'new_holder') = (new_phone IS NULL) AND (way = 'new_holder') = (asked_by IS NULL)",
            name="a_release_has_no_number",
        ),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> asked_by", name="two_people"),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="an_end_has_an_outcome"),
        Index("uq_phone_change__one_open", "account_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_phone_change__due", "effective_at", postgresql_where=text("ended_at IS NULL")),
    )


class PhoneDoubt(Base):
    """The number of an account may have gone to another person: no message about the family is sent to it.

    `tries` are wrong answers to the question that only the guardian can answer, `tried_at` is the last of them.
    """

    __tablename__ = "phone_doubt"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    since: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[dt.datetime | None]


class AccessCode(Base):
    """A printed code with which a guardian signs in on any computer until the season ends.  Only its digest is kept."""

    __tablename__ = "access_code"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    identity_check_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_check.id"))
    issued_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    issued_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]

    __table_args__ = (
        Index("uq_access_code__one_live", "account_id", unique=True, postgresql_where=text("revoked_at IS NULL")),
    )


class AccessCodeUse(Base):
    """A sign-in with an access code.  The next letter to the guardian lists the sign-ins since the previous letter."""

    __tablename__ = "access_code_use"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    access_code_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("access_code.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[dt.datetime]
    told_at: Mapped[dt.datetime | None]


class DeskContact(Base):
    """A contact of a desk with a family without a mobile phone, about a message or an offer: by telephone, letter or visit."""

    __tablename__ = "desk_contact"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    way: Mapped[str]
    reached_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    reached_at: Mapped[dt.datetime]

    __table_args__ = (CheckConstraint("way IN ('call','letter','visit')", name="known_way"),)


OPEN_CHANGES = Read(PhoneChange, PhoneChange.account_id, (PhoneChange.ended_at.is_(None),))
"""The change of an account's phone that has not ended: one at most."""
