"""The tables of claims and findings.  Families claim grounds; staff verify or decline the facts that the grounds need."""

import datetime as dt
import uuid
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    and_,
    false,
    func,
    text,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.codes import TOKEN, KeyedCode, code_of, listed, token_of
from enrollment.ground.sealed.values import Sealed, SealedJson, row_of
from enrollment.ground.vault import index_key
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

SEALED_FACTS = frozenset({Fact.BORN, Fact.HOME_PLACE, Fact.POLICY_CARE, Fact.STAFF_CHILD_AT})
"""Facts whose verified value no query reads and no copy of the database may tell."""

DETAILS = SealedJson("claim.details")
SEALED_VALUE = SealedJson("verified_fact.sealed_value")


class Claim(Base):
    """A ground that a family claims.  `details` are codes (a kindergarten's code, a kind of policy care), never names."""

    __tablename__ = "claim"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    ground: Mapped[str] = mapped_column(KeyedCode, primary_key=True)
    details: Mapped[dict[str, Any]] = mapped_column(DETAILS, default=dict)
    claimed_at: Mapped[dt.datetime]

    __table_args__ = (CheckConstraint(f"ground IN {listed(Ground)} OR ground ~ '{TOKEN}'", name="known_ground"),)


class VerifiedFact(Base):
    """A clerk's finding about one fact: `verified` with its value, or `declined` with a reason.

    The value of a fact of `SEALED_FACTS` stands in `sealed_value`, that of any other in `plain_value`, which queries read.
    `page_id` is the page that proves it, as the clerk says.  `needs_second`: a register contradicts it and no page supports
    it, so it counts only once `second_by`, another person, has agreed.
    """

    __tablename__ = "verified_fact"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    fact: Mapped[str] = mapped_column(KeyedCode, primary_key=True)
    outcome: Mapped[str]
    plain_value: Mapped[Any | None] = mapped_column("value", JSONB(none_as_null=True), key="plain_value")
    sealed_value: Mapped[Any | None] = mapped_column(SEALED_VALUE)
    reason: Mapped[str | None] = mapped_column(Sealed("verified_fact.reason"))
    source: Mapped[str]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]
    page_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("evidence_page.id", ondelete="SET NULL"))
    needs_second: Mapped[bool] = mapped_column(default=False, server_default=false())
    second_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    second_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint(f"fact IN {listed(Fact)} OR fact ~ '{TOKEN}'", name="known_fact"),
        CheckConstraint("outcome IN ('verified','declined')", name="known_outcome"),
        CheckConstraint(
            "(outcome = 'verified') = (num_nonnulls(value, sealed_value) = 1)", name="verified_has_a_value"
        ),
        CheckConstraint("outcome = 'verified' OR reason IS NOT NULL", name="declined_has_a_reason"),
        CheckConstraint("source IN ('paper','register','roll','staff','correction')", name="known_source"),
        CheckConstraint("second_by IS NULL OR second_by <> account_id", name="second_person"),
        CheckConstraint("(second_by IS NULL) = (second_at IS NULL)", name="second_whole"),
        CheckConstraint("NOT needs_second OR reason IS NOT NULL", name="second_has_a_reason"),
        Index("ix_verified_fact__page_id", "page_id", postgresql_where=text("page_id IS NOT NULL")),
        Index("ix_verified_fact__waits", "application_id", postgresql_where=text("needs_second AND second_by IS NULL")),
    )

    @property
    def waits(self) -> bool:
        """Whether a second person still has to agree."""
        return self.needs_second and self.second_by is None

    @property
    def value(self) -> Any:
        """The verified value; None if the fact was declined."""
        return self.sealed_value if self.sealed_value is not None else self.plain_value


VERIFIED: Any = VerifiedFact.__table__
"""For `row_of`."""


def value_columns(fact: str, value: Any) -> dict[str, Any]:
    """The columns of a finding with this value."""
    sealed = fact in SEALED_FACTS
    return {"plain_value": None if sealed else value, "sealed_value": value if sealed else None}


def facts_as_json() -> ColumnElement[Any]:
    """SQL aggregate: a JSON object of verified facts and their values as they are stored, for `facts_of_json`."""
    sealed = func.encode(type_coerce(VerifiedFact.sealed_value, LargeBinary), "hex")
    value = func.coalesce(VerifiedFact.plain_value, func.to_jsonb(sealed))
    return func.jsonb_object_agg(type_coerce(VerifiedFact.fact, String), value)


def facts_of_json(application_id: uuid.UUID, stored: dict[str, Any]) -> dict[Fact, Any]:
    """The facts of an object that `facts_as_json` made for this application."""
    known = _facts_by_code(index_key())
    facts = {known.get(name) or Fact(code_of(name)): value for name, value in stored.items()}
    for fact in SEALED_FACTS & facts.keys():
        facts[fact] = SEALED_VALUE.opened(bytes.fromhex(facts[fact]), row_of(VERIFIED, (application_id, fact)))
    return facts


@lru_cache(maxsize=4)
def _facts_by_code(_key: bytes) -> dict[str, Fact]:
    """The facts by their codes as they are stored under this index key."""
    return {token_of(fact.value): fact for fact in Fact}


CLAIMS = Read(Claim, Claim.application_id)
"""The claims of an application."""

VERIFIED_FACTS = Read(VerifiedFact, VerifiedFact.application_id)
"""The findings about an application."""


def waits_for_second() -> ColumnElement[bool]:
    """SQL condition: the finding waits for its second person, and does not count before."""
    return and_(VerifiedFact.needs_second, VerifiedFact.second_by.is_(None))


def of(session: Session, application_id: uuid.UUID) -> dict[Ground, dict[str, Any]]:
    """The claimed grounds with their details, in the order of the enumeration."""
    found = {Ground(claim.ground): claim.details for claim in CLAIMS.of(session, application_id)}
    return {ground: found[ground] for ground in Ground if ground in found}
