"""Promotion 升班: every class of a kindergarten moves up by a year, and the upper classes leave for school.

`preview` is the sheet: what becomes of each class, and the exceptions that a person decides.  `promote` does it once.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.city_time import today
from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.places import programmes, roll_checks, scope
from enrollment.places.areas import NEXT_LEVEL
from enrollment.places.class_promotion import new_classes
from enrollment.places.class_promotion.new_classes import NewClasses
from enrollment.places.class_promotion.sheet import (
    CHOICES,
    Choice,
    ClassPromotion,
    ExceptionKind,
    Promotion,
    PromotionException,
)
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import RollPromotion
from enrollment.places.roll_rows import goes_on_condition

LETTER: dict[str, str] = {Level.NURSERY: "托", Level.LOWER: "小", Level.MIDDLE: "中", Level.UPPER: "大"}


def preview(
    session: Session,
    kindergarten_id: uuid.UUID,
    from_year: int,
    *,
    choices: Mapping[str, str] | None = None,
    by: Actor,
    now: dt.datetime,
) -> Promotion:
    """What `promote` would do with these choices, which map the key of an exception to a `Choice`.

    Refuses `nothing_to_promote`, `promoted_already`, `promoted_before`, `too_early_to_promote`.
    """
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    new_classes.lock(session, kindergarten_id, from_year + 1)
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by, lock=True)
    earliest = dt.date(from_year + 1, 7, 1)
    if today(now) < earliest:
        raise Refused("too_early_to_promote", day=earliest.isoformat())
    if last_promotion(session, kindergarten.id, from_year) is not None:
        raise Refused("promoted_before", year=from_year + 1)
    return _sheet(session, kindergarten.id, from_year, choices or {}, lock=True)


def outlook(session: Session, kindergarten_id: uuid.UUID, from_year: int, *, by: Actor) -> Promotion | None:
    """The sheet as it stands today, also before it may be promoted, without any lock; None where nothing is left to
    promote."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    if last_promotion(session, kindergarten_id, from_year) is not None:
        return None
    try:
        return _sheet(session, kindergarten_id, from_year, {}, lock=False)
    except Refused:
        return None


def _sheet(
    session: Session, kindergarten_id: uuid.UUID, from_year: int, choices: Mapping[str, str], *, lock: bool
) -> Promotion:
    classes = new_classes.open_of(session, kindergarten_id, from_year)
    if not classes:
        raise Refused("nothing_to_promote", year=from_year)
    already = new_classes.of_year(session, kindergarten_id, from_year + 1)
    if new_classes.were_promoted(session, already, kindergarten_id, from_year):
        raise Refused("promoted_already", year=from_year + 1)
    promotion, targets = Promotion(from_year), NewClasses(already)
    for roll_class in classes:
        promotion.steps.append(_step(roll_class, targets))
        if roll_class.level == Level.MIXED and roll_class.kept_as == "count":
            promotion.to_check.append(roll_class.name)
    _place_children(session, promotion, choices, lock=lock)
    new_classes.count_there(session, promotion.steps)
    _find_class_exceptions(session, promotion, kindergarten_id)
    order = list(ExceptionKind)
    promotion.exceptions.sort(key=lambda one: (order.index(one.kind), one.class_name, str(one.born), one.key))
    promotion.open = [
        each for each in promotion.exceptions if choices.get(each.key) not in tuple(map(str, each.choices))
    ]
    return promotion


