"""The rows of a run: the result of the engine for a snapshot, by child, by pool and by wish."""

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read


class RunState(StrEnum):
    """`CHECKED` was computed, verified independently, and waits for two signatures; `SIGNED` has them, and waits for its hour."""

    WAITING = "waiting"
    RUNNING = "running"
    CHECKED = "checked"
    SIGNED = "signed"
    FAILED = "failed"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    SET_ASIDE = "set_aside"


STATES = tuple(RunState)

OPENING = "opening.content"
"""What the content of an opening is sealed for."""


class Run(Base):
    """`digest` is over the three result files; two runs of one snapshot and seed have the same digest.

    `bundle` is the full file, which recomputes everything and is never public; `public_file` is what everybody may check.
    Older runs have only the bundle.

    A replay names the published run that it follows in `replays`; when it is published, that one is `superseded` and
    stays as it is.
    """

    __tablename__ = "run"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    number: Mapped[int]
    snapshot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("snapshot.id"))
    replays: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("run.id"))
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"), index=True)
    state: Mapped[str] = mapped_column(default=RunState.WAITING)
    engine: Mapped[str | None]
    digest: Mapped[str | None]
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    bundle: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    public_file: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    started_at: Mapped[dt.datetime]
    started_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    finished_at: Mapped[dt.datetime | None]
    published_at: Mapped[dt.datetime | None]
    error: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("round_id", "number"),
        CheckConstraint("state IN ('" + "','".join(STATES) + "')", name="known_state"),
        CheckConstraint(
            "state NOT IN ('checked','signed','published','superseded') OR digest IS NOT NULL",
            name="checked_has_a_digest",
        ),
        CheckConstraint(
            "(state IN ('published','superseded')) = (published_at IS NOT NULL)", name="published_has_a_time"
        ),
        Index("uq_run__one_signed", "round_id", unique=True, postgresql_where=text("state = 'signed'")),
        Index("uq_run__one_published", "round_id", unique=True, postgresql_where=text("state = 'published'")),
    )


class Placement(Base):
    """Where a run put a child: programme, rank and pool, or none."""

    __tablename__ = "placement"

    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"), primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True, index=True)
    programme_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("programme.id"))
    rank: Mapped[int | None]
    pool: Mapped[str | None]


def of_placement(table: str) -> ForeignKeyConstraint:
    """The foreign key of a table whose rows belong to a placement: it says of run and application what the placement says of them."""
    columns = ("run_id", "application_id")
    name = f"fk_{table}__placement"
    return ForeignKeyConstraint(columns, [f"placement.{column}" for column in columns], name=name)


RUNS = Read(Run, Run.id, unread=(Run.summary,))
"""A run without its files."""

PUBLISHED_PLACEMENTS = Read(
    Placement, Placement.application_id, (Placement.run_id.in_(select(Run.id).where(Run.published_at.is_not(None))),)
)
"""Where the published runs put an application."""


class CutOff(Base):
    """The cut-off 录取线 of a pool: `all` got in, `none` could, or whoever stands at or before the `line`.

    `block` is the code of the part of the public file that counts this pool, alone or together with others of its
    programme; `line_public` says whether the public file tells its line.  Both are None in runs before there were blocks.
    """

    __tablename__ = "cut_off"

    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"), primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), primary_key=True)
    pool: Mapped[str] = mapped_column(primary_key=True)
    places: Mapped[int]
    filled: Mapped[int]
    state: Mapped[str]
    eligible: Mapped[int | None]
    tier: Mapped[int | None]
    ticket: Mapped[int | None]
    block: Mapped[str | None]
    line_public: Mapped[bool | None]


class Opening(Base):
    """What one family needs to check its own result against the public file: sealed, for the guardians of the child."""

    __tablename__ = "opening"

    run_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, info={"sealed": OPENING, "file": True})

    __table_args__ = (of_placement(__tablename__),)


REFUSED = ("no_places", "not_eligible", "closed_by_unit", "tier_below_cutoff", "ticket_after_cutoff")
"""Reasons for which a family waits for a wish."""


class WishReason(Base):
    """Why a wish was refused or not needed, with the numbers of the last pool tried.

    `refused_before` is how many other children the programme refused who stand before this one by tier and ticket.  It is None
    for a wish that was not refused, and in runs from before it was stored.
    """

    __tablename__ = "wish_reason"

    run_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    pool: Mapped[str | None]
    reason: Mapped[str]
    tier: Mapped[int]
    ticket: Mapped[int]
    cutoff_tier: Mapped[int | None]
    cutoff_ticket: Mapped[int | None]
    refused_before: Mapped[int | None]

    __table_args__ = (of_placement(__tablename__), Index("ix_wish_reason__programme", "run_id", "programme_id"))


PUBLISHED_REASONS = Read(
    WishReason, WishReason.application_id, (WishReason.run_id.in_(select(Run.id).where(Run.published_at.is_not(None))),)
)
"""The reasons that the published runs gave for the wishes of an application."""

PUBLISHED_OPENINGS = Read(
    Opening, Opening.application_id, (Opening.run_id.in_(select(Run.id).where(Run.published_at.is_not(None))),)
)
"""The openings of an application in the published runs, without their content."""
