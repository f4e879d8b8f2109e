"""The tables of claims and findings.  Families claim grounds; staff verify or decline the facts that the grounds need."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base
from enrollment.season.facts import Fact, Ground

ASKED = (
    Ground.ELDER_SIBLING,
    Ground.SIBLING_RIGHT,
    Ground.STAFF_CHILD,
    Ground.POLICY_CARE,
    Ground.SPECIAL_NEED,
    Ground.MULTI_CHILD,
)
"""The grounds that a family is asked about.  All others follow from its household's answers."""

DETAIL = {
    Ground.ELDER_SIBLING: Fact.SIBLING_AT,
    Ground.SIBLING_RIGHT: Fact.SIBLING_RIGHT_AT,
    Ground.STAFF_CHILD: Fact.STAFF_CHILD_AT,
    Ground.POLICY_CARE: Fact.POLICY_CARE,
    Ground.SPECIAL_NEED: Fact.SPECIAL_NEED,
    Ground.MULTI_CHILD: Fact.CHILDREN_IN_FAMILY,
}
"""The fact whose value a family states as the detail of each ground that it is asked about."""


def _listed(codes) -> str:
    return "('" + "','".join(codes) + "')"


class Claim(Base):
    """A ground that a family claims.  `details` are codes (a kindergarten's code, a kind of policy care), never names."""

    __tablename__ = "claim"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    ground: Mapped[str] = mapped_column(primary_key=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    claimed_at: Mapped[dt.datetime]

    __table_args__ = (CheckConstraint(f"ground IN {_listed(Ground)}", name="known_ground"),)


class VerifiedFact(Base):
    """A clerk's finding about one fact: `verified` with its value, or `declined` with a reason."""

    __tablename__ = "verified_fact"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    fact: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    value: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str | None]
    source: Mapped[str]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]

    __table_args__ = (
        CheckConstraint(f"fact IN {_listed(Fact)}", name="known_fact"),
        CheckConstraint("outcome IN ('verified','declined')", name="known_outcome"),
        CheckConstraint("(outcome = 'verified') = (value IS NOT NULL)", name="verified_has_a_value"),
        CheckConstraint("outcome = 'verified' OR reason IS NOT NULL", name="declined_has_a_reason"),
        CheckConstraint("source IN ('paper','register','roll','staff')", name="known_source"),
    )


def of(session: Session, application_id: uuid.UUID) -> dict[Ground, dict[str, Any]]:
    """The claimed grounds with their details, in the order of the enumeration."""
    rows = session.scalars(select(Claim).where(Claim.application_id == application_id))
    found = {Ground(claim.ground): claim.details for claim in rows}
    return {ground: found[ground] for ground in Ground if ground in found}
