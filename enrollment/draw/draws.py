"""The one draw of a season: commitment first, then the public seed, then everybody's ticket."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class Snapshot(Base):
    """A round's market as files, frozen.  A correction makes a new snapshot; nothing is overwritten."""

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

    __table_args__ = (
        UniqueConstraint("round_id", "number"),
        CheckConstraint("length(commitment) = 64", name="commitment_is_sha256"),
    )


class Draw(Base):
    """The season's draw (`number` 1), and a further one for children who join later.

    The seed cannot exist before the commitment was published: the table refuses it.
    """

    __tablename__ = "draw"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"))
    number: Mapped[int]
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
        CheckConstraint("(seed IS NULL) = (seeded_at IS NULL)", name="seed_has_a_time"),
        CheckConstraint("seeded_at IS NULL OR seeded_at > committed_at", name="seed_after_commitment"),
        CheckConstraint("seed IS NULL OR length(seed) = 64", name="seed_is_sha256"),
    )


class Ticket(Base):
    """The ticket 派位号: it belongs to the child and the season, and there is only ever one."""

    __tablename__ = "ticket"

    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), primary_key=True)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"), primary_key=True)
    number: Mapped[int]
    draw_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("draw.id"))

    __table_args__ = (UniqueConstraint("year", "number"), CheckConstraint("number >= 1", name="counted_from_one"))
