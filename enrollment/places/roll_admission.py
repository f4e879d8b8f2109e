"""Arrival of an admitted child: a new entry on the roll, and the end of its entry of an earlier year.

A nursery child applies again for the lower class while it is on last year's roll, or after its old kindergarten
promoted it.  The admission decides: a child has one entry at a time.
"""

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.places import promotion, roll
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import late_promotion


def admit(
    session: Session,
    kindergarten_id: uuid.UUID,
    level: str,
    year: int,
    *,
    name: str,
    class_name: str,
    id_number: str,
    id_kind: str,
    known_by: Collection[bytes],
    born: dt.date,
    by: Actor,
    now: dt.datetime,
) -> RollChild:
    """Put an admitted child on the roll of its class of `year`, from September or from today; its earlier entry ends that day.

    `known_by` are the indexes of all documents of the child: an earlier roll may have another one.  Refuses `on_roll_already` for a child that another kindergarten has taken in this year, and what
    `roll.enter_child` refuses.
    """
    begins = first_day(year, now=now)
    for before in roll.lock_entries_from(session, known_by, begins):
        there = session.get_one(RollClass, before.class_id)
        if there.school_year >= year and not _was_promoted(session, before, there):
            raise Refused("on_roll_already", field="id_number")
        _end_earlier_entry(session, before, there.kindergarten_id == kindergarten_id, begins, by=by, now=now)
    return roll.enter_child(
        session, kindergarten_id, level, year, name=name, class_name=class_name, id_number=id_number, id_kind=id_kind,
        born=born, entered_on=begins, by=by, now=now,
    )  # fmt: skip


def resume(session: Session, child_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> RollChild:
    """Let an entry go on that an admission had ended, because the child did not come there.  The entry that is open now.

    If the kindergarten has promoted its class meanwhile, the child moves up with it, as if it had been on the sheet.
    Refuses `no_class_to_return_to` if no class is left into which it could.
    """
    child = session.get_one(RollChild, child_id, with_for_update=True, populate_existing=True)
    child.left_on = child.leave_reason = None
    session.flush()
    old = session.get_one(RollClass, child.class_id)
    made = promotion.last_promotion(session, old.kindergarten_id, old.school_year)
    if made is None:
        return child
    moved = late_promotion.promote(session, made, child, old)
    audit.record(session, "promote_roll_child", "roll_child", moved.id, by=by, now=now)
    return moved


def first_day(year: int, *, now: dt.datetime) -> dt.date:
    """The day from which a child that arrives now is on the roll of this school year."""
    return max(today(now), dt.date(year, 9, 1))


def _was_promoted(session: Session, child: RollChild, there: RollClass) -> bool:
    """Whether its entry of this year comes from the promotion of its old class."""
    old = (
        select(RollChild.id)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(
            RollChild.id_index == child.id_index,
            RollChild.leave_reason == "promoted",
            RollClass.kindergarten_id == there.kindergarten_id,
            RollClass.school_year == there.school_year - 1,
        )
    )
    return session.scalar(old.limit(1)) is not None


def _end_earlier_entry(
    session: Session, child: RollChild, here: bool, begins: dt.date, *, by: Actor, now: dt.datetime
) -> None:
    """End the entry on the day on which the new one begins, so that each day counts the child once."""
    child.left_on = max(begins, child.entered_on)
    child.leave_reason = "promoted" if here else "transferred"
    session.flush()
    audit.record(
        session, "leave_roll", "roll_child", child.id, by=by, now=now, reason=child.leave_reason,
        on=child.left_on.isoformat(),
    )  # fmt: skip
