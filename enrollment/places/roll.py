"""The roll 在园名册: classes of a kindergarten in a school year, kept as child rows or as a count, never both."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.identity import index_of
from enrollment.places import kindergartens, roll_checks, scope
from enrollment.places.areas import LEVELS, NEXT_LEVEL
from enrollment.places.kindergartens import Kindergarten, Page
from enrollment.places.roll_change_rows import number_on
from enrollment.places.roll_rows import (
    BY_A_MOVE,
    CLASS_LEVELS,
    LEAVE_REASONS,
    RollChild,
    RollClass,
    children_on,
    day_within,
    goes_on_condition,
    on_roll_condition,
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
    closed_on: dt.date | None
    children: int


def class_list(
    session: Session,
    kindergarten_id: uuid.UUID,
    school_year: int,
    *,
    day: dt.date | None = None,
    by: Actor,
    now: dt.datetime,
) -> list[ClassLine]:
    """The classes of a school year, youngest first, on a day: by default today, or the nearest day of that year."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    here = Kindergarten.id == kindergarten.id
    found = class_lists(session, here, school_year, day=day or day_within(school_year, now))
    return [line for _place, line in found]


def class_lists(
    session: Session, here: ColumnElement[bool], school_year: int, *, day: dt.date
) -> list[tuple[Kindergarten, ClassLine]]:
    """The same for all kindergartens that a condition on `Kindergarten` names, in the order of their names."""
    places = select(Kindergarten.id).where(here)
    rows = children_on(day, places)
    children = case((RollClass.kept_as == "count", number_on(day)), else_=func.coalesce(rows.c.children, 0))
    found = (
        select(
            Kindergarten, RollClass.id, RollClass.name, RollClass.level, RollClass.school_year, RollClass.kept_as,
            RollClass.as_of, RollClass.closed_on, children.label("children"),
        )
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .outerjoin(rows, rows.c.class_id == RollClass.id)
        .where(here, RollClass.school_year == school_year)
        .where(or_(RollClass.closed_on.is_(None), RollClass.closed_on > day))
    )  # fmt: skip
    lines = [(place, ClassLine(*rest)) for place, *rest in session.execute(found)]
    return sorted(lines, key=lambda one: (one[0].sort_key, one[0].id, CLASS_LEVELS.index(one[1].level), one[1].name))


def years_on_roll(session: Session, kindergarten_id: uuid.UUID) -> list[int]:
    """School years that have classes, newest first."""
    found = select(RollClass.school_year).where(RollClass.kindergarten_id == kindergarten_id).distinct()
    return sorted(session.scalars(found), reverse=True)


def class_of_name(session: Session, kindergarten_id: uuid.UUID, school_year: int, name: str) -> RollClass | None:
    """The class of this name in a school year, locked."""
    found = select(RollClass).where(
        RollClass.kindergarten_id == kindergarten_id,
        RollClass.school_year == school_year,
        func.lower(func.regexp_replace(RollClass.name, r"\s", "", "g"))
        == roll_checks.class_name_key(roll_checks.tidy_class_name(name)),
    )
    return session.scalars(found.with_for_update()).one_or_none()


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
    query = select(RollChild).where(RollChild.class_id == class_id, on_roll_condition(day))
    audit.record(session, "view", "roll_class", class_id, by=by, now=now)
    return kindergartens.paginate(session, query.order_by(RollChild.entered_on, RollChild.id), page, per_page)


