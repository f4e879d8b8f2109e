"""The entry on the roll that an arrival makes, its counter-entry when the arrival is undone, and another class.

An entry is never deleted: an arrival that was noted by mistake ends on the day on which it began, so that it counts on no
day, and the entries that it had ended go on.  What the child's class changes made of the entry ends in the same way.
"""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.offers.arrivals.current_entries import TO_FOLLOW, follow, join_current
from enrollment.offers.arrivals.door import Door
from enrollment.offers.arrivals.rows import ArrivalEntry
from enrollment.offers.offer_rows import Offer
from enrollment.people import documents
from enrollment.people.person_rows import Child
from enrollment.places import roll, roll_admission
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes.entry_chain import chain_of

NEVER_CAME, OTHER_CLASS = "no_show", "other"
"""Reasons of a counter-entry: the child was not there; it belongs into another class."""

LATEST_UNDOING = dt.timedelta(days=7)
"""A mistake shows when the class of a child looks for it.  A counter-entry takes the child away from all days since its
entry, on which others have counted it."""


def enter(session: Session, door: Door, class_name: str, *, by: Actor, now: dt.datetime) -> RollChild:
    """Put the child of the offer on the roll.  Refuses what `roll_admission.admit` refuses."""
    begins = roll_admission.first_day(door.programme.year, now=now)
    known_by = _known_by(session, door)
    before = [each.id for each in roll.lock_entries_from(session, known_by, begins)]
    return _begin(session, door, class_name, known_by, before, by=by, now=now)


def enter_another_class(session: Session, door: Door, class_name: str, *, by: Actor, now: dt.datetime) -> None:
    """Counter the entry and begin one in another class; what the arrival had ended stays ended.  Refuses what `enter` refuses,
    and `left_already`."""
    made = session.get(ArrivalEntry, door.offer.id, populate_existing=True)
    if made is None:
        enter(session, door, class_name, by=by, now=now)
        return
    ended = list(made.ended)
    _counter(session, made, OTHER_CLASS, by=by, now=now)
    _begin(session, door, class_name, _known_by(session, door), ended, by=by, now=now)


def class_of(session: Session, offer_id: uuid.UUID) -> str | None:
    """The name of the class in which the child of this offer is; None if it is on no roll."""
    offered = select(RollClass.name, TO_FOLLOW).select_from(Offer).join(Programme, Programme.id == Offer.programme_id)
    name, first_id = session.execute(join_current(offered).where(Offer.id == offer_id)).one()
    followed = follow(session, first_id)
    return followed[0] if followed else name


def withdraw(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Counter the entry and those that followed it by a class change, and let the entries that it had ended go on.

    Refuses `left_already` if the child has left since, `undo_in_roll` after a promotion, and what `roll_admission.resume` refuses.
    """
    made = session.get(ArrivalEntry, offer_id, populate_existing=True)
    if made is None:
        return
    _counter(session, made, NEVER_CAME, by=by, now=now)
    for ended_id in made.ended:
        roll_admission.resume(session, ended_id, by=by, now=now)


def _known_by(session: Session, door: Door) -> list[bytes]:
    """The indexes of all documents of the child."""
    return [each.person_index for each in documents.documents_of(session, door.offer.child_id)]


def _begin(
    session: Session,
    door: Door,
    class_name: str,
    known_by: list[bytes],
    ended: list[uuid.UUID],
    *,
    by: Actor,
    now: dt.datetime,
) -> RollChild:
    child, programme = session.get_one(Child, door.offer.child_id), door.programme
    entry = roll_admission.admit(
        session, programme.kindergarten_id, programme.level, programme.year, name=child.name,
        class_name=class_name, id_number=child.id_number, id_kind=child.id_kind, born=child.born,
        known_by=known_by, by=by, now=now,
    )  # fmt: skip
    row = {"roll_child_id": entry.id, "ended": ended, "at": now}
    made = insert(ArrivalEntry).values(offer_id=door.offer.id, **row)
    session.execute(made.on_conflict_do_update(index_elements=["offer_id"], set_=row))
    return entry


def _counter(session: Session, made: ArrivalEntry, reason: str, *, by: Actor, now: dt.datetime) -> None:
    entries = _entries_of(session, made.roll_child_id, lock=True)
    if entries[-1].left_on is not None:
        raise Refused("left_already")
    if any(entry.ending_promotion_id is not None for entry in entries):
        raise Refused("undo_in_roll")
    for entry in entries:
        entry.left_on, entry.leave_reason = entry.entered_on, reason
    session.flush()
    for entry in entries:
        audit.record(session, "withdraw_roll_entry", "roll_child", entry.id, by=by, now=now, reason=reason)


def _entries_of(session: Session, first_id: uuid.UUID, *, lock: bool = False) -> list[RollChild]:
    """The entry that the arrival made, and those that followed it in the kindergarten."""
    place = select(RollClass.kindergarten_id).join(RollChild, RollChild.class_id == RollClass.id)
    return chain_of(session, first_id, session.scalars(place.where(RollChild.id == first_id)).one(), lock=lock)


def refuse_another_day(session: Session, offer_id: uuid.UUID, *, now: dt.datetime) -> None:
    """Refuse `class_change_in_roll` once the child has been in its class for a day: then it changes class in the roll.

    A child that arrives in August is in its class from 1 September.
    """
    made = session.get_one(ArrivalEntry, offer_id, populate_existing=True)
    if session.get_one(RollChild, made.roll_child_id).entered_on < today(now):
        raise Refused("class_change_in_roll")


def refuse_long_ago(session: Session, offer_id: uuid.UUID, *, now: dt.datetime) -> None:
    """Refuse `undo_in_roll` when the child has been on the roll for more than a week: then it leaves in the roll."""
    made = session.get(ArrivalEntry, offer_id, populate_existing=True)
    if made is None:
        return
    entries = _entries_of(session, made.roll_child_id)
    if entries[-1].left_on is None and entries[0].entered_on + LATEST_UNDOING < today(now):
        raise Refused("undo_in_roll")
