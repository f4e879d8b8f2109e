"""The rows of births, of new housing estates, and of the children of past school years."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.classifications import Level, Nature
from enrollment.ground.db import Base

COUNTED_LEVELS = (Level.LOWER, Level.MIDDLE, Level.UPPER)
FIRST_YEAR, LAST_YEAR = 1990, 2100
MOST_BIRTHS = 200_000
MOST_CHILDREN = 500_000
MOST_DWELLINGS, MOST_PER_HUNDRED = 50_000, 60


class AreaBirths(Base):
    """Children born in an area from 1 September of `school_year` to 31 August, as the register said on the day `vintage`.

    The register grows late, so an older vintage stays beside a newer one.
    """

    __tablename__ = "area_births"

    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    school_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vintage: Mapped[dt.date] = mapped_column(primary_key=True)
    children: Mapped[int]

    __table_args__ = (
        CheckConstraint(f"school_year BETWEEN {FIRST_YEAR} AND {LAST_YEAR}", name="sane_year"),
        CheckConstraint("children >= 0", name="not_negative"),
        CheckConstraint("vintage >= make_date(school_year, 9, 1)", name="not_before_it_began"),
    )


class AreaHistory(Base):
    """Children in kindergarten in September of `school_year` by nature and level, as the statistics return said.

    `attached` are the children of classes of primary schools 附设班.
    """

    __tablename__ = "area_history"

    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    school_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    level: Mapped[str] = mapped_column(primary_key=True)
    nature: Mapped[str] = mapped_column(primary_key=True)
    attached: Mapped[bool] = mapped_column(primary_key=True)
    children: Mapped[int]

    __table_args__ = (
        CheckConstraint(f"school_year BETWEEN {FIRST_YEAR} AND {LAST_YEAR}", name="sane_year"),
        CheckConstraint("level IN ('" + "','".join(COUNTED_LEVELS) + "')", name="known_level"),
        CheckConstraint("nature IN ('" + "','".join(Nature) + "')", name="known_nature"),
        CheckConstraint("children >= 0", name="not_negative"),
    )


class Estate(Base):
    """A housing estate 小区 of an area.  Its families are there in September of `first_september` for the first time;
    `per_hundred` children of three to five years come with a hundred dwellings."""

    __tablename__ = "estate"

    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    first_september: Mapped[int]
    dwellings: Mapped[int]
    per_hundred: Mapped[int]

    @property
    def children(self) -> int:
        """The children that it brings."""
        return self.dwellings * self.per_hundred // 100

    __table_args__ = (
        CheckConstraint("length(name) > 0", name="has_a_name"),
        CheckConstraint(f"first_september BETWEEN {FIRST_YEAR} AND {LAST_YEAR}", name="sane_year"),
        CheckConstraint(f"dwellings BETWEEN 1 AND {MOST_DWELLINGS}", name="some_dwellings"),
        CheckConstraint(f"per_hundred BETWEEN 0 AND {MOST_PER_HUNDRED}", name="sane_children"),
        Index("ix_estate__first_september", "first_september"),
    )
