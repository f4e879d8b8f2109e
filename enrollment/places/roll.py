"""The roll 在园名册: classes of a kindergarten in a school year, kept as child rows or as a count, never both."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.identity import index_of
from enrollment.places import kindergartens, scope
from enrollment.places.areas import LEVELS, NEXT_LEVEL
from enrollment.places.kindergartens import Kindergarten, Page
from enrollment.places.roll_rows import (
    CLASS_LEVELS,
    LEAVE_REASONS,
    MOST_IN_A_CLASS,
    RollChild,
    RollClass,
    children_on,
    day_within,
    school_year_of,
)

__all__ = ["RollChild", "RollClass", "school_year_of"]


@dataclass(frozen=True)
class ClassLine:
    """A class in a list, with its number of children."""

    id: uuid.UUID
    name: str
    level: str
    school_year: int
    kept_as: str
    as_of: dt.date
    children: int


def class_list(
    session: Session, kindergarten_id: uuid.UUID, school_year: int, *, by: Actor, now: dt.datetime
) -> list[ClassLine]:
    """The classes of a school year, youngest first, as they are today (a past or future year: at its end or beginning)."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    rows = children_on(day_within(school_year, now), kindergarten.id)
    children = case((RollClass.kept_as == "count", RollClass.counted), else_=func.coalesce(rows.c.children, 0))
    found = (
        select(
            RollClass.id, RollClass.name, RollClass.level, RollClass.school_year, RollClass.kept_as, RollClass.as_of,
            children.label("children"),
        )
        .outerjoin(rows, rows.c.class_id == RollClass.id)
        .where(RollClass.kindergarten_id == kindergarten.id, RollClass.school_year == school_year)
    )  # fmt: skip
    lines = [ClassLine(**row._mapping) for row in session.execute(found)]
    return sorted(lines, key=lambda line: (CLASS_LEVELS.index(line.level), line.name))


def years_on_roll(session: Session, kindergarten_id: uuid.UUID) -> list[int]:
    """School years that have classes, newest first."""
    found = select(RollClass.school_year).where(RollClass.kindergarten_id == kindergarten_id).distinct()
    return sorted(session.scalars(found), reverse=True)


def class_in_scope(session: Session, class_id: uuid.UUID, *, by: Actor, lock: bool = False) -> RollClass:
    """A class within the actor's scope."""
    found = (
        select(RollClass)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(RollClass.id == class_id, scope.scope_condition(by))
    )
    roll_class = session.scalars(found.with_for_update(of=RollClass) if lock else found).one_or_none()
    if roll_class is None:
        raise NotFound
    return roll_class


def children_of(
    session: Session, class_id: uuid.UUID, *, by: Actor, now: dt.datetime, page: int = 1, per_page: int = 50
) -> Page:
    """The children of a class by entry date; the caller masks names.  The audit trail records the view."""
    roll_class = class_in_scope(session, class_id, by=by)
    day = day_within(roll_class.school_year, now)
    query = select(RollChild).where(
        RollChild.class_id == class_id,
        RollChild.entered_on <= day,
        or_(RollChild.left_on.is_(None), RollChild.left_on > day),
    )
    audit.record(session, "view", "roll_class", class_id, by=by, now=now)
    return kindergartens.paginate(session, query.order_by(RollChild.entered_on, RollChild.id), page, per_page)


def count_class(
    session: Session,
    kindergarten_id: uuid.UUID,
    *,
    name: str,
    level: str,
    school_year: int,
    children: int,
    by: Actor,
    now: dt.datetime,
) -> RollClass:
    """Keep a class as a number.  Refuses `class_has_children` where children are kept by name."""
    roll_class = _ensure_class(session, kindergarten_id, name, level, school_year, "count", by=by, now=now)
    if not 0 <= children <= MOST_IN_A_CLASS:
        raise Refused("too_many_in_a_class", field="children", most=MOST_IN_A_CLASS)
    roll_class.counted, roll_class.as_of = children, today(now)
    audit.record(session, "count_class", "roll_class", roll_class.id, by=by, now=now, children=children)
    session.flush()
    return roll_class


