"""How many children there are, counted in the database: on roll at a date, and coming with this year's offers."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Row, Subquery, and_, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from enrollment.ground.classifications import Level
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.people.guardians import Child
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.promotion import ENTRY_LEVELS
from enrollment.places.roll import RollChild, RollClass, school_year_of


@dataclass(frozen=True)
class Definition:
    """What counts.  `on` is the reference date; the two switches are domain.md's: 托班 in or out, 附设班 in the numerator or not."""

    on: dt.date
    nursery: bool = False
    attached: bool = False

    @property
    def school_year(self) -> int:
        return school_year_of(self.on)

    def counts(self, level: str) -> bool:
        return self.nursery or level != Level.NURSERY


def is_open(definition: Definition) -> ColumnElement[bool]:
    """At the reference date."""
    return or_(Kindergarten.closed_on.is_(None), Kindergarten.closed_on > definition.on)


def _nature(parent) -> ColumnElement[str]:
    """A site counts in its own area with its parent's nature."""
    return func.coalesce(parent.nature, Kindergarten.nature)


def newest_rolls(definition: Definition) -> Subquery:
    """For each kindergarten the newest school year it has a roll of, not after the reference date's.

    `whole` is false while that roll holds nothing but the classes into which new children have arrived: then the
    classes of the year before have not moved up yet, and who is in them is in kindergarten all the same.
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


def in_newest(newest: Subquery) -> ColumnElement[bool]:
    """The classes that count: those of the newest roll and, while it is not whole, last year's without the upper ones,
    whose children have gone to school."""
    waiting = and_(
        newest.c.whole.is_(False), RollClass.school_year == newest.c.year - 1, RollClass.level != Level.UPPER
    )
    return and_(
        newest.c.kindergarten_id == RollClass.kindergarten_id, or_(RollClass.school_year == newest.c.year, waiting)
    )


def _expected(year: int, newest_year: ColumnElement[int]) -> ColumnElement[bool]:
    """A live offer adds a child, unless it has arrived at a kindergarten whose roll is already the new year's."""
    return and_(
        Programme.year == year,
        Offer.state.in_(LIVE),
        or_(Offer.state != OfferState.ARRIVED, newest_year.is_(None), newest_year < year),
    )


def _children(definition: Definition, year: int) -> Subquery:
    """Children on roll by class: all, and those who stay (not of school age next September, not expected elsewhere)."""
    expected = _with_a_live_offer(year)
    # a child that is on one roll and holds an offer for another kindergarten will be one child, there
    moves = and_(
        expected.c.id_index.is_not(None), or_(expected.c.state != OfferState.ARRIVED, RollClass.school_year < year)
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
        .outerjoin(expected, expected.c.id_index == RollChild.id_index)
        .where(RollChild.entered_on <= on, or_(RollChild.left_on.is_(None), RollChild.left_on > on))
        .group_by(RollChild.class_id)
        .subquery("children")
    )


def _with_a_live_offer(year: int) -> Subquery:
    """At most one row for a child: the database allows one live offer in a season."""
    return (
        select(Child.id_index, Offer.state)
        .join(Offer, Offer.child_id == Child.id)
        .where(Offer.year == year, Offer.state.in_(LIVE))
        .subquery("expected")
    )


def on_roll(session: Session, definition: Definition, year: int, key, within) -> Iterable[Row]:
    """Children on roll by `place` (the value of `key`), nature, attached, level and school year.

    `children` are there at the reference date; of these `staying` have not left for school or another kindergarten
    next September.  A mixed class that is kept as a count does not tell its leavers, so all of it stays.
    """
    parent, newest, children = aliased(Kindergarten), newest_rolls(definition), _children(definition, year)
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
        select(*groups, _whole(counted).label("children"), _whole(staying).label("staying"))
        .select_from(RollClass)
        .join(newest, in_newest(newest))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .outerjoin(parent, parent.id == Kindergarten.parent_id)
        .outerjoin(children, children.c.class_id == RollClass.id)
        .where(is_open(definition), within)
        .group_by(*groups)
    )


def _whole(numbers: ColumnElement[int]) -> ColumnElement[int]:
    """A sum as a whole number: the database's sum of whole numbers is a decimal."""
    return cast(func.sum(numbers), BigInteger)


def coming(session: Session, definition: Definition, year: int, key, within) -> Iterable[Row]:
    """Children with a live offer of `year` that no roll shows yet, by `place`, nature, attached and level."""
    parent, newest = aliased(Kindergarten), newest_rolls(definition)
    groups = (key.label("place"), _nature(parent).label("nature"), Kindergarten.attached, Programme.level)
    return session.execute(
        select(*groups, func.count().label("children"))
        .select_from(Offer)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(parent, parent.id == Kindergarten.parent_id)
        .outerjoin(newest, newest.c.kindergarten_id == Kindergarten.id)
        .where(_expected(year, newest.c.year), is_open(definition), within)
        .group_by(*groups)
    )
