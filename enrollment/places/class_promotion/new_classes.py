"""The classes of the new year in a promotion: those that show that it was made already, those that it joins or opens."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from enrollment.ground.classifications import Level
from enrollment.places import roll_checks
from enrollment.places.class_promotion.newcomers import not_a_newcomer
from enrollment.places.class_promotion.sheet import ClassPromotion
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_rows import BY_A_MOVE

ENTRY_LEVELS = (Level.NURSERY, Level.LOWER)
"""Levels whose classes of a year are those of its new children: they neither show a promotion nor are they joined by one."""


class NewClasses:
    """The names of the new year's classes, of which the open ones of the older levels can be joined, each by one class."""

    def __init__(self, already: Sequence[RollClass]):
        # closed classes too, because a name is unique among all
        self._taken = {roll_checks.class_name_key(each.name): each for each in already}
        self._reserved: set[str] = set()

    def reserve(self, old: RollClass, name: str, level: str) -> tuple[str, RollClass | None]:
        """The name of the class into which an old one moves up, and the class if it is there: one of this name, level and way
        of keeping.  Of a name that is taken otherwise, the new one differs."""
        key = roll_checks.class_name_key(name)
        there = self._taken.get(key)
        if there is not None and key not in self._reserved and _can_be_joined(there, level, old.kept_as):
            self._reserved.add(key)
            return there.name, there
        while key in self._taken or key in self._reserved:
            name += "（升）"
            key = roll_checks.class_name_key(name)
        self._reserved.add(key)
        return name, None


def lock(session: Session, kindergarten_id: uuid.UUID, school_year: int) -> None:
    """Lock the classes of a school year, so that none is closed and no arrival enters one meanwhile.  Before the kindergarten,
    as an arrival does, which locks its class and then opens another one."""
    found = select(RollClass.id).where(
        RollClass.kindergarten_id == kindergarten_id, RollClass.school_year == school_year
    )
    session.execute(found.order_by(RollClass.id).with_for_update(key_share=True)).all()


def of_year(session: Session, kindergarten_id: uuid.UUID, school_year: int) -> list[RollClass]:
    """All classes of a school year as they are now, also the closed ones."""
    found = select(RollClass).where(RollClass.kindergarten_id == kindergarten_id, RollClass.school_year == school_year)
    return list(session.scalars(found.execution_options(populate_existing=True)))


def open_of(session: Session, kindergarten_id: uuid.UUID, school_year: int) -> list[RollClass]:
    found = select(RollClass).where(
        RollClass.kindergarten_id == kindergarten_id,
        RollClass.school_year == school_year,
        RollClass.closed_on.is_(None),
    )
    return list(session.scalars(found.order_by(RollClass.level, RollClass.name)))


def were_promoted(session: Session, already: Sequence[RollClass], kindergarten_id: uuid.UUID, from_year: int) -> bool:
    """Whether the new year's classes show that the children of the old ones were moved up without a promotion: an older class
    that is kept as a number has children, or one kept by name has a child that was in a class of the old year.

    Empty classes and new children do not.  Nor does a child that came by an arrival or a transfer, also where it was in a
    class of the old year: then it left, or the arrival moved it alone.  `coverage.newest_rolls` asks the same of all
    kindergartens.
    """
    older = [each for each in already if each.level not in ENTRY_LEVELS and each.closed_on is None]
    if any(each.counted for each in older):
        return True
    rows = [each.id for each in older if each.kept_as == "rows"]
    if not rows:
        return False
    by_number = RollChild.id_index.is_not(None)
    is_there = (
        RollChild.class_id.in_(rows),
        RollChild.left_on.is_distinct_from(RollChild.entered_on),
        not_a_newcomer(RollChild, kindergarten_id, from_year + 1),
    )
    before = (
        select(RollChild)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(RollClass.kindergarten_id == kindergarten_id, RollClass.school_year == from_year)
        .where(went_on_condition(RollChild, dt.date(from_year + 1, 7, 1)))
    )
    indexes = select(RollChild.id_index).where(*is_there, by_number)
    if session.scalars(before.where(RollChild.id_index.in_(indexes)).limit(1)).first() is not None:
        return True
    without = session.scalars(select(RollChild).where(*is_there, ~by_number)).all()
    persons = {(each.name, each.born) for each in without}
    return bool(persons) and any((each.name, each.born) in persons for each in session.scalars(before))


def went_on_condition(child: type[RollChild], earliest: dt.date | ColumnElement[dt.date]) -> ColumnElement[bool]:
    """The SQL condition that an entry of the old year lasted until the `earliest` day of a promotion, and that neither a
    promotion nor an arrival ended it."""
    return and_(
        or_(child.left_on.is_(None), child.left_on >= earliest),
        or_(child.leave_reason.is_(None), child.leave_reason.not_in(BY_A_MOVE)),
    )


def count_there(session: Session, steps: Sequence[ClassPromotion]) -> None:
    """Note how many children the joined classes have."""
    joined = [step for step in steps if step.joins is not None]
    numbers = _children(session, [step.joins for step in joined if step.joins is not None]) if joined else {}
    for step in joined:
        step.there = numbers.get(step.joins.id, 0) if step.joins is not None else 0


def target(session: Session, step: ClassPromotion, level: str, begins: dt.date, promotion_id: uuid.UUID) -> RollClass:
    """The class that the step joins, or else a new one of the promotion."""
    if step.joins is not None:
        return step.joins
    old = step.roll_class
    new = RollClass(
        kindergarten_id=old.kindergarten_id, school_year=begins.year, level=level, name=step.to_name,
        kept_as=old.kept_as, counted=old.counted, as_of=begins, promotion_id=promotion_id,
    )  # fmt: skip
    session.add(new)
    session.flush()
    return new


def class_to_stay_in(
    session: Session, step: ClassPromotion, uppers: list[RollClass], begins: dt.date, promotion_id: uuid.UUID
) -> RollClass:
    """For a child that stays another year in the upper level: the emptiest class of it, or the old class once more."""
    if not uppers:
        uppers.append(target(session, step, step.roll_class.level, begins, promotion_id))
    children = _children(session, uppers)
    return min(uppers, key=lambda upper: (children.get(upper.id, 0), upper.name))


def _can_be_joined(there: RollClass, level: str, kept_as: str) -> bool:
    return (
        there.closed_on is None and there.level not in ENTRY_LEVELS and kept_as == "rows"
        and (there.level, there.kept_as) == (level, kept_as)
    )  # fmt: skip


def _children(session: Session, classes: Sequence[RollClass]) -> dict[uuid.UUID, int]:
    """The number of children of each class who have not left, also those who enter later."""
    found = (
        select(RollChild.class_id, func.count())
        .where(RollChild.class_id.in_([each.id for each in classes]), RollChild.left_on.is_(None))
        .group_by(RollChild.class_id)
    )
    return {class_id: children for class_id, children in session.execute(found)}
