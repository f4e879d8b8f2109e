"""Counts of children in the database: on roll at a date, and with an offer of this year.

Everything that the figures know of the roll is read here.  Children of classes that are kept by name come from
`roll_class_day`, which the database keeps (`roll_days.py`), so that a page costs what the classes cost.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
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
from enrollment.ground.classifications import Level
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.people.person_rows import ChildDocument
from enrollment.places.areas import NEXT_LEVEL
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import number_on

PARENT = aliased(Kindergarten, name="parent")
EDUCATION = "教办|教育"
"""How lists of kindergartens name the education department as the founder."""

TRUE = true()


@dataclass(frozen=True)
class Counted:
    """Children of one place: on roll, or after the intake.  `area` is where the kindergarten is, `parent_area` where its
    parent is; `school_year` is that of the roll."""

    place: str
    area: str
    parent_area: str
    children: Children
    school_year: int | None = None

    def area_by(self, at_parent: bool) -> str:
        return self.parent_area if at_parent else self.area


STALE_AFTER = dt.timedelta(days=7)


@dataclass(frozen=True)
class RollDates:
    """The oldest and the newest date of the rolls of an area's kindergartens."""

    oldest: dt.date
    newest: dt.date

    def is_stale(self, on: dt.date) -> bool:
        """Whether no kindergarten has brought its roll up to date for a week."""
        return self.newest < on - STALE_AFTER


@dataclass(frozen=True)
class Snapshot:
    """The children of the city, or of one area, at a date: `now` on roll, `after` the intake of `year`, in which `coming`
    have an offer; `dates` of the rolls by area."""

    on: dt.date
    year: int
    now: tuple[Counted, ...]
    after: tuple[Counted, ...]
    coming: tuple[Counted, ...]
    dates: Mapping[str, RollDates] = field(default_factory=dict)

    @property
    def roll_of(self) -> dt.date | None:
        """The newest date of the counted rolls; None without a roll."""
        return max((each.newest for each in self.dates.values()), default=None)

    @property
    def school_year(self) -> int | None:
        """The school year of the roll of most children; None without a roll."""
        years: Counter[int] = Counter()
        for row in self.now:
            if row.school_year is not None:
                years[row.school_year] += row.children.number
        return max(years, key=lambda year: (years[year], year)) if years else None


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
        later = NEXT_LEVEL[row.level] if row.school_year < year else row.level
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


def _leaving_query(on: dt.date, year: int, areas: Collection[str] | None) -> Subquery:
    """Children on roll by class with a live offer of another kindergarten, where they count once, or an arrival.

    A child has one live offer in a season, and a document is on one roll once.  Who leaves a mixed class for school is
    not counted here a second time.
    """
    of_age = RollChild.school_from <= RollClass.school_year + 1
    for_school = and_(RollClass.level == Level.MIXED, RollClass.school_year < year, of_age)
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
            RollChild.entered_on <= on,
            or_(RollChild.left_on.is_(None), RollChild.left_on > on),
            for_school.is_not(True),
            newest_rolls.of_areas(areas),
        )
        .group_by(RollChild.class_id)
        .subquery("leaving")
    )


def _on_roll(
    session: Session, on: dt.date, year: int, key, within: ColumnElement[bool], areas: Collection[str] | None
) -> Iterable[Row]:
    """Children on roll by `place` (the value of `key`), nature, attached, level and school year.

    `children` are on roll at the date; `staying` are those who do not leave for school or another kindergarten next
    September.  The leavers of a mixed class that is kept as a count are unknown, so all its children stay.
    """
    newest, by_class = newest_rolls.query(on, areas), by_class_query(on, areas)
    leaving = _leaving_query(on, year, areas)
    children = case((RollClass.kept_as == "count", number_on(on)), else_=func.coalesce(by_class.c.children, 0))
    for_school = case((RollClass.school_year < year, by_class.c.of_school_age), else_=0)
    gone = func.coalesce(for_school, 0) + func.coalesce(leaving.c.children, 0)
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
