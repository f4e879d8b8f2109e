"""Promotion 升班: every class of a kindergarten moves up by a year, and the upper classes leave for school."""

import datetime as dt
import uuid
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.places import scope
from enrollment.places.areas import NEXT_LEVEL
from enrollment.places.roll import RollChild, RollClass

ENTRY_LEVELS = (Level.NURSERY, Level.LOWER)
LETTER: dict[str, str] = {Level.NURSERY: "托", Level.LOWER: "小", Level.MIDDLE: "中", Level.UPPER: "大"}


@dataclass
class ClassPromotion:
    """The promotion of one class; `to_level` None: it leaves for school."""

    roll_class: RollClass
    to_name: str
    to_level: str | None
    children: int
    leavers: int


@dataclass
class Promotion:
    """`to_check` are mixed classes kept as a count, whose leavers are unknown."""

    from_year: int
    steps: list[ClassPromotion] = field(default_factory=list)
    to_check: list[str] = field(default_factory=list)

    @property
    def children(self) -> int:
        return sum(step.children - step.leavers for step in self.steps)

    @property
    def leavers(self) -> int:
        return sum(step.leavers for step in self.steps)


def preview(session: Session, kindergarten_id: uuid.UUID, from_year: int, *, by: Actor, now: dt.datetime) -> Promotion:
    """What `promote` would do.  Refuses `nothing_to_promote`, `promoted_already`, `too_early_to_promote`."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by, lock=True)
    earliest = dt.date(from_year + 1, 7, 1)
    if today(now) < earliest:
        raise Refused("too_early_to_promote", day=earliest.isoformat())
    classes = _classes(session, kindergarten.id, from_year)
    if not classes:
        raise Refused("nothing_to_promote", year=from_year)
    # new children may already have a class in the new year; only an older level shows a promotion
    already = _classes(session, kindergarten.id, from_year + 1)
    if any(roll_class.level not in ENTRY_LEVELS for roll_class in already):
        raise Refused("promoted_already", year=from_year + 1)
    promotion = Promotion(from_year)
    names = {roll_class.name for roll_class in already}
    for roll_class in classes:
        step = _promotion_of(session, roll_class, names)
        promotion.steps.append(step)
        if roll_class.level == Level.MIXED and roll_class.kept_as == "count":
            promotion.to_check.append(roll_class.name)
    return promotion


def promote(session: Session, kindergarten_id: uuid.UUID, from_year: int, *, by: Actor, now: dt.datetime) -> Promotion:
    """Move the classes of a school year up on 1 September.  The classes of the old year stay for later counts;
    their children leave them that day, `promoted` or `graduated`.
    """
    promotion = preview(session, kindergarten_id, from_year, by=by, now=now)
    begins = dt.date(from_year + 1, 9, 1)
    for step in promotion.steps:
        old = step.roll_class
        new = None
        if step.to_level:
            new = RollClass(
                kindergarten_id=old.kindergarten_id, school_year=from_year + 1, level=step.to_level, name=step.to_name,
                kept_as=old.kept_as, counted=old.counted, as_of=begins,
            )  # fmt: skip
            session.add(new)
            session.flush()
        if old.kept_as == "rows":
            _move_children(session, old, new, begins)
    audit.record(
        session, "promote_roll", "kindergarten", kindergarten_id, by=by, now=now,
        year=from_year, children=promotion.children, leavers=promotion.leavers,
    )  # fmt: skip
    session.flush()
    return promotion


def _classes(session: Session, kindergarten_id: uuid.UUID, school_year: int) -> list[RollClass]:
    found = select(RollClass).where(RollClass.kindergarten_id == kindergarten_id, RollClass.school_year == school_year)
    return list(session.scalars(found.order_by(RollClass.level, RollClass.name)))


def _staying_query(roll_class: RollClass):
    """Children in the class on the last day of its year who are not yet in a class of the next year.

    A newly admitted child may already be in its new class, here or elsewhere, when its old class is promoted.
    """
    begins, elsewhere = dt.date(roll_class.school_year + 1, 9, 1), aliased(RollChild)
    arrived = select(elsewhere.id).where(
        elsewhere.id_index == RollChild.id_index, elsewhere.id != RollChild.id, elsewhere.left_on.is_(None)
    )
    return select(RollChild).where(
        RollChild.class_id == roll_class.id,
        or_(RollChild.left_on.is_(None), RollChild.left_on >= begins),
        ~arrived.exists(),
    )


def _of_school_age(roll_class: RollClass, child: RollChild) -> bool:
    """Six full years on 31 August; needed for mixed classes only."""
    return child.born is not None and child.born <= dt.date(roll_class.school_year - 5, 8, 31)


def _promotion_of(session: Session, roll_class: RollClass, names: set[str]) -> ClassPromotion:
    to_level = NEXT_LEVEL[roll_class.level]
    if roll_class.kept_as == "count":
        children, leavers = roll_class.counted or 0, 0
    else:
        there = session.scalars(_staying_query(roll_class)).all()
        children = len(there)
        leavers = sum(_of_school_age(roll_class, child) for child in there) if roll_class.level == Level.MIXED else 0
    if to_level is None:
        leavers = children
    name = _promoted_name(roll_class, to_level)
    while name in names:
        name += "（升）"
    names.add(name)
    return ClassPromotion(roll_class, name, to_level, children, leavers)


def _promoted_name(roll_class: RollClass, to_level: str | None) -> str:
    """小一班 becomes 中一班; a class with a name of its own keeps it."""
    old = LETTER.get(roll_class.level)
    if to_level in LETTER and old and roll_class.name.startswith(old):
        return LETTER[to_level] + roll_class.name.removeprefix(old)
    return roll_class.name


def _move_children(session: Session, old: RollClass, new: RollClass | None, begins: dt.date) -> None:
    there = list(session.scalars(_staying_query(old)))
    staying = [c for c in there if new is not None and not (old.level == Level.MIXED and _of_school_age(old, c))]
    for child in there:
        child.left_on = begins
        child.leave_reason = "promoted" if child in staying else "graduated"
    session.flush()
    if new is None:
        return
    session.add_all(
        RollChild(
            class_id=new.id, name=c.name, id_number=c.id_number, id_index=c.id_index, born=c.born, entered_on=begins
        )
        for c in staying
    )
    session.flush()
