"""The draw of a season: first the commitment is published, then the seed; the seed gives each child a ticket."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, LargeBinary, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.applications.applications import Application
from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read

FORMAT = "draw/2"
"""The format of draws from now on.  A draw of `draw/1` has its seed from a hash without lengths, and no declared form."""


class Snapshot(Base):
    """A round's market as files, frozen.  A correction makes a new snapshot; nothing is overwritten.

    `outdated_at` is when a decided correction changed who takes part or with what: from then on no run of it is signed or
    published.  A snapshot that replaces another has its public `reason`, and how many corrections of which kind it holds.
    `draw_form` is the form of the draw that it was made for.
    """

    __tablename__ = "snapshot"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    number: Mapped[int]
    commitment: Mapped[str]
    market: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    children: Mapped[int]
    wishes: Mapped[int]
    made_at: Mapped[dt.datetime]
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    replaced_at: Mapped[dt.datetime | None]
    outdated_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]
    corrections: Mapped[dict[str, int] | None] = mapped_column(JSONB)
    draw_form: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("round_id", "number"),
        CheckConstraint("length(commitment) = 64", name="commitment_is_sha256"),
    )


class Draw(Base):
    """The season's draw (`number` 1), or a later one for children who joined later.

    `draw_form` is the canonical JSON of the declared form, fixed with the commitment; a draw of the format `draw/1` has none.
    The table refuses a seed that is older than the commitment, a beacon that was public before it, parts that two witnesses
    did not enter in their declared form, and a seed that is not their hash.
    """

    __tablename__ = "draw"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"))
    number: Mapped[int]
    format: Mapped[str] = mapped_column(default=FORMAT, server_default="draw/1")
    draw_form: Mapped[str | None]
    snapshot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("snapshot.id"))
    commitment: Mapped[str]
    committed_at: Mapped[dt.datetime]
    beacon_name: Mapped[str]
    beacon: Mapped[str | None]
    ceremony: Mapped[str | None]
    seed: Mapped[str | None]
    seeded_at: Mapped[dt.datetime | None]
    seeded_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))

    __table_args__ = (
        UniqueConstraint("year", "number"),
        UniqueConstraint("id", "year", name="uq_draw__id_year"),
        CheckConstraint("(seed IS NULL) = (seeded_at IS NULL)", name="seed_has_a_time"),
        CheckConstraint("seeded_at IS NULL OR seeded_at > committed_at", name="seed_after_commitment"),
        CheckConstraint("seed IS NULL OR length(seed) = 64", name="seed_is_sha256"),
    )


class Ticket(Base):
    """The ticket 派位号 of a child in a season, which is that of its draw.  There is exactly one, and it never changes."""

    __tablename__ = "ticket"

    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    draw_id: Mapped[uuid.UUID]

    __table_args__ = (
        ForeignKeyConstraint(["draw_id", "year"], ["draw.id", "draw.year"], name="fk_ticket__draw"),
        UniqueConstraint("year", "number"),
        CheckConstraint("number >= 1", name="counted_from_one"),
    )


TICKETS = Read(Ticket, Ticket.child_id)
"""The tickets of a child, one for each season with a draw."""


def ticket_numbers(session: Session, year: int) -> dict[str, int]:
    """The tickets of a season by child code."""
    found = (
        select(Application.child_code, Ticket.number)
        .join(Ticket, (Ticket.child_id == Application.child_id) & (Ticket.year == Application.year))
        .where(Ticket.year == year)
    )
    return {code: number for code, number in session.execute(found)}


def waiting_for_seed(session: Session, year: int) -> Draw | None:
    """The draw whose commitment is published and which has no seed yet."""
    found = select(Draw).where(Draw.year == year, Draw.seed.is_(None))
    return session.scalars(found.execution_options(populate_existing=True)).one_or_none()
