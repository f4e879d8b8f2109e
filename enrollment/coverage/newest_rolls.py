"""The newest roll of each kindergarten, and which classes of it and of the year before count on a day.

From 1 September until its promotion a kindergarten has two rolls: the new one with the children who arrived, and last
year's with all others.  Last year's counts until the new one shows that they were moved up.  The rule is that of the promotion
(`places.class_promotion.new_classes.were_promoted`), as SQL for all kindergartens at once.

A promotion acts from 1 September on, whenever it is made.  Children it did not move, because they had left on a later day or
are to leave on one, stay in last year's classes by name until that day.
"""

import datetime as dt
from collections.abc import Collection

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    SQLColumnExpression,
    Subquery,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from enrollment.coverage.roll_days import RollClassDay
from enrollment.ground.classifications import Level
from enrollment.places.class_promotion.new_classes import ENTRY_LEVELS, went_on_condition
from enrollment.places.class_promotion.newcomers import not_a_newcomer
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_change_rows import RollPromotion, number_on
from enrollment.places.roll_rows import RollChild, RollClass, school_year_of


def query(on: dt.date, areas: Collection[str] | None = None) -> Subquery:
    """The newest school year with a roll for each kindergarten, up to that of the date.

    `whole` is false while last year's classes still count: there are some, and the new roll has only classes of the entry
    levels, empty ones, and children who arrived, were transferred or are new.  `promoted`: by a promotion that was not undone.
    """
    years = (
        select(
            RollClass.kindergarten_id,
            RollClass.school_year.label("year"),
            func.bool_or(_shows_promotion(on)).label("shown"),
            func.bool_or(_is_older_by_name(RollClass, on)).label("by_name"),
        )
        .where(RollClass.school_year <= school_year_of(on), of_areas(areas))
        .group_by(RollClass.kindergarten_id, RollClass.school_year)
        .subquery("years")
    )
    before = func.lag(years.c.year).over(partition_by=years.c.kindergarten_id, order_by=years.c.year)
    newest = (
        select(years, before.label("before"))
        .ext(distinct_on(years.c.kindergarten_id))
        .order_by(years.c.kindergarten_id, years.c.year.desc())
        .subquery("newest_year")
    )
    whole = case(
        (or_(newest.c.shown, newest.c.before.is_distinct_from(newest.c.year - 1)), true()),
        (_promoted(newest), true()),
        (~newest.c.by_name, false()),
        else_=func.coalesce(_moved_child(newest, on), false()),
    )
    found = select(
        newest.c.kindergarten_id,
        newest.c.year,
        whole.label("whole"),
        _promoted(newest).label("promoted"),
        literal(on).label("day"),
    )
    # without OFFSET 0 PostgreSQL asks for `whole` once for each class
    return found.offset(0).subquery("newest")


def condition(newest: Subquery) -> ColumnElement[bool]:
    """Classes to count: those of the newest roll and, while it is not whole, last year's classes except the upper ones,
    whose children left for school.  After a promotion, last year's classes with a child that it did not move."""
    left_over = and_(newest.c.promoted, RollClass.kept_as == "rows", _is_left_later(newest))
    of_last_year = and_(
        RollClass.school_year == newest.c.year - 1,
        RollClass.level != Level.UPPER,
        or_(newest.c.whole.is_(False), left_over),
    )
    return and_(
        newest.c.kindergarten_id == RollClass.kindergarten_id, or_(RollClass.school_year == newest.c.year, of_last_year)
    )


def seats_column(newest: Subquery, norm: ColumnElement[int]) -> ColumnElement[int]:
    """The seats of a class that counts.  A class which last year's children are still to join has none beside theirs, nor
    has a class that was promoted beside the one into which it was."""
    to_be_joined = and_(
        newest.c.whole.is_(False), RollClass.school_year == newest.c.year, RollClass.level.not_in(ENTRY_LEVELS)
    )
    left_over = and_(newest.c.whole, RollClass.school_year < newest.c.year)
    return case((or_(to_be_joined, left_over), 0), else_=norm)


def children_there(
    newest: Subquery, children: SQLColumnExpression[int], of_school_age: SQLColumnExpression[int]
) -> ColumnElement[int]:
    """Of the children of a class by name those who count: those of school age left a mixed class of last year for school, as
    the upper classes did."""
    return children - case((RollClass.school_year < newest.c.year, of_school_age), else_=0)


def for_school_condition(year: int | ColumnElement[int]) -> ColumnElement[bool]:
    """The same of one row of `RollChild`: it was in a mixed class of an earlier year and is at school in that of `year`."""
    return and_(RollClass.level == Level.MIXED, RollClass.school_year < year, RollChild.school_from <= year)


