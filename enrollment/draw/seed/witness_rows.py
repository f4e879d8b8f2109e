"""Rows: the declared form of a round's draw, the sessions of witnesses, and the values that they entered."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class SeedPart(StrEnum):
    """The public parts of a seed: what is drawn in the room, and the public random value 公开随机数."""

    CEREMONY = "ceremony"
    BEACON = "beacon"


class WitnessOffice(StrEnum):
    """In which capacity somebody witnesses."""

    NOTARY = "notary"
    PARENT = "parent"
    INSPECTOR = "inspector"
    OTHER = "other"


class DeclaredForm(Base):
    """The form of a round's draw as an official declared it.  The newest counts until a freeze fixes it."""

    __tablename__ = "declared_draw_form"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    number: Mapped[int]
    form: Mapped[str]
    declared_at: Mapped[dt.datetime]
    declared_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))

    __table_args__ = (UniqueConstraint("round_id", "number"),)


class WitnessSession(Base):
    """The permission of one named witness to enter one part of a seed, once, for one commitment.

    `attempt` counts the pairs of entries of a part: after two that differ comes another pair, with its public `reason`.
    The link has the token and the approving official has the code; only their digests are stored.
    """

    __tablename__ = "witness_session"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    draw_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("draw.id"))
    commitment: Mapped[str]
    part: Mapped[str]
    attempt: Mapped[int]
    name: Mapped[str]
    office: Mapped[str]
    reason: Mapped[str | None]
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    requested_at: Mapped[dt.datetime]
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    approved_at: Mapped[dt.datetime | None]
    code_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[dt.datetime]
    wrong_codes: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[dt.datetime | None]
    browser_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    revoked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    revoked_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("part IN ('" + "','".join(sorted(SeedPart)) + "')", name="known_part"),
        CheckConstraint("office IN ('" + "','".join(WitnessOffice) + "')", name="known_office"),
        CheckConstraint("approved_by <> requested_by", name="second_person"),
        CheckConstraint(
            "(approved_at IS NULL) = (approved_by IS NULL) AND (approved_at IS NULL) = (code_digest IS NULL)",
            name="approved_has_a_code",
        ),
        CheckConstraint(
            "(opened_at IS NULL) = (browser_digest IS NULL) AND (opened_at IS NULL OR approved_at IS NOT NULL)",
            name="opened_after_approval",
        ),
        Index("ix_witness_session__draw_id", "draw_id"),
        Index(
            "uq_witness_session__one_browser",
            "draw_id", "commitment", "part", "attempt", "browser_digest",
            unique=True,
            postgresql_where=text("browser_digest IS NOT NULL"),
        ),
    )  # fmt: skip


class SeedEntry(Base):
    """The value that a witness entered, in its one spelling.  It never changes, whatever the other witness enters."""

    __tablename__ = "seed_entry"

    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("witness_session.id"), primary_key=True)
    value: Mapped[str]
    entered_at: Mapped[dt.datetime]
