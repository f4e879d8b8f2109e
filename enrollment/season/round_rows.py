"""The rows of rounds, their stages, and `move`, which changes a stage."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.classifications import Level, Nature
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.season.rules import PAIR_RULES


class RoundKind(StrEnum):
    """Families hand in wishes for the main and the supplementary round; a waitlist replays, central placement assigns."""

    MAIN = "main"
    WAITLIST = "waitlist"
    SUPPLEMENTARY = "supplementary"
    CENTRAL = "central"


class RoundStage(StrEnum):
    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"
    FROZEN = "frozen"
    DRAWN = "drawn"
    PUBLISHED = "published"


KINDS = tuple(RoundKind)
STAGES = tuple(RoundStage)
KINDS_WITH_WISHES = (RoundKind.MAIN, RoundKind.SUPPLEMENTARY)

MOVES = {
    "open": (RoundStage.PLANNED, RoundStage.OPEN),
    "close": (RoundStage.OPEN, RoundStage.CLOSED),
    "reopen": (RoundStage.CLOSED, RoundStage.OPEN),
    "freeze": (RoundStage.CLOSED, RoundStage.FROZEN),
    "draw": (RoundStage.FROZEN, RoundStage.DRAWN),
    "set_aside": (RoundStage.DRAWN, RoundStage.FROZEN),
    "publish": (RoundStage.DRAWN, RoundStage.PUBLISHED),
}
"""All moves of a round: from, to."""


class Round(Base):
    """A round is open for registration from `opens_at` up to `closes_at`; answers are due before `confirm_by`.

    The filter (areas, natures, levels; empty = all) is stored as `round_programme` rows when the round opens.
    `draw_job_id` is the latest job of its draw.  `results_at` is the announced hour of its next result; without one the main
    round follows the calendar (`draw.publication.hours`).
    """

    __tablename__ = "round"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"))
    number: Mapped[int]
    kind: Mapped[str]
    name: Mapped[str]
    stage: Mapped[str] = mapped_column(default=RoundStage.PLANNED)
    max_wishes: Mapped[int] = mapped_column(default=5)
    pair_rule: Mapped[str] = mapped_column(default="overhang")
    areas: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    natures: Mapped[list[str]] = mapped_column(ARRAY(String), default=lambda: [Nature.PUBLIC, Nature.INCLUSIVE])
    levels: Mapped[list[str]] = mapped_column(ARRAY(String), default=lambda: [Level.LOWER])
    opens_at: Mapped[dt.datetime]
    closes_at: Mapped[dt.datetime]
    confirm_by: Mapped[dt.datetime]
    results_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    draw_job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))

    policies: Mapped[list["RoundPolicy"]] = relationship(back_populates="round", lazy="selectin")

    __table_args__ = (
        UniqueConstraint("year", "number"),
        CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),
        CheckConstraint("stage IN ('" + "','".join(STAGES) + "')", name="known_stage"),
        CheckConstraint("pair_rule IN ('" + "','".join(PAIR_RULES) + "')", name="known_pair_rule"),
        CheckConstraint("max_wishes BETWEEN 1 AND 20", name="some_wishes"),
        CheckConstraint("opens_at < closes_at AND closes_at < confirm_by", name="dates_in_order"),
    )


class RoundPolicy(Base):
    """The signed policy that a round applies in an area, with its digest at the moment of freezing."""

    __tablename__ = "round_policy"

    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"), primary_key=True)
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    policy_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("policy.id"))
    digest: Mapped[str]

    round: Mapped[Round] = relationship(back_populates="policies")


class RoundProgramme(Base):
    """A programme that takes part in a round, stored when the round opens."""

    __tablename__ = "round_programme"

    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"), primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), primary_key=True, index=True)


def get_round(session: Session, round_id: uuid.UUID, *, lock: bool = False) -> Round:
    found = session.get(Round, round_id, with_for_update=lock, populate_existing=lock)
    if found is None:
        raise NotFound(round_id)
    return found


def move(session: Session, found: Round, name: str, *, by: Actor, now: dt.datetime, **details) -> None:
    """Change a round's stage; the caller holds its lock.  Refuses `round_move_not_possible` from any other stage."""
    before, after = MOVES[name]
    if found.stage != before:
        raise Refused("round_move_not_possible", stage=found.stage, move=name)
    found.stage = after
    found.version += 1
    session.flush()
    audit.record(session, f"{name}_round", "round", found.id, by=by, now=now, before=before, after=after, **details)
