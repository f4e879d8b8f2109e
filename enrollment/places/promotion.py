"""Promotion 升班: every class of a kindergarten moves up by a year, and the upper classes leave for school.

`preview` is the sheet: what becomes of each class, and the exceptions that a person decides.  `promote` does it once.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.city_time import today
from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.places import programmes, roll_checks, scope
from enrollment.places.areas import NEXT_LEVEL
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import RollPromotion

ENTRY_LEVELS = (Level.NURSERY, Level.LOWER)
LETTER: dict[str, str] = {Level.NURSERY: "托", Level.LOWER: "小", Level.MIDDLE: "中", Level.UPPER: "大"}


class ExceptionKind(StrEnum):
    """Why a person decides: of school age already, not of school age yet, more than the norm, more classes than have teachers."""

    OF_SCHOOL_AGE = "of_school_age"
    TOO_YOUNG_FOR_SCHOOL = "too_young_for_school"
    ABOVE_NORM = "above_norm"
    NO_TEACHERS = "no_teachers"


class Choice(StrEnum):
    PROMOTE = "promote"
    GRADUATE = "graduate"
    STAY = "stay"
    ACCEPT = "accept"


CHOICES = {
    ExceptionKind.OF_SCHOOL_AGE: (Choice.GRADUATE, Choice.PROMOTE),
    ExceptionKind.TOO_YOUNG_FOR_SCHOOL: (Choice.GRADUATE, Choice.STAY),
    ExceptionKind.ABOVE_NORM: (Choice.ACCEPT,),
    ExceptionKind.NO_TEACHERS: (Choice.ACCEPT,),
}


@dataclass(frozen=True)
class PromotionException:
    """`key` names it in a form.  `child_id` is None where it is about a class or a level; `n` and `norm` are its numbers."""

    key: str
    kind: ExceptionKind
    class_name: str
    child_id: uuid.UUID | None = None
    born: dt.date | None = None
    n: int = 0
    norm: int = 0

    @property
    def choices(self) -> tuple[Choice, ...]:
        return CHOICES[self.kind]


@dataclass
class ClassPromotion:
    """The promotion of one class; `to_level` None: it leaves for school.  The ids are of classes that are kept by name."""

    roll_class: RollClass
    to_name: str
    to_level: str | None
    children: int = 0
    leavers: int = 0
    promoted: list[uuid.UUID] = field(default_factory=list)
    graduated: list[uuid.UUID] = field(default_factory=list)
    staying: list[uuid.UUID] = field(default_factory=list)


@dataclass
class Promotion:
    """`to_check` are mixed classes kept as a count, whose leavers are unknown."""

    from_year: int
    steps: list[ClassPromotion] = field(default_factory=list)
    exceptions: list[PromotionException] = field(default_factory=list)
    to_check: list[str] = field(default_factory=list)
    open: list[PromotionException] = field(default_factory=list)

    @property
    def children(self) -> int:
        return sum(step.children - step.leavers for step in self.steps)

    @property
    def leavers(self) -> int:
        return sum(step.leavers for step in self.steps)

    @property
    def by_target(self) -> list[tuple[str, int]]:
        """(level, or `graduated`, number of children): the parts of the sum over the whole roll."""
        sums: dict[str, int] = {}
        for step in self.steps:
            if step.to_level is not None:
                sums[step.to_level] = sums.get(step.to_level, 0) + step.children - step.leavers
            sums["graduated"] = (
                sums.get("graduated", 0) + step.leavers - (len(step.staying) if not step.to_level else 0)
            )
        stay = sum(len(step.staying) for step in self.steps)
        sums[Level.UPPER] = sums.get(Level.UPPER, 0) + stay
        order = [*NEXT_LEVEL, "graduated"]
        return sorted(((target, n) for target, n in sums.items() if n), key=lambda part: order.index(part[0]))


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
    try:
        return _sheet(session, kindergarten_id, from_year, {}, lock=False)
    except Refused:
        return None


def _sheet(
    session: Session, kindergarten_id: uuid.UUID, from_year: int, choices: Mapping[str, str], *, lock: bool
) -> Promotion:
    classes = _classes(session, kindergarten_id, from_year)
    if not classes:
        raise Refused("nothing_to_promote", year=from_year)
    # new children may already have a class in the new year; only an older level shows a promotion
    already = _classes(session, kindergarten_id, from_year + 1)
    if any(roll_class.level not in ENTRY_LEVELS for roll_class in already):
        raise Refused("promoted_already", year=from_year + 1)
    promotion = Promotion(from_year)
    names = {roll_checks.class_name_key(roll_class.name) for roll_class in already}
    for roll_class in classes:
        promotion.steps.append(_step(roll_class, names))
        if roll_class.level == Level.MIXED and roll_class.kept_as == "count":
            promotion.to_check.append(roll_class.name)
    _place_children(session, promotion, choices, lock=lock)
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
            new = _new_class(step.roll_class, step.to_level, step.to_name, begins, row.id)
            session.add(new)
            session.flush()
            uppers += [new] if new.level == Level.UPPER and new.kept_as == "rows" else []
            move_up(session, step.promoted, "promoted", new, begins, row.id)
        move_up(session, step.graduated, "graduated", None, begins, row.id)
    for step in promotion.steps:
        if step.staying:
            move_up(
                session,
                step.staying,
                "promoted",
                _class_to_stay_in(session, step, uppers, begins, row.id),
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


def _classes(session: Session, kindergarten_id: uuid.UUID, school_year: int) -> list[RollClass]:
    found = select(RollClass).where(
        RollClass.kindergarten_id == kindergarten_id,
        RollClass.school_year == school_year,
        RollClass.closed_on.is_(None),
    )
    return list(session.scalars(found.order_by(RollClass.level, RollClass.name)))


def _step(roll_class: RollClass, names: set[str]) -> ClassPromotion:
    to_level = NEXT_LEVEL[roll_class.level]
    name = promoted_name(roll_class, to_level)
    while roll_checks.class_name_key(name) in names:
        name += "（升）"
    names.add(roll_checks.class_name_key(name))
    children = (roll_class.counted or 0) if roll_class.kept_as == "count" else 0
    return ClassPromotion(roll_class, name, to_level, children, children if to_level is None else 0)


def promoted_name(roll_class: RollClass, to_level: str | None) -> str:
    """小一班 becomes 中一班; a class with a name of its own keeps it."""
    old = LETTER.get(roll_class.level)
    if to_level in LETTER and old and roll_class.name.startswith(old):
        return LETTER[to_level] + roll_class.name.removeprefix(old)
    return roll_class.name


def _there(session: Session, class_ids: Iterable[uuid.UUID], *, lock: bool) -> Iterable[Row]:
    """Children of these classes who have not left and are not yet in a class of the next year.

    A newly admitted child may already be in its new class, here or elsewhere, when its old class is promoted.
    """
    elsewhere = aliased(RollChild)
    arrived = select(elsewhere.id).where(
        elsewhere.id_index == RollChild.id_index, elsewhere.id != RollChild.id, elsewhere.left_on.is_(None)
    )
    found = select(RollChild.id, RollChild.class_id, RollChild.born).where(
        RollChild.class_id.in_(class_ids), RollChild.left_on.is_(None), ~arrived.exists()
    )
    found = found.order_by(RollChild.entered_on, RollChild.id)
    return session.execute(found.with_for_update(of=RollChild) if lock else found)


def _place_children(session: Session, promotion: Promotion, choices: Mapping[str, str], *, lock: bool) -> None:
    """Each child by name: up with its class, to school, or as the choice of its exception says."""
    steps = {step.roll_class.id: step for step in promotion.steps if step.roll_class.kept_as == "rows"}
    school_age = dt.date(promotion.from_year - 5, 8, 31)
    for child in _there(session, steps, lock=lock):
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
        children, norm = step.children - step.leavers, roll_checks.norm_of(step.to_level)
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


def _new_class(old: RollClass, level: str, name: str, begins: dt.date, promotion_id: uuid.UUID) -> RollClass:
    return RollClass(
        kindergarten_id=old.kindergarten_id, school_year=begins.year, level=level, name=name, kept_as=old.kept_as,
        counted=old.counted, as_of=begins, promotion_id=promotion_id,
    )  # fmt: skip


def _class_to_stay_in(
    session: Session, step: ClassPromotion, uppers: list[RollClass], begins: dt.date, promotion_id: uuid.UUID
) -> RollClass:
    """For a child that stays another year in the upper level: the emptiest class of it, or the old class once more."""
    if not uppers:
        uppers.append(_new_class(step.roll_class, step.roll_class.level, step.roll_class.name, begins, promotion_id))
        session.add(uppers[0])
        session.flush()
    children = {
        upper.id: session.scalar(select(func.count()).where(RollChild.class_id == upper.id)) or 0 for upper in uppers
    }
    return min(uppers, key=lambda upper: (children[upper.id], upper.name))


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
