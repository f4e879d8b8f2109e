"""Moves of a child within its kindergarten: another class, and a leaving that is undone."""

import datetime as dt
import json
import uuid

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.places import roll, roll_checks
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import RollTransfer, TransferState
from enrollment.places.roll_rows import BY_A_MOVE, RollCorrection, on_roll_condition


def change_class(
    session: Session, child_id: uuid.UUID, to_class_id: uuid.UUID, *, day: dt.date, by: Actor, now: dt.datetime
) -> RollChild:
    """A child goes to another class of its kindergarten and school year from a day on; its new entry.

    Refuses `left_already`, `class_of_another_year`, `class_is_counted`, `class_is_closed`, `class_at_norm` (with the norm),
    `age_does_not_fit`, `move_day_impossible`.
    """
    child = roll.lock_child_in_scope(session, child_id, by=by)
    here = session.get_one(RollClass, child.class_id)
    there = roll.class_in_scope(session, to_class_id, by=by, lock=True)
    roll_checks.check_school_year(here.school_year, by=by, now=now)
    if child.left_on is not None:
        raise Refused("left_already")
    if (there.kindergarten_id, there.school_year) != (here.kindergarten_id, here.school_year) or there.id == here.id:
        raise Refused("class_of_another_year", field="to_class")
    last = max(today(now), dt.date(here.school_year, 9, 1))
    if not max(child.entered_on, dt.date(here.school_year, 9, 1)) <= day <= last:
        raise Refused("move_day_impossible", field="day", last=last.isoformat())
    check_takes_another(session, there, child.born, day)
    return move_to_class(session, child, there, day, by=by, now=now)


def check_takes_another(session: Session, there: RollClass, born: dt.date | None, day: dt.date) -> None:
    """Refuse a class that is kept as a number, closed or full, and a child of the wrong age for it."""
    if there.kept_as != "rows":
        raise Refused("class_is_counted", field="to_class")
    if there.closed_on is not None:
        raise Refused("class_is_closed", field="to_class")
    roll_checks.check_age(born, there.level, there.school_year, field="to_class")
    children, norm = children_at(session, there, day), roll_checks.norm_of(there.level)
    if children >= norm:
        raise Refused("class_at_norm", field="to_class", n=children, norm=norm)


def move_to_class(
    session: Session, child: RollChild, there: RollClass, day: dt.date, *, by: Actor, now: dt.datetime
) -> RollChild:
    """End the child's entry and begin one in the other class on the same day, which ends when the former one would have."""
    moved = RollChild(
        class_id=there.id, name=child.name, id_number=child.id_number, id_index=child.id_index, born=child.born,
        entered_on=day, left_on=child.left_on, leave_reason=child.leave_reason,
        ending_promotion_id=child.ending_promotion_id,
    )  # fmt: skip
    child.left_on, child.leave_reason, child.ending_promotion_id = day, "class_change", None
    session.flush()
    session.add(moved)
    session.flush()
    audit.record(session, "change_roll_class", "roll_child", moved.id, by=by, now=now, day=day.isoformat())
    return moved


def move_entry(
    session: Session, child: RollChild, there: RollClass, day: dt.date, *, by: Actor, now: dt.datetime
) -> RollChild:
    """Move an entry that is not over on a day: one that begins on it or later belongs to the other class from its beginning,
    and a leaving that is noted stays noted."""
    if child.entered_on >= day:
        child.class_id = there.id
        session.flush()
        audit.record(session, "change_roll_class", "roll_child", child.id, by=by, now=now, day=str(child.entered_on))
        return child
    moved = move_to_class(session, child, there, day, by=by, now=now)
    if moved.left_on is not None:  # a finished transfer is that of the entry which it ended
        ended = update(RollTransfer).where(RollTransfer.roll_child_id == child.id)
        session.execute(ended.values(roll_child_id=moved.id))
    return moved


def undo_leave(session: Session, child_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> RollChild:
    """Take back a leaving that was noted in error: a dated correction, which keeps what stood there before.

    Refuses `has_not_left`, `left_by_a_move` (a promotion, a class change or a finished transfer is undone there),
    `class_is_closed`, `on_roll_already` where the child is on another roll by now.
    """
    child = roll.lock_child_in_scope(session, child_id, by=by)
    roll_class = session.get_one(RollClass, child.class_id)
    roll_checks.check_school_year(roll_class.school_year, by=by, now=now)
    if child.left_on is None:
        raise Refused("has_not_left")
    moved = select(RollTransfer.id).where(
        RollTransfer.roll_child_id == child.id, RollTransfer.state == TransferState.DONE
    )
    if (
        child.leave_reason in BY_A_MOVE
        or child.ending_promotion_id is not None
        or session.scalar(moved.limit(1)) is not None
    ):
        raise Refused("left_by_a_move")
    if roll_class.closed_on is not None:
        raise Refused("class_is_closed")
    if child.id_index is not None and roll.on_roll_from(session, child.id_index, child.left_on):
        raise Refused("on_roll_already")
    before = {"left_on": child.left_on.isoformat(), "leave_reason": child.leave_reason}
    session.add(
        RollCorrection(
            roll_child_id=child.id,
            corrected_on=today(now),
            changed=sorted(before),
            before=json.dumps(before),
            account_id=by.account_id,
        )
    )
    child.left_on = child.leave_reason = None
    session.flush()
    audit.record(session, "undo_leave_roll", "roll_child", child.id, by=by, now=now)
    return child


def children_at(session: Session, roll_class: RollClass, day: dt.date) -> int:
    """The number of children of a class on a day."""
    if roll_class.kept_as == "count":
        return roll_class.counted or 0
    found = select(func.count()).where(RollChild.class_id == roll_class.id, on_roll_condition(day))
    return session.scalar(found) or 0