def enter_child(
    session: Session,
    kindergarten_id: uuid.UUID,
    level: str,
    school_year: int,
    *,
    name: str,
    class_name: str,
    id_number: str | None = None,
    id_kind: str | None = None,
    born: dt.date | None = None,
    entered_on: dt.date | None = None,
    by: Actor,
    now: dt.datetime,
) -> RollChild:
    """Put a child on the roll of a class, which is created if it is missing.

    Refuses `on_roll_already` (the same number anywhere in the city; where is not disclosed) and `class_is_counted`.
    """
    roll_class = _ensure_class(session, kindergarten_id, class_name, level, school_year, "rows", by=by, now=now)
    index = index_of(id_number, id_kind) if id_number else None
    if index and current_roll_entry(session, index) is not None:
        raise Refused("on_roll_already", field="id_number")
    child = RollChild(
        class_id=roll_class.id, name=name.strip(), id_number=id_number, id_index=index, born=born,
        entered_on=entered_on or today(now),
    )  # fmt: skip
    session.add(child)
    roll_class.as_of = max(roll_class.as_of, today(now))
    session.flush()
    audit.record(session, "enter_roll", "roll_child", child.id, by=by, now=now)
    return child


def current_roll_entry(session: Session, index: bytes) -> RollChild | None:
    """The row of the child with this number that has not left; there is at most one in the city."""
    found = select(RollChild).where(RollChild.id_index == index, RollChild.left_on.is_(None))
    return session.scalars(found).one_or_none()


def lock_current_entries(session: Session, indexes: Collection[bytes]) -> list[RollChild]:
    """The rows with these numbers that have not left, locked: one for each document of a child at most."""
    found = select(RollChild).where(RollChild.id_index.in_(indexes), RollChild.left_on.is_(None))
    return list(session.scalars(found.order_by(RollChild.id).with_for_update()))


def lock_child_in_scope(session: Session, child_id: uuid.UUID, *, by: Actor) -> RollChild:
    """A child on roll within the actor's scope, locked."""
    child = session.scalars(select(RollChild).where(RollChild.id == child_id).with_for_update()).one_or_none()
    if child is None:
        raise NotFound
    class_in_scope(session, child.class_id, by=by)
    return child


def leave(session: Session, child_id: uuid.UUID, *, on: dt.date, reason: str, by: Actor, now: dt.datetime) -> RollChild:
    """A child leaves on a day, for one of `LEAVE_REASONS`.  Refuses `left_already`, `left_before_entering`."""
    child = lock_child_in_scope(session, child_id, by=by)
    if reason not in LEAVE_REASONS:
        raise Refused("leave_reason", field="reason")
    if child.left_on is not None:
        raise Refused("left_already")
    if on < child.entered_on:
        raise Refused("left_before_entering", field="on", entered=child.entered_on.isoformat())
    child.left_on, child.leave_reason = on, reason
    audit.record(session, "leave_roll", "roll_child", child.id, by=by, now=now, reason=reason, on=on.isoformat())
    session.flush()
    return child


def continuing_children(session: Session, kindergarten_id: uuid.UUID, year: int, *, now: dt.datetime) -> dict[str, int]:
    """Number of children in each level when school year `year` begins, from the roll of the year before.

    Upper classes leave for school; 托班 moves up to 小班.  Levels without children are absent.
    """
    rows = children_on(day_within(year - 1, now), kindergarten_id)
    children = case((RollClass.kept_as == "count", RollClass.counted), else_=func.coalesce(rows.c.children, 0))
    found = (
        select(RollClass.level, func.sum(children))
        .outerjoin(rows, rows.c.class_id == RollClass.id)
        .where(RollClass.kindergarten_id == kindergarten_id, RollClass.school_year == year - 1)
        .group_by(RollClass.level)
    )
    there = {NEXT_LEVEL[level]: int(total) for level, total in session.execute(found)}
    return {level: total for level, total in there.items() if level in LEVELS and total}


def _ensure_class(
    session: Session,
    kindergarten_id: uuid.UUID,
    name: str,
    level: str,
    school_year: int,
    kept_as: str,
    *,
    by: Actor,
    now: dt.datetime,
) -> RollClass:
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    if level not in CLASS_LEVELS:
        raise Refused("level_unknown", field="level")
    if not name.strip():
        raise Refused("class_name_missing", field="class_name")
    found = select(RollClass).where(
        RollClass.kindergarten_id == kindergarten.id,
        RollClass.school_year == school_year,
        RollClass.name == name.strip(),
    )
    roll_class = session.scalars(found.with_for_update()).one_or_none()
    if roll_class is None:
        roll_class = RollClass(
            kindergarten_id=kindergarten.id, school_year=school_year, level=level, name=name.strip(), kept_as=kept_as,
            counted=0 if kept_as == "count" else None, as_of=today(now),
        )  # fmt: skip
        session.add(roll_class)
        session.flush()
    if roll_class.kept_as != kept_as:
        raise Refused("class_is_counted" if kept_as == "rows" else "class_has_children", field="class_name")
    if roll_class.level != level:
        raise Refused("class_has_another_level", field="level")
    return roll_class
