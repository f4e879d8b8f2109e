"""Programmes 招生计划: kindergarten × class level × year, with their places and reserved pools."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    UniqueConstraint,
    case,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.places.areas import CLASS_NORM, LEVELS
from enrollment.places.kindergartens import Kindergarten, admits_in


class ProgrammeState(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"


STATES = tuple(ProgrammeState)


class Programme(Base):
    """`places` are those of the class plan: `class_plan.places_of_level`.

    `taken` counts live offers; it moves only through the moves of `offer_lifecycle`, and the table
    refuses `taken > places + overhang`, where `overhang` are places above the limit that the published run gave to bound children.
    """

    __tablename__ = "programme"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    level: Mapped[str]
    year: Mapped[int]
    state: Mapped[str] = mapped_column(default=ProgrammeState.DRAFT)
    planned_classes: Mapped[int] = mapped_column(default=0)
    staffed_classes: Mapped[int] = mapped_column(default=0)
    class_norm: Mapped[int]
    continuing: Mapped[int] = mapped_column(default=0)
    withheld: Mapped[int] = mapped_column(default=0)
    places: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    overhang: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    kindergarten: Mapped[Kindergarten] = relationship(lazy="joined")
    pools: Mapped[list["Pool"]] = relationship(back_populates="programme", order_by="Pool.precedence", lazy="selectin")

    __table_args__ = (
        UniqueConstraint("kindergarten_id", "level", "year"),
        UniqueConstraint("id", "year"),
        Index("ix_programme__year", "year", "level"),
        CheckConstraint("level IN ('" + "','".join(LEVELS) + "')", name="known_level"),
        CheckConstraint("state IN ('" + "','".join(STATES) + "')", name="known_state"),
        CheckConstraint("places BETWEEN 0 AND 360", name="places_within_a_kindergarten"),
        CheckConstraint("taken BETWEEN 0 AND places + overhang", name="never_more_than_places"),
        CheckConstraint(
            "planned_classes >= 0 AND staffed_classes >= 0 AND class_norm > 0 AND continuing >= 0 AND withheld >= 0 AND overhang >= 0",
            name="no_negative_numbers",
        ),
        CheckConstraint(
            "places = greatest(least(planned_classes, staffed_classes) * class_norm - continuing - withheld, 0)",
            name="places_follow_the_class_plan",
        ),
    )

    @property
    def code(self) -> str:
        """The code of the kindergarten and the class level: readable, because kindergartens are public."""
        return f"{self.kindergarten.code}-{self.level}"

    @hybrid_property
    def free(self) -> int:
        """Places that the next child can be given, none where the kindergarten closes before the care begins.  `overhang` is for
        the children who hold it, and goes to nobody after them.
        """
        return max(self.places - self.taken, 0) if self.kindergarten.admits_in(self.year) else 0

    @free.inplace.expression
    @classmethod
    def _free(cls) -> ColumnElement[int]:
        site = aliased(Kindergarten)
        admits = select(site.id).where(site.id == cls.kindergarten_id, admits_in(cls.year, site)).correlate_except(site)
        return case((admits.exists(), func.greatest(cls.places - cls.taken, 0)), else_=0)

    def places_for(self, held: int) -> int:
        """Places that a market has to give: all except those that children outside the market hold.

        `held` places are held by children of the market, who take part with them.  A kindergarten that closes before the
        care begins has none: the children who hold one stand over, and nobody gets a place that one of them leaves.
        """
        if not self.kindergarten.admits_in(self.year):
            return 0
        return max(self.places - (self.taken - held), 0)


class Pool(Base):
    """Places of a programme that are reserved 预留学位 for groups, in order of precedence."""

    __tablename__ = "pool"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    code: Mapped[str]
    name: Mapped[str]
    precedence: Mapped[int]
    places: Mapped[int]
    groups: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    unclaimed: Mapped[str] = mapped_column(default="open")

    programme: Mapped[Programme] = relationship(back_populates="pools")

    __table_args__ = (
        UniqueConstraint("programme_id", "code"),
        UniqueConstraint("programme_id", "precedence"),
        CheckConstraint("places >= 0 AND precedence BETWEEN 0 AND 15", name="sane_numbers"),
        CheckConstraint("unclaimed IN ('open','locked')", name="known_unclaimed"),
    )


PROGRAMMES = Read(Programme, Programme.id)

POOLS = Read(Pool, Pool.programme_id)
"""The reserved places of a programme."""


def by_code(session: Session, year: int) -> dict[str, Programme]:
    """All programmes of a year by their `code`."""
    return {programme.code: programme for programme in session.scalars(select(Programme).where(Programme.year == year))}


def ensure(session: Session, kindergarten_id: uuid.UUID, level: str, year: int) -> Programme:
    """The programme of this level and year; created as a draft without places if it is missing."""
    fresh = insert(Programme).values(
        id=uuid.uuid4(), kindergarten_id=kindergarten_id, level=level, year=year, class_norm=CLASS_NORM[level]
    )
    session.execute(fresh.on_conflict_do_nothing(index_elements=["kindergarten_id", "level", "year"]))
    return session.scalars(_of_level(kindergarten_id, level, year)).one()


def find(session: Session, kindergarten_id: uuid.UUID, level: str, year: int) -> Programme | None:
    return session.scalars(_of_level(kindergarten_id, level, year)).one_or_none()


def _of_level(kindergarten_id: uuid.UUID, level: str, year: int) -> Select[Programme]:
    return select(Programme).where(
        Programme.kindergarten_id == kindergarten_id, Programme.level == level, Programme.year == year
    )


def of_kindergarten(
    session: Session, kindergarten_id: uuid.UUID, year: int, *, only_approved: bool = False
) -> list[Programme]:
    """The programmes of a year, youngest children first."""
    found = select(Programme).where(Programme.kindergarten_id == kindergarten_id, Programme.year == year)
    if only_approved:
        found = found.where(Programme.state == ProgrammeState.APPROVED)
    return sorted(session.scalars(found), key=lambda programme: LEVELS.index(programme.level))


@dataclass(frozen=True)
class ApprovedPlaces:
    """Places of the approved programmes of a year, and how many of all programmes are approved."""

    places: int
    approved: int
    programmes: int


def approved_places(session: Session, year: int, areas: Collection[str]) -> ApprovedPlaces:
    """Of the kindergartens of these areas that are open."""
    approved = Programme.state == ProgrammeState.APPROVED
    found = (
        select(
            func.coalesce(func.sum(Programme.places).filter(approved), 0), func.count().filter(approved), func.count()
        )
        .select_from(Programme)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == year, Kindergarten.closed_on.is_(None), Kindergarten.area_code.in_(list(areas)))
    )
    return ApprovedPlaces(*map(int, session.execute(found).one()))