def of_areas(areas: Collection[str] | None) -> ColumnElement[bool]:
    """Classes of kindergartens in these areas; inside the subqueries, so that one area costs what one area has."""
    if areas is None:
        return true()
    return RollClass.kindergarten_id.in_(select(Kindergarten.id).where(Kindergarten.area_code.in_(areas)))


def _is_left_later(newest: Subquery) -> ColumnElement[bool]:
    """Whether a child leaves a class by name after the day."""
    found = select(RollClassDay.class_id).where(RollClassDay.class_id == RollClass.id, RollClassDay.day > newest.c.day)
    return found.correlate_except(RollClassDay).exists()


def _shows_promotion(on: dt.date) -> ColumnElement[bool]:
    """A class that a promotion made, or an older one that is kept as a number above 0."""
    older = and_(RollClass.level.not_in(ENTRY_LEVELS), _is_open(RollClass, on))
    return or_(RollClass.promotion_id.is_not(None), and_(older, RollClass.kept_as == "count", number_on(on) > 0))


def _is_open(roll_class: type[RollClass], on: dt.date) -> ColumnElement[bool]:
    return or_(roll_class.closed_on.is_(None), roll_class.closed_on > on)


def _is_older_by_name(roll_class: type[RollClass], on: dt.date) -> ColumnElement[bool]:
    older = roll_class.level.not_in(ENTRY_LEVELS)
    return and_(older, roll_class.kept_as == "rows", _is_open(roll_class, on))


def _promoted(newest: Subquery) -> ColumnElement[bool]:
    """A promotion that made no class: all its children went into classes that were there, or to school."""
    found = select(RollPromotion.id).where(
        RollPromotion.kindergarten_id == newest.c.kindergarten_id,
        RollPromotion.from_year == newest.c.year - 1,
        RollPromotion.undone_at.is_(None),
    )
    return found.exists()


def _moved_child(newest: Subquery, on: dt.date) -> ScalarSelect[bool]:
    """True where an older class of the new roll has a child that was moved up without a promotion; otherwise NULL.

    It is no newcomer, and it was in a class of last year, as its number tells.  Where it has no number, or children of last
    year have none or are only counted, any child that is no newcomer is taken for one of them.
    """
    child, there = aliased(RollChild, name="moved"), aliased(RollClass, name="moved_to")
    found = (
        select(true())
        .select_from(there)
        .join(child, child.class_id == there.id)
        .where(
            there.kindergarten_id == newest.c.kindergarten_id,
            there.school_year == newest.c.year,
            _is_older_by_name(there, on),
            child.entered_on <= on,
            child.left_on.is_distinct_from(child.entered_on),
            not_a_newcomer(child, newest.c.kindergarten_id, newest.c.year),
            or_(child.id_index.is_(None), _was_here(newest, child), _cannot_be_compared(newest)),
        )
    )
    return found.limit(1).correlate(newest).scalar_subquery()


def _was_here(newest: Subquery, child: type[RollChild]) -> ColumnElement[bool]:
    """Whether a child was in a class of last year until its end, as its number tells."""
    earlier, its_class = aliased(RollChild, name="earlier"), aliased(RollClass, name="earlier_class")
    found = (
        select(earlier.id)
        .join(its_class, its_class.id == earlier.class_id)
        .where(
            earlier.id_index == child.id_index,
            its_class.kindergarten_id == newest.c.kindergarten_id,
            its_class.school_year == newest.c.year - 1,
            went_on_condition(earlier, func.make_date(newest.c.year, 7, 1)),
        )
    )
    # a scalar, because PostgreSQL answers EXISTS beside OR by reading every child of last year
    return found.limit(1).correlate(newest, child).scalar_subquery().is_not(None)


def _cannot_be_compared(newest: Subquery) -> ColumnElement[bool]:
    """Whether last year's roll, without its upper classes, has a class that is kept as a number or a child without a number."""
    old, nameless = aliased(RollClass, name="old_class"), aliased(RollChild, name="without_number")
    without_number = select(nameless.id).where(
        nameless.class_id == old.id,
        nameless.id_index.is_(None),
        went_on_condition(nameless, func.make_date(newest.c.year, 7, 1)),
    )
    found = select(old.id).where(
        old.kindergarten_id == newest.c.kindergarten_id,
        old.school_year == newest.c.year - 1,
        old.level != Level.UPPER,
        or_(old.counted > 0, without_number.limit(1).correlate(newest, old).scalar_subquery().is_not(None)),
    )
    return found.correlate(newest).exists()
