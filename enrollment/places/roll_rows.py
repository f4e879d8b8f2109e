"""The rows of the roll 在园名册, and its counts and school years."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Subquery,
    UniqueConstraint,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.city_time import today
from enrollment.ground.classifications import CLASS_LEVELS
from enrollment.ground.db import Base
from enrollment.ground.vault import Sealed

MOST_IN_A_CLASS = 60
LEAVE_REASONS = ("moved", "transferred", "graduated", "promoted", "no_show", "illness", "other")


class RollClass(Base):
    """A class.  `school_year` 2025 begins in September 2025.  `counted` is the number of children when `kept_as` is `count`."""

    __tablename__ = "roll_class"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    school_year: Mapped[int]
    level: Mapped[str]
    name: Mapped[str]
    kept_as: Mapped[str]
    counted: Mapped[int | None]
    as_of: Mapped[dt.date]

    __table_args__ = (
        UniqueConstraint("kindergarten_id", "school_year", "name"),
        UniqueConstraint("id", "kept_as"),
        Index("ix_roll_class__year", "school_year", "kindergarten_id"),
        CheckConstraint("level IN ('" + "','".join(CLASS_LEVELS) + "')", name="known_level"),
        CheckConstraint(
            "kept_as IN ('rows','count') AND (kept_as = 'count') = (counted IS NOT NULL)", name="rows_or_count"
        ),
        CheckConstraint("counted IS NULL OR counted >= 0", name="not_negative"),
    )


class RollChild(Base):
    """A child on roll.  Only for classes that are kept as rows."""

    __tablename__ = "roll_child"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    class_id: Mapped[uuid.UUID]
    kept_as: Mapped[str] = mapped_column(default="rows")
    name: Mapped[str] = mapped_column(Sealed("roll_child.name"))
    id_number: Mapped[str | None] = mapped_column(Sealed("roll_child.id_number"))
    id_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    born: Mapped[dt.date | None]
    entered_on: Mapped[dt.date]
    left_on: Mapped[dt.date | None]
    leave_reason: Mapped[str | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["class_id", "kept_as"], ["roll_class.id", "roll_class.kept_as"], name="fk_roll_child__class"
        ),
        CheckConstraint("kept_as = 'rows'", name="only_in_classes_kept_as_rows"),
        Index("ix_roll_child__class", "class_id"),
        Index("uq_roll_child__on_roll_once", "id_index", unique=True, postgresql_where=text("left_on IS NULL")),
    )


class RollCorrection(Base):
    """A dated entry: which columns of a child's row were corrected, and their values before as sealed JSON."""

    __tablename__ = "roll_correction"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    roll_child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("roll_child.id"), index=True)
    corrected_on: Mapped[dt.date]
    changed: Mapped[list[Any]] = mapped_column(JSONB)
    before: Mapped[str] = mapped_column(Sealed("roll_correction.before"))
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))


def children_on(day: dt.date, kindergarten_id: uuid.UUID) -> Subquery:
    """Rows (class_id, children) of a kindergarten's classes kept as child rows, counted at the beginning of a day.

    The condition on the kindergarten is inside, otherwise the roll of the whole city is grouped before the join.
    """
    return (
        select(RollChild.class_id, func.count().label("children"))
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(RollClass.kindergarten_id == kindergarten_id)
        .where(RollChild.entered_on <= day, or_(RollChild.left_on.is_(None), RollChild.left_on > day))
        .group_by(RollChild.class_id)
        .subquery("children_on_roll")
    )


def school_year_of(day: dt.date) -> int:
    """The school year of a day: it begins in September and is named after that year."""
    return day.year if day.month >= 9 else day.year - 1


def day_within(school_year: int, now: dt.datetime) -> dt.date:
    """Today, or the nearest day of that school year (1 September to 31 August)."""
    return min(max(today(now), dt.date(school_year, 9, 1)), dt.date(school_year + 1, 8, 31))