def promote(
    session: Session,
    kindergarten_id: uuid.UUID,
    from_year: int,
    *,
    choices: Mapping[str, str] | None = None,
    by: Actor,
    now: dt.datetime,
) -> Promotion:
    """Move the classes of a school year up on 1 September.  The classes of the old year stay for later counts;
    their children leave them that day, `promoted` or `graduated`.  Refuses `exceptions_open` and what `preview` refuses.
    """
    promotion = preview(session, kindergarten_id, from_year, choices=choices, by=by, now=now)
    if promotion.open:
        raise Refused("exceptions_open", n=len(promotion.open))
    row = RollPromotion(
        kindergarten_id=kindergarten_id, from_year=from_year, children=promotion.children, leavers=promotion.leavers,
        made_by=by.account_id, made_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    begins, uppers = dt.date(from_year + 1, 9, 1), []
    for step in promotion.steps:
        if step.to_level is not None:
            new = new_classes.target(session, step, step.to_level, begins, row.id)
            uppers += [new] if new.level == Level.UPPER and new.kept_as == "rows" else []
            move_up(session, step.promoted, "promoted", new, begins, row.id)
        move_up(session, step.graduated, "graduated", None, begins, row.id)
    for step in promotion.steps:
        if step.staying:
            move_up(
                session,
                step.staying,
                "promoted",
                new_classes.class_to_stay_in(session, step, uppers, begins, row.id),
                begins,
                row.id,
            )
    session.expire_all()
    audit.record(
        session, "promote_roll", "kindergarten", kindergarten_id, by=by, now=now,
        year=from_year, children=promotion.children, leavers=promotion.leavers,
    )  # fmt: skip
    session.flush()
    return promotion


def last_promotion(session: Session, kindergarten_id: uuid.UUID, from_year: int) -> RollPromotion | None:
    """The promotion from this year that was not undone."""
    found = select(RollPromotion).where(
        RollPromotion.kindergarten_id == kindergarten_id,
        RollPromotion.from_year == from_year,
        RollPromotion.undone_at.is_(None),
    )
    return session.scalars(found).one_or_none()


def _step(roll_class: RollClass, targets: NewClasses) -> ClassPromotion:
    to_level = NEXT_LEVEL[roll_class.level]
    name, joins = targets.reserve(roll_class, promoted_name(roll_class, to_level), to_level or roll_class.level)
    children = (roll_class.counted or 0) if roll_class.kept_as == "count" else 0
    leavers = children if to_level is None else 0
    return ClassPromotion(roll_class, name, to_level, children, leavers, joins=joins)


def promoted_name(roll_class: RollClass, to_level: str | None) -> str:
    """小一班 becomes 中一班; a class with a name of its own keeps it."""
    old = LETTER.get(roll_class.level)
    if to_level in LETTER and old and roll_class.name.startswith(old):
        return LETTER[to_level] + roll_class.name.removeprefix(old)
    return roll_class.name


def _there(session: Session, class_ids: Iterable[uuid.UUID], begins: dt.date, *, lock: bool) -> Iterable[Row]:
    """Children of these classes who go on and are not yet in a class of the next year."""
    found = select(RollChild.id, RollChild.class_id, RollChild.born).where(
        RollChild.class_id.in_(class_ids), RollChild.left_on.is_(None), goes_on_condition(begins)
    )
    found = found.order_by(RollChild.entered_on, RollChild.id)
    return session.execute(found.with_for_update(of=RollChild) if lock else found)


def _place_children(session: Session, promotion: Promotion, choices: Mapping[str, str], *, lock: bool) -> None:
    """Each child by name: up with its class, to school, or as the choice of its exception says."""
    steps = {step.roll_class.id: step for step in promotion.steps if step.roll_class.kept_as == "rows"}
    school_age = dt.date(promotion.from_year - 5, 8, 31)
    for child in _there(session, steps, dt.date(promotion.from_year + 1, 9, 1), lock=lock):
        step = steps[child.class_id]
        old_enough = child.born is not None and child.born <= school_age
        mixed, leaves = step.roll_class.level == Level.MIXED, step.to_level is None
        kind = None
        if leaves and child.born is not None and not old_enough:
            kind = ExceptionKind.TOO_YOUNG_FOR_SCHOOL
        elif not leaves and old_enough and not mixed:
            kind = ExceptionKind.OF_SCHOOL_AGE
        choice = Choice.GRADUATE if leaves or (mixed and old_enough) else Choice.PROMOTE
        if kind is not None:
            key = f"child-{child.id}"
            promotion.exceptions.append(PromotionException(key, kind, step.roll_class.name, child.id, child.born))
            wanted = choices.get(key)
            choice = next((each for each in CHOICES[kind] if each == wanted), choice)
        step.children += 1
        if choice == Choice.GRADUATE:
            step.leavers += 1
            step.graduated.append(child.id)
        elif choice == Choice.STAY:
            step.leavers += 1
            step.staying.append(child.id)
        else:
            step.promoted.append(child.id)


def _find_class_exceptions(session: Session, promotion: Promotion, kindergarten_id: uuid.UUID) -> None:
    """Classes above the norm of their new level, and levels with more classes than have teachers in the plan."""
    of_level: dict[str, int] = {}
    for step in promotion.steps:
        if step.to_level is None:
            continue
        of_level[step.to_level] = of_level.get(step.to_level, 0) + 1
        children, norm = step.there + step.children - step.leavers, roll_checks.norm_of(step.to_level)
        if children > norm:
            key = f"class-{step.roll_class.id}"
            above = PromotionException(key, ExceptionKind.ABOVE_NORM, step.to_name, n=children, norm=norm)
            promotion.exceptions.append(above)
    for programme in programmes.of_kindergarten(session, kindergarten_id, promotion.from_year + 1, only_approved=True):
        classes = of_level.get(programme.level, 0)
        if classes > programme.staffed_classes:
            key, level = f"level-{programme.level}", programme.level
            missing = PromotionException(
                key, ExceptionKind.NO_TEACHERS, level, n=classes, norm=programme.staffed_classes
            )
            promotion.exceptions.append(missing)


def move_up(
    session: Session,
    ids: list[uuid.UUID],
    reason: str,
    new: RollClass | None,
    begins: dt.date,
    promotion_id: uuid.UUID,
) -> None:
    """End these entries, and begin one in the new class for each child; of one that began later, on its own day."""
    if not ids:
        return
    day = func.greatest(RollChild.entered_on, begins)
    end = {"left_on": day, "leave_reason": reason, "ending_promotion_id": promotion_id}
    session.execute(
        update(RollChild).where(RollChild.id.in_(ids)).values(**end).execution_options(synchronize_session=False)
    )
    if new is None:
        return
    # the ORM, because a name or a number is sealed again for the new row
    copied = ("kept_as", "name", "id_number", "id_index", "born", "school_from")
    begun = {"class_id": new.id, "promotion_id": promotion_id}
    columns = [getattr(RollChild, column) for column in copied]
    ended = session.execute(select(*columns, RollChild.left_on.label("entered_on")).where(RollChild.id.in_(ids)))
    rows = [{"id": uuid.uuid4(), **begun, **row} for row in ended.mappings()]
    write_rows(session, insert(RollChild), rows, render_nulls=True)
