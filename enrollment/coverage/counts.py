"""Counts of children in the database: on roll at a date, and with an offer of this year.

Everything that the figures know of the roll is read here.  Children of classes that are kept by name come from
`roll_class_day`, which the database keeps (`roll_days.py`), so that a page costs what the classes cost.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    SQLColumnExpression,
    Subquery,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from enrollment.coverage import newest_rolls
from enrollment.coverage.indicator import Children
from enrollment.coverage.roll_days import RollClassDay
from enrollment.coverage.snapshots import Counted, RollDates, Snapshot
from enrollment.ground.classifications import Level
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.people.person_rows import ChildDocument
from enrollment.places.areas import level_in
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import number_on
from enrollment.places.roll_rows import on_roll_condition

PARENT = aliased(Kindergarten, name="parent")
EDUCATION = "教办|教育"
"""How lists of kindergartens name the education department as the founder."""

TRUE = true()


def count(
    session: Session,
    on: dt.date,
    year: int,
    *,
    by_kindergarten: bool = False,
    within: ColumnElement[bool] = TRUE,
    areas: Collection[str] | None = None,
) -> Snapshot:
    """The children at a date, by area, or by kindergarten with its code as the `place`; of these areas or of all."""
    if areas is not None:
        within = and_(within, Kindergarten.area_code.in_(areas))
    key = Kindergarten.code if by_kindergarten else Kindergarten.area_code
    now, after = [], []
    for row in _on_roll(session, on, year, key, within, areas):
        now.append(_counted(row, row.children, row.level, row.school_year))
        later = level_in(row.level, row.school_year, year)
        if later:
            after.append(_counted(row, row.staying, later))
    coming = tuple(_counted(row, row.children, row.level) for row in _incoming(session, on, year, key, within, areas))
    return Snapshot(on, year, tuple(now), (*after, *coming), coming, _roll_dates(session, on, areas))


def _roll_dates(session: Session, on: dt.date, areas: Collection[str] | None) -> dict[str, RollDates]:
    """By area; an area without a roll has none."""
    newest = newest_rolls.query(on, areas)
    by_kindergarten = (
        select(Kindergarten.area_code, func.max(RollClass.as_of).label("as_of"))
        .select_from(RollClass)
        .join(newest, newest_rolls.condition(newest))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(open_condition(on))
        .group_by(Kindergarten.area_code, Kindergarten.id)
        .subquery()
    )
    as_of = by_kindergarten.c.as_of
    found = session.execute(
        select(by_kindergarten.c.area_code, func.min(as_of), func.max(as_of)).group_by(by_kindergarten.c.area_code)
    )
    return {row[0]: RollDates(row[1], row[2]) for row in found}


def _counted(row: Row, number: int, level: str, school_year: int | None = None) -> Counted:
    children = Children(number, row.nature, level, row.attached, row.education)
    return Counted(row.place, row.area, row.parent_area, children, school_year)


def open_condition(on: dt.date) -> ColumnElement[bool]:
    """The SQL condition that a kindergarten is open at a date."""
    return or_(Kindergarten.closed_on.is_(None), Kindergarten.closed_on > on)


def nature_column() -> ColumnElement[str]:
    """A site has the nature of its parent, which the query joins as `PARENT`."""
    return func.coalesce(PARENT.nature, Kindergarten.nature)


def groups(key: SQLColumnExpression[str]) -> tuple[Any, ...]:
    """What children are grouped by beside their level; the query joins `PARENT`."""
    return (
        key.label("place"),
        Kindergarten.area_code.label("area"),
        func.coalesce(PARENT.area_code, Kindergarten.area_code).label("parent_area"),
        nature_column().label("nature"),
        Kindergarten.attached,
        func.coalesce(func.coalesce(PARENT.run_by, Kindergarten.run_by).op("~")(EDUCATION), False).label("education"),
    )


def _incoming_condition(year: int, newest_year: ColumnElement[int]) -> ColumnElement[bool]:
    """A live offer counts as a child, unless the child arrived at a kindergarten that already has the new roll."""
    return and_(
        Programme.year == year,
        Offer.state.in_(LIVE),
        or_(Offer.state != OfferState.ARRIVED, newest_year.is_(None), newest_year < year),
    )


def by_class_query(on: dt.date, areas: Collection[str] | None) -> Subquery:
    """Children of classes kept by name at a date, of these the ones that leave a mixed class for school."""
    return (
        select(
            RollClassDay.class_id,
            func.sum(RollClassDay.children).label("children"),
            func.sum(RollClassDay.of_school_age).label("of_school_age"),
        )
        .join(RollClass, RollClass.id == RollClassDay.class_id)
        .where(RollClassDay.day <= on, newest_rolls.of_areas(areas))
        .group_by(RollClassDay.class_id)
        .subquery("by_class")
    )


def children_column(newest: Subquery, by_class: Subquery, on: dt.date) -> ColumnElement[int]:
    """The children of a row of `RollClass` at a date; the query joins `newest` and, as outer, `by_class`."""
    listed = newest_rolls.children_there(newest, by_class.c.children, by_class.c.of_school_age)
    return case((RollClass.kept_as == "count", number_on(on)), else_=func.coalesce(listed, 0))


def _leaving_query(on: dt.date, year: int, areas: Collection[str] | None) -> Subquery:
    """Children on roll by class with a live offer of another kindergarten, where they count once, or an arrival.

    A child has one live offer in a season, and a document is on one roll once.  Who leaves a mixed class for school is
    not counted here a second time.
    """
    return (
        select(RollChild.class_id, func.count().label("children"))
        .select_from(Offer)
        .join(ChildDocument, ChildDocument.child_id == Offer.child_id)
        .join(RollChild, RollChild.id_index == ChildDocument.person_index)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(
            Offer.year == year,
            Offer.state.in_(LIVE),
            or_(Offer.state != OfferState.ARRIVED, RollClass.school_year < year),
            on_roll_condition(on),
            newest_rolls.for_school_condition(year).is_not(True),
            newest_rolls.of_areas(areas),
        )
        .group_by(RollChild.class_id)
        .subquery("leaving")
    )


def _later_for_school_query(on: dt.date, year: int, areas: Collection[str] | None) -> Subquery:
    """Children on roll by mixed class who are of school age after its next September and by that of `year`: none, unless the
    class is older than a year then."""
    return (
        select(RollChild.class_id, func.count().label("children"))
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(
            RollClass.level == Level.MIXED,
            RollClass.school_year < year - 1,
            RollChild.school_from.between(RollClass.school_year + 2, year),
            on_roll_condition(on),
            newest_rolls.of_areas(areas),
        )
        .group_by(RollChild.class_id)
        .subquery("later_for_school")
    )


def _on_roll(
    session: Session, on: dt.date, year: int, key, within: ColumnElement[bool], areas: Collection[str] | None
) -> Iterable[Row]:
    """Children on roll by `place` (the value of `key`), nature, attached, level and school year.

    `children` are on roll at the date; `staying` are those who do not leave for school or another kindergarten by September
    of the year.  The leavers of a mixed class that is kept as a count are unknown, so all its children stay.
    """
    newest, by_class = newest_rolls.query(on, areas), by_class_query(on, areas)
    leaving, later = _leaving_query(on, year, areas), _later_for_school_query(on, year, areas)
    children = children_column(newest, by_class, on)
    # those of last year's class are not among its children any more
    is_left_by_them = and_(RollClass.school_year < year, RollClass.school_year == newest.c.year)
    for_school = case((is_left_by_them, by_class.c.of_school_age), else_=0)
    gone = func.coalesce(for_school, 0) + func.coalesce(later.c.children, 0) + func.coalesce(leaving.c.children, 0)
    staying = case((RollClass.kept_as == "count", number_on(on)), else_=children - gone)
    grouped = (*groups(key), RollClass.level, RollClass.school_year)
    return session.execute(
        select(*grouped, _integer_sum(children).label("children"), _integer_sum(staying).label("staying"))
        .select_from(RollClass)
        .join(newest, newest_rolls.condition(newest))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .outerjoin(PARENT, PARENT.id == Kindergarten.parent_id)
        .outerjoin(by_class, by_class.c.class_id == RollClass.id)
        .outerjoin(leaving, leaving.c.class_id == RollClass.id)
        .outerjoin(later, later.c.class_id == RollClass.id)
        .where(open_condition(on), within)
        .group_by(*grouped)
    )


def _integer_sum(numbers: ColumnElement[int]) -> ColumnElement[int]:
    """An integer sum; PostgreSQL's sum of bigint is numeric."""
    return cast(func.sum(numbers), BigInteger)


def _incoming(
    session: Session, on: dt.date, year: int, key, within: ColumnElement[bool], areas: Collection[str] | None
) -> Iterable[Row]:
    """Children with a live offer of `year` who are on no roll yet, by `place`, nature, attached and level."""
    newest = newest_rolls.query(on, areas)
    grouped = (*groups(key), Programme.level)
    return session.execute(
        select(*grouped, func.count().label("children"))
        .select_from(Offer)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(PARENT, PARENT.id == Kindergarten.parent_id)
        .outerjoin(newest, newest.c.kindergarten_id == Kindergarten.id)
        .where(_incoming_condition(year, newest.c.year), open_condition(on), within)
        .group_by(*grouped)
    )
