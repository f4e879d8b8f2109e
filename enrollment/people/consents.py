"""Separate consents of guardians 单独同意, with version and digest of the text.

A consent is of one kind: to keep the child's data, or to ask one register.  A register without a live consent of its own
is never asked (`eligibility/register_questions.py`), and the family brings the paper instead.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.ground.reading.read_ahead import Read

CHILD_DATA = "child_data"


class Register(StrEnum):
    """The registers that can confirm a claim; `roll` is the roll of the kindergartens, which this portal keeps."""

    HOUSEHOLD = "household_register"
    PROPERTY = "property"
    RESIDENCE_PERMIT = "residence_permit"
    SOCIAL_INSURANCE = "social_insurance"
    VACCINATION = "vaccination"
    ROLL = "roll"


KIND_OF: dict[str, str] = {register: f"ask_{register}" for register in Register}
"""The kind of the consent to ask each register."""

REGISTER_OF_KIND = {kind: Register(register) for register, kind in KIND_OF.items()}
KINDS = (CHILD_DATA, *REGISTER_OF_KIND)


class Consent(Base):
    """A guardian's separate consent, with version and digest of the text.

    `mandate_id` is the mandate under which a helper recorded it, if any.
    """

    __tablename__ = "consent"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    text_version: Mapped[str]
    text_digest: Mapped[str]
    mandate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("mandate.id", ondelete="SET NULL"))
    given_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]

    __table_args__ = (
        UniqueConstraint("account_id", "kind", "text_version", "given_at"),
        Index("ix_consent__mandate_id", "mandate_id", postgresql_where=text("mandate_id IS NOT NULL")),
        CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),
        Index("uq_consent__one_live", "account_id", "kind", unique=True, postgresql_where=text("withdrawn_at IS NULL")),
    )


LIVE_CONSENTS = Read(Consent, Consent.account_id, (Consent.withdrawn_at.is_(None),))
"""What an account consents to: at most one consent of a kind."""


def current_consent(session: Session, kind: str, *, by: Actor) -> Consent | None:
    """The consent of this kind that the person gave and has not withdrawn; None without one."""
    return next((each for each in LIVE_CONSENTS.of(session, by.account_id) if each.kind == kind), None)


def give(
    session: Session,
    kind: str,
    *,
    text_version: str,
    text_digest: str,
    by: Actor,
    now: dt.datetime,
    under: uuid.UUID | None = None,
) -> Consent:
    """Store the consent of this person to this text.  It replaces a consent to an older text.

    `under` is the id of a mandate: a helper can only record a consent that the guardian gave by code or on paper.
    """
    if under is None:
        require_oneself(by)
    if kind not in KINDS:
        raise Refused("unknown_consent", field="consent")
    earlier = current_consent(session, kind, by=by)
    if earlier is not None and earlier.text_digest == text_digest:
        return earlier
    if earlier is not None:
        earlier.withdrawn_at = now
        session.flush()
    fresh = Consent(
        account_id=by.account_id,
        kind=kind,
        text_version=text_version,
        text_digest=text_digest,
        mandate_id=under,
        given_at=now,
    )
    session.add(fresh)
    audit.record(session, "consent", "account", by.account_id, by=by, now=now, kind=kind, version=text_version)
    session.flush()
    return fresh


def withdraw(session: Session, kind: str, *, by: Actor, now: dt.datetime) -> None:
    """Withdraw a consent.  Earlier processing stays lawful; new data are neither stored nor requested."""
    require_oneself(by)
    given = current_consent(session, kind, by=by)
    if given is None:
        return
    given.withdrawn_at = now
    audit.record(session, "withdraw_consent", "account", by.account_id, by=by, now=now, kind=kind)
    session.flush()


def registers_of(session: Session, account_id: uuid.UUID) -> dict[Register, Consent]:
    """The registers that this account agrees to ask, each with its consent, in the order of `Register`."""
    given = {each.kind: each for each in LIVE_CONSENTS.of(session, account_id)}
    return {register: given[kind] for kind, register in REGISTER_OF_KIND.items() if kind in given}


def agreed_registers(session: Session, account_id: uuid.UUID) -> set[Register]:
    """The same without the consents."""
    known = LIVE_CONSENTS.values_ahead(session, account_id, "kind")
    if known is None:
        return set(registers_of(session, account_id))
    return {REGISTER_OF_KIND[kind] for (kind,) in known if kind in REGISTER_OF_KIND}


def choose_registers(
    session: Session,
    chosen: Collection[str],
    texts: Mapping[Register, tuple[str, str]],
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Give or withdraw the consent for each register of `texts`, which have version and digest of what was shown.

    A register that is not among `texts` was not shown and stays as it is.
    """
    for register, (version, digest) in texts.items():
        if register in chosen:
            give(session, KIND_OF[register], text_version=version, text_digest=digest, by=by, now=now)
        else:
            withdraw(session, KIND_OF[register], by=by, now=now)


def require(session: Session, kind: str, *, by: Actor) -> None:
    """Refuse `consent_needed` unless the person has given this consent."""
    if current_consent(session, kind, by=by) is None:
        raise Refused("consent_needed", field="consent")
