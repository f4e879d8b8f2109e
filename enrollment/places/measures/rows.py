"""The row of a measure, and its kinds."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enrollment.ground.classifications import Nature
from enrollment.ground.db import Base
from enrollment.places.kindergartens import Kindergarten


class MeasureKind(StrEnum):
    """新建、改扩建、附属办园点、小区配套园治理、转普惠、转公办、合并、停办."""

    BUILD = "build"
    ENLARGE = "enlarge"
    AFFILIATED = "affiliated"
    ESTATE = "estate"
    TO_INCLUSIVE = "to_inclusive"
    TO_PUBLIC = "to_public"
    MERGE = "merge"
    CLOSE = "close"


class MeasureStage(StrEnum):
    """设想、已立项、在建、已完成: how far a project has come.  The work of one that is `underway` has begun, so every plan counts
    it; one that is `done` is in the roll and in no plan."""

    IDEA = "idea"
    APPROVED = "approved"
    UNDERWAY = "underway"
    DONE = "done"


COMMITTED = (MeasureStage.APPROVED, MeasureStage.UNDERWAY)
"""Stages in which a project is expected to open its places in its year."""

OPENS = (MeasureKind.BUILD, MeasureKind.ENLARGE, MeasureKind.AFFILIATED, MeasureKind.ESTATE)
"""Kinds that bring new places."""

ENDS = (MeasureKind.MERGE, MeasureKind.CLOSE)
"""Kinds that take places away."""

LEAD: dict[MeasureKind, int] = {kind: 1 if kind in OPENS else 0 for kind in MeasureKind} | {MeasureKind.BUILD: 2}
"""Years from the first money to the first children, unless the measure says another number."""

MOST_PLACES, MOST_MONEY = 2_000, 1_000_000
LATEST_LEAD = 6


class Measure(Base):
    """A project of one area, taken whole or not at all.  `places` are added, turned or taken away; `nature` is that of new
    places.  Money in 10,000 yuan: `cost` once, `yearly` in each year in force (below 0: saved).  It may begin in
    `earliest_year` and has children `lead_years` later; from its `stage` on `approved` it does begin then.  Turning and ending a kindergarten needs `kindergarten_id`."""

    __tablename__ = "measure"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), index=True)
    kindergarten_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("kindergarten.id"))
    nature: Mapped[str] = mapped_column(default=Nature.PUBLIC)
    places: Mapped[int]
    cost: Mapped[int]
    yearly: Mapped[int]
    earliest_year: Mapped[int]
    lead_years: Mapped[int]
    withdrawn_at: Mapped[dt.datetime | None]
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)
    stage: Mapped[str] = mapped_column(default=MeasureStage.IDEA, server_default=MeasureStage.IDEA)

    kindergarten: Mapped[Kindergarten | None] = relationship(lazy="joined")

    @property
    def opens(self) -> int:
        """The year whose September has the first children, if it begins in its earliest year."""
        return self.earliest_year + self.lead_years

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(MeasureKind) + "')", name="known_kind"),
        CheckConstraint("nature IN ('public','inclusive')", name="counted_nature"),
        CheckConstraint(
            "kindergarten_id IS NOT NULL OR kind IN ('" + "','".join(OPENS) + "')", name="kindergarten_to_change"
        ),
        CheckConstraint(f"places BETWEEN 1 AND {MOST_PLACES}", name="some_places"),
        CheckConstraint(
            f"cost BETWEEN 0 AND {MOST_MONEY} AND yearly BETWEEN -{MOST_MONEY} AND {MOST_MONEY}", name="sane_money"
        ),
        CheckConstraint(
            f"earliest_year BETWEEN 2000 AND 2100 AND lead_years BETWEEN 0 AND {LATEST_LEAD}", name="sane_years"
        ),
        CheckConstraint("length(name) > 0 AND length(code) > 0", name="has_a_name"),
        CheckConstraint("stage IN ('" + "','".join(MeasureStage) + "')", name="known_stage"),
        Index("ix_measure__kindergarten_id", "kindergarten_id"),
    )


class MeasureRamp(Base):
    """How fast the places of a kind of measure open: per cent in the first, second and third September in force; all of
    them from the fourth on.  A kind without a row takes one class level more each September."""

    __tablename__ = "measure_ramp"

    kind: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[int]
    second: Mapped[int]
    third: Mapped[int]
    changed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    changed_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(OPENS) + "')", name="kind_that_opens"),
        CheckConstraint("first BETWEEN 1 AND second AND second <= third AND third <= 100", name="never_fewer_places"),
    )
