"""The rows of births and of the children of past school years."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.classifications import Level, Nature
from enrollment.ground.db import Base

COUNTED_LEVELS = (Level.LOWER, Level.MIDDLE, Level.UPPER)
FIRST_YEAR, LAST_YEAR = 1990, 2100
MOST_BIRTHS = 200_000
MOST_CHILDREN = 500_000


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