def recently_left(session: Session, class_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> list[RollChild]:
    """The children that left a class in the last month or will leave it; a leaving noted in error is taken back there."""
    roll_class = class_in_scope(session, class_id, by=by)
    since = day_within(roll_class.school_year, now) - dt.timedelta(days=30)
    query = select(RollChild).where(RollChild.class_id == class_id, RollChild.left_on >= since)
    return list(session.scalars(query.order_by(RollChild.left_on.desc(), RollChild.id)))


def names_of(
    session: Session, child_ids: Collection[uuid.UUID], *, by: Actor, now: dt.datetime
) -> dict[uuid.UUID, str]:
    """The names of children within the actor's scope, for the caller to mask.  The audit trail records the view."""
    query = (
        select(RollChild)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(RollChild.id.in_(child_ids), scope.scope_condition(by))
    )
    found = {child.id: child.name for child in session.scalars(query)}
    for child_id in found:
        audit.record(session, "view", "roll_child", child_id, by=by, now=now)
    return found


def entries_from(session: Session, class_id: uuid.UUID, day: dt.date) -> list[RollChild]:
    """The rows of a class that are not over on a day, locked: also of children who enter later, or whose leaving is noted."""
    query = select(RollChild).where(RollChild.class_id == class_id, _not_left_by(day))
    return list(session.scalars(query.order_by(RollChild.entered_on, RollChild.id).with_for_update()))


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

    Without `entered_on` from today, or from the beginning of the class's year.  Refuses `on_roll_already` (the same number
    anywhere in the city on these days; where is not disclosed), `class_is_counted`, and what is impossible (`roll_checks`).
    """
    name, born = roll_checks.check_person_name(name), roll_checks.birth_date_of(born, id_number)
    from_day = entered_on or max(today(now), dt.date(school_year, 9, 1))
    roll_checks.check_school_year(school_year, by=by, now=now)
    roll_checks.check_age(born, level, school_year)
    roll_checks.check_entry(from_day, born, school_year, now=now)
    roll_class = ensure_class(session, kindergarten_id, class_name, level, school_year, "rows", by=by, now=now)
    index = index_of(id_number, id_kind) if id_number else None
    if index and on_roll_from(session, index, from_day):
        raise Refused("on_roll_already", field="id_number")
    child = RollChild(
        class_id=roll_class.id, name=name, id_number=id_number, id_index=index, born=born, entered_on=from_day,
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


def on_roll_from(session: Session, index: bytes, day: dt.date) -> bool:
    """Whether the child with this number is on a roll of the city on this day or later."""
    found = select(RollChild.id).where(RollChild.id_index == index, _not_left_by(day))
    return session.scalar(found.limit(1)) is not None


def _not_left_by(day: dt.date) -> ColumnElement[bool]:
    still_there = or_(RollChild.left_on.is_(None), RollChild.left_on > day)
    return and_(still_there, RollChild.left_on.is_distinct_from(RollChild.entered_on))


def lock_entries_from(session: Session, indexes: Collection[bytes], day: dt.date) -> list[RollChild]:
    """The rows with these numbers that are not over on this day, locked: one for each document of a child at most."""
    found = select(RollChild).where(RollChild.id_index.in_(indexes), _not_left_by(day))
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
    roll_class = session.get_one(RollClass, child.class_id)
    if reason not in LEAVE_REASONS or reason in BY_A_MOVE:
        raise Refused("leave_reason", field="reason")
    if child.left_on is not None:
        raise Refused("left_already")
    if on < child.entered_on:
        raise Refused("left_before_entering", field="on", entered=child.entered_on.isoformat())
    latest = dt.date(roll_class.school_year + 1, 9, 1)
    if on > latest:
        raise Refused("left_after_the_year", field="on", latest=latest.isoformat())
    child.left_on, child.leave_reason = on, reason
    audit.record(session, "leave_roll", "roll_child", child.id, by=by, now=now, reason=reason, on=on.isoformat())
    session.flush()
    return child


def continuing_children(
    session: Session, kindergarten_ids: Collection[uuid.UUID], year: int, *, now: dt.datetime
) -> dict[uuid.UUID, dict[str, int]]:
    """Number of children in each level when school year `year` begins, from the roll of the year before, by kindergarten.

    Upper classes leave for school; 托班 moves up to 小班.  Who leaves before that day is not counted, as in the promotion.
    Levels without children are absent.
    """
    day = day_within(year - 1, now)
    rows = (
        select(RollChild.class_id, func.count().label("children"))
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(RollClass.kindergarten_id.in_(kindergarten_ids), RollClass.school_year == year - 1)
        .where(goes_on_condition(dt.date(year, 9, 1)))
        .group_by(RollChild.class_id)
        .subquery("going_on")
    )
    children = case((RollClass.kept_as == "count", number_on(day)), else_=func.coalesce(rows.c.children, 0))
    found = (
        select(RollClass.kindergarten_id, RollClass.level, func.sum(children))
        .outerjoin(rows, rows.c.class_id == RollClass.id)
        .where(RollClass.kindergarten_id.in_(kindergarten_ids), RollClass.school_year == year - 1)
        .where(RollClass.closed_on.is_(None))
        .group_by(RollClass.kindergarten_id, RollClass.level)
    )
    there: dict[uuid.UUID, dict[str, int]] = {each: {} for each in kindergarten_ids}
    for kindergarten_id, level, total in session.execute(found):
        following = NEXT_LEVEL[level]
        if following is not None and following in LEVELS and total:
            there[kindergarten_id][following] = int(total)
    return there


def ensure_class(
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
    """The class of this name, locked; a blank or a capital makes no other class.  Opened as a new one if it is missing.
    Of two who open it at once, the second one waits and gets the class of the first.

    Refuses `level_unknown`, `class_name_missing`, `class_is_counted`, `class_has_children`, `class_has_another_level`,
    `class_is_closed`.
    """
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    if level not in CLASS_LEVELS:
        raise Refused("level_unknown", field="level")
    roll_class = class_of_name(session, kindergarten.id, school_year, name)
    if roll_class is None:
        counted = kept_as == "count"
        opened = insert(RollClass).values(
            kindergarten_id=kindergarten.id, school_year=school_year, level=level, kept_as=kept_as,
            name=roll_checks.tidy_class_name(name), counted=0 if counted else None,
            as_of=dt.date(school_year, 9, 1) if counted else today(now),
        )  # fmt: skip
        session.execute(opened.on_conflict_do_nothing())
        roll_class = class_of_name(session, kindergarten.id, school_year, name)
    if roll_class is None:
        raise Refused("changed_elsewhere", field="class_name")
    if roll_class.closed_on is not None:
        raise Refused("class_is_closed", field="class_name")
    if roll_class.kept_as != kept_as:
        raise Refused("class_is_counted" if kept_as == "rows" else "class_has_children", field="class_name")
    if roll_class.level != level:
        raise Refused("class_has_another_level", field="level")
    return roll_class
