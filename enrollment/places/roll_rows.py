"""The rows of the roll 在园名册, and its counts and school years."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Select,
    Subquery,
    UniqueConstraint,
    and_,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, aliased, mapped_column, validates

from enrollment.ground.city_time import today
from enrollment.ground.classifications import CLASS_LEVELS
from enrollment.ground.db import Base
from enrollment.ground.sealed.values import Sealed, SealedDate

MOST_IN_A_CLASS = 60
SCHOOL_AGE = 6
LEAVE_REASONS = ("moved", "transferred", "graduated", "promoted", "class_change", "no_show", "illness", "other")
BY_A_MOVE = ("promoted", "class_change")
"""Reasons that only a move within the kindergarten gives: the child's next entry begins on the same day."""

_PERSON = "('x' || encode(substr(id_index, 1, 8), 'hex'))::bit(64)::bigint"
ONE_PERSON, DAYS_ON_ROLL = f"int8range({_PERSON}, {_PERSON}, '[]')", "daterange(entered_on, left_on)"
"""The two ranges of the constraint that a child is on one roll on each day.  PostgreSQL compares ranges without an extension."""


def school_from(born: dt.date | None) -> int | None:
    """The year in whose September a child of this birth date is of school age: six years old on 31 August."""
    return None if born is None else born.year + SCHOOL_AGE + (born.month >= 9)


class RollClass(Base):
    """A class of a school year; `school_year` 2025 begins in September 2025.

    It exists from `opened_on` (None: from the beginning of its year) until `closed_on`.  `counted` is the number of children
    when `kept_as` is `count`: the newest entry of `roll_count`, written by the table's triggers alone.
    """

    __tablename__ = "roll_class"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    school_year: Mapped[int]
    level: Mapped[str]
    name: Mapped[str]
    kept_as: Mapped[str]
    counted: Mapped[int | None]
    as_of: Mapped[dt.date]
    opened_on: Mapped[dt.date | None]
    closed_on: Mapped[dt.date | None]
    merged_into: Mapped[uuid.UUID | None]
    promotion_id: Mapped[uuid.UUID | None]

    __table_args__ = (
        UniqueConstraint("kindergarten_id", "school_year", "name"),
        UniqueConstraint("id", "kept_as"),
        Index("ix_roll_class__year", "school_year", "kindergarten_id"),
        Index(
            "uq_roll_class__one_of_a_name",
            "kindergarten_id",
            "school_year",
            text("lower(regexp_replace(name, '\\s', '', 'g'))"),
            unique=True,
        ),
        Index("ix_roll_class__promotion_id", "promotion_id", postgresql_where=text("promotion_id IS NOT NULL")),
        CheckConstraint("level IN ('" + "','".join(CLASS_LEVELS) + "')", name="known_level"),
        CheckConstraint(
            "kept_as IN ('rows','count') AND (kept_as = 'count') = (counted IS NOT NULL)", name="rows_or_count"
        ),
        CheckConstraint("counted IS NULL OR counted >= 0", name="not_negative"),
    )


class RollChild(Base):
    """A child's time in a class, from `entered_on` until `left_on` (the first day on which it is not there).

    Only for classes that are kept as rows.  A child has one row for each class it was in; on each day it is on one roll.
    `promotion_id` is the promotion that made the row, `ending_promotion_id` the one that ended it.
    `school_from` is the year in whose September the child is of school age.  It follows from `born`, which no query can read.
    """

    __tablename__ = "roll_child"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    class_id: Mapped[uuid.UUID]
    kept_as: Mapped[str] = mapped_column(default="rows")
    name: Mapped[str] = mapped_column(Sealed("roll_child.name"))
    id_number: Mapped[str | None] = mapped_column(Sealed("roll_child.id_number"))
    id_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    born: Mapped[dt.date | None] = mapped_column(SealedDate("roll_child.born"))
    school_from: Mapped[int | None]
    entered_on: Mapped[dt.date]
    left_on: Mapped[dt.date | None]
    leave_reason: Mapped[str | None]
    promotion_id: Mapped[uuid.UUID | None]
    ending_promotion_id: Mapped[uuid.UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["class_id", "kept_as"], ["roll_class.id", "roll_class.kept_as"], name="fk_roll_child__class"
        ),
        CheckConstraint("kept_as = 'rows'", name="only_in_classes_kept_as_rows"),
        CheckConstraint("left_on >= entered_on", name="leaves_after_entering"),
        ExcludeConstraint(
            (text(ONE_PERSON), "&&"),
            (text(DAYS_ON_ROLL), "&&"),
            name="ex_roll_child__one_roll_a_day",
            using="gist",
            where=text("id_index IS NOT NULL"),
        ),
        Index("ix_roll_child__class", "class_id"),
        Index("ix_roll_child__promotion_id", "promotion_id", postgresql_where=text("promotion_id IS NOT NULL")),
        Index(
            "ix_roll_child__ending_promotion_id",
            "ending_promotion_id",
            postgresql_where=text("ending_promotion_id IS NOT NULL"),
        ),
        Index("uq_roll_child__on_roll_once", "id_index", unique=True, postgresql_where=text("left_on IS NULL")),
    )

    @validates("born")
    def _note_school_year(self, _name: str, born: dt.date | None) -> dt.date | None:
        self.school_from = school_from(born)
        return born


class RollCorrection(Base):
    """A dated entry: which columns of a child's row were corrected, and their values before as sealed JSON."""

    __tablename__ = "roll_correction"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    roll_child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("roll_child.id"), index=True)
    corrected_on: Mapped[dt.date]
    changed: Mapped[list[Any]] = mapped_column(JSONB)
    before: Mapped[str] = mapped_column(Sealed("roll_correction.before"))
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))


def children_on(day: dt.date, kindergartens: Select[Any] | list[uuid.UUID]) -> Subquery:
    """Rows (class_id, children) of these kindergartens' classes kept as child rows, counted at the beginning of a day.

    The condition on the kindergartens is inside, otherwise the roll of the whole city is grouped before the join.
    """
    return (
        select(RollChild.class_id, func.count().label("children"))
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(RollClass.kindergarten_id.in_(kindergartens))
        .where(on_roll_condition(day))
        .group_by(RollChild.class_id)
        .subquery("children_on_roll")
    )


def on_roll_condition(day: dt.date) -> ColumnElement[bool]:
    """The SQL condition that a row of `RollChild` is on roll on this day."""
    return and_(RollChild.entered_on <= day, or_(RollChild.left_on.is_(None), RollChild.left_on > day))


def goes_on_condition(begins: dt.date) -> ColumnElement[bool]:
    """The SQL condition that a row of `RollChild` goes on when the school year after its own begins: it has not ended by then,
    or only by the promotion.  A newly admitted child may already be in its new class, here or elsewhere, and goes on there.
    """
    elsewhere = aliased(RollChild)
    arrived = select(elsewhere.id).where(
        elsewhere.id_index == RollChild.id_index, elsewhere.id != RollChild.id, elsewhere.left_on.is_(None)
    )
    return or_(
        and_(RollChild.left_on.is_(None), ~arrived.exists()),
        RollChild.left_on > begins,
        RollChild.leave_reason == "promoted",
    )


def school_year_of(day: dt.date) -> int:
    """The school year of a day: it begins in September and is named after that year."""
    return day.year if day.month >= 9 else day.year - 1


def day_within(school_year: int, now: dt.datetime) -> dt.date:
    """Today, or the nearest day of that school year (1 September to 31 August)."""
    return min(max(today(now), dt.date(school_year, 9, 1)), dt.date(school_year + 1, 8, 31))
