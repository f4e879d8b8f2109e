"""Counts of children in the database: on roll at a date, and with an offer of this year."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Row, Subquery, and_, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from enrollment.ground.classifications import Level
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.people.person_rows import ChildDocument
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.promotion import ENTRY_LEVELS
from enrollment.places.roll import RollChild, RollClass, school_year_of


@dataclass(frozen=True)
class Definition:
    """What is counted: the reference date `on`, nursery classes 托班 or not, attached classes 附设班 in the numerator or not."""

    on: dt.date
    nursery: bool = False
    attached: bool = False

    @property
    def school_year(self) -> int:
        return school_year_of(self.on)

    def counts(self, level: str) -> bool:
        return self.nursery or level != Level.NURSERY


def open_condition(definition: Definition) -> ColumnElement[bool]:
    """The SQL condition that a kindergarten is open at the reference date."""
    return or_(Kindergarten.closed_on.is_(None), Kindergarten.closed_on > definition.on)


def _nature(parent) -> ColumnElement[str]:
    """A site counts in its own area with the nature of its parent."""
    return func.coalesce(parent.nature, Kindergarten.nature)


def newest_roll_query(definition: Definition) -> Subquery:
    """The newest school year with a roll for each kindergarten, up to that of the reference date.

    `whole` is false while that roll only has classes of new children: the classes of the year before are not promoted
    yet, and their children still count.
    """
    tells_more = or_(RollClass.level.not_in(ENTRY_LEVELS), RollClass.kept_as == "count")
    return (
        select(
            RollClass.kindergarten_id,
            RollClass.school_year.label("year"),
            func.bool_or(tells_more).label("whole"),
        )
        .where(RollClass.school_year <= definition.school_year)
        .group_by(RollClass.kindergarten_id, RollClass.school_year)
        .ext(distinct_on(RollClass.kindergarten_id))
        .order_by(RollClass.kindergarten_id, RollClass.school_year.desc())
        .subquery("newest")
    )


def newest_roll_condition(newest: Subquery) -> ColumnElement[bool]:
    """Classes to count: those of the newest roll and, while it is not whole, last year's classes except the upper ones,
    whose children left for school."""
    waiting = and_(
        newest.c.whole.is_(False), RollClass.school_year == newest.c.year - 1, RollClass.level != Level.UPPER
    )
    return and_(
        newest.c.kindergarten_id == RollClass.kindergarten_id, or_(RollClass.school_year == newest.c.year, waiting)
    )


def _incoming_condition(year: int, newest_year: ColumnElement[int]) -> ColumnElement[bool]:
    """A live offer counts as a child, unless the child arrived at a kindergarten that already has the new roll."""
    return and_(
        Programme.year == year,
        Offer.state.in_(LIVE),
        or_(Offer.state != OfferState.ARRIVED, newest_year.is_(None), newest_year < year),
    )


def _children_by_class_query(definition: Definition, year: int) -> Subquery:
    """Children on roll by class: all, and those who stay (not of school age next September, no offer elsewhere)."""
    expected = _live_offer_query(year)
    # a child on a roll with an offer of another kindergarten counts once, at the other kindergarten
    moves = and_(
        expected.c.person_index.is_not(None), or_(expected.c.state != OfferState.ARRIVED, RollClass.school_year < year)
    )
    last_born = func.make_date(RollClass.school_year - 5, 8, 31)
    leaves = and_(RollClass.level == Level.MIXED, RollClass.school_year < year, RollChild.born <= last_born)
    on = definition.on
    return (
        select(
            RollChild.class_id,
            func.count().label("children"),
            func.count().filter(and_(leaves.is_not(True), moves.is_not(True))).label("staying"),
        )
        .join(RollClass, RollClass.id == RollChild.class_id)
        .outerjoin(expected, expected.c.person_index == RollChild.id_index)
        .where(RollChild.entered_on <= on, or_(RollChild.left_on.is_(None), RollChild.left_on > on))
        .group_by(RollChild.class_id)
        .subquery("children")
    )


def _live_offer_query(year: int) -> Subquery:
    """The documents of children with a live offer, of which a child has one in a season; a document is on one roll once."""
    return (
        select(ChildDocument.person_index, Offer.state)
        .join(Offer, Offer.child_id == ChildDocument.child_id)
        .where(Offer.year == year, Offer.state.in_(LIVE))
        .subquery("expected")
    )


def count_on_roll(session: Session, definition: Definition, year: int, key, within) -> Iterable[Row]:
    """Children on roll by `place` (the value of `key`), nature, attached, level and school year.

    `children` are on roll at the reference date; `staying` are those who do not leave for school or another kindergarten
    next September.  The leavers of a mixed class that is kept as a count are unknown, so all its children stay.
    """
    parent, newest, children = (
        aliased(Kindergarten),
        newest_roll_query(definition),
        _children_by_class_query(definition, year),
    )
    counted = case((RollClass.kept_as == "count", RollClass.counted), else_=func.coalesce(children.c.children, 0))
    staying = case((RollClass.kept_as == "count", RollClass.counted), else_=func.coalesce(children.c.staying, 0))
    groups = (
        key.label("place"),
        _nature(parent).label("nature"),
        Kindergarten.attached,
        RollClass.level,
        RollClass.school_year,
    )
    return session.execute(
        select(*groups, _integer_sum(counted).label("children"), _integer_sum(staying).label("staying"))
        .select_from(RollClass)
        .join(newest, newest_roll_condition(newest))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .outerjoin(parent, parent.id == Kindergarten.parent_id)
        .outerjoin(children, children.c.class_id == RollClass.id)
        .where(open_condition(definition), within)
        .group_by(*groups)
    )


def _integer_sum(numbers: ColumnElement[int]) -> ColumnElement[int]:
    """An integer sum; PostgreSQL's sum of bigint is numeric."""
    return cast(func.sum(numbers), BigInteger)


def count_incoming(session: Session, definition: Definition, year: int, key, within) -> Iterable[Row]:
    """Children with a live offer of `year` who are on no roll yet, by `place`, nature, attached and level."""
    parent, newest = aliased(Kindergarten), newest_roll_query(definition)
    groups = (key.label("place"), _nature(parent).label("nature"), Kindergarten.attached, Programme.level)
    return session.execute(
        select(*groups, func.count().label("children"))
        .select_from(Offer)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(parent, parent.id == Kindergarten.parent_id)
        .outerjoin(newest, newest.c.kindergarten_id == Kindergarten.id)
        .where(_incoming_condition(year, newest.c.year), open_condition(definition), within)
        .group_by(*groups)
    )
