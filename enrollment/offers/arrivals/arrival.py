"""A child arrives; what was noted by mistake is undone, and a wrong class is mended on the same day."""

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, outbox
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.offers import offer_lifecycle
from enrollment.offers.arrivals import checks, classes, days, roll_entry
from enrollment.offers.arrivals.door import Door, at_my_door
from enrollment.offers.arrivals.rows import Check
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferState


def arrive(
    session: Session,
    offer_id: uuid.UUID,
    *,
    class_name: str,
    health: bool = False,
    vaccination: bool = False,
    pickup: bool = False,
    by: Actor,
    now: dt.datetime,
) -> Offer:
    """Record that the child has arrived, with the checks that are done, and add it to the roll of its class.

    Refuses `class_name_missing`, `arrival_not_begun`, `offer_not_confirmed`, `class_not_of_this_level`, `class_is_full`,
    and what the roll refuses (`on_roll_already`, `class_is_counted`).
    """
    if not class_name.strip():
        raise Refused("class_name_missing", field="class_name")
    door = at_my_door(session, offer_id, by=by, lock=True)
    days.refuse_too_early(session, door.year, now=now)
    if door.offer.state not in EXPECTED:
        raise Refused("offer_not_confirmed", state=door.offer.state)
    classes.refuse_full(session, door.programme, class_name.strip(), by=by, now=now)
    for check, done in ((Check.HEALTH, health), (Check.VACCINATION, vaccination), (Check.PICKUP, pickup)):
        if done:
            checks.note(session, offer_id, check, True, by=by, now=now)
    return mark_arrived(session, offer_id, class_name=class_name.strip(), by=by, now=now)


def mark_arrived(
    session: Session, offer_id: uuid.UUID, *, class_name: str | None = None, by: Actor, now: dt.datetime
) -> Offer:
    """The move itself, on any day; with a `class_name` also the entry on the roll.

    Refuses `offer_not_confirmed`, and what the roll refuses.
    """
    door = at_my_door(session, offer_id, by=by, lock=True)
    if door.offer.state not in EXPECTED:
        raise Refused("offer_not_confirmed", state=door.offer.state)
    number = offer_lifecycle.make(session, door.offer, "mark_arrived", by=by, now=now)
    event = f"arrived:{number}"
    notify_guardians(session, "marked_arrived", [door.offer.application_id], now=now, by=by, event=event)
    outbox.replace_earlier(session, "marked_arrived", [door.offer.application_id], now=now)
    if class_name:
        roll_entry.enter(session, door, class_name, by=by, now=now)
    return door.offer


def undo_arrival(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Offer:
    """The child did not arrive after all: it is expected again, and its entry on the roll is countered.

    The family is told only if it was told of the arrival, which waits ten minutes.

    Refuses `offer_not_arrived`, `left_already` if the child has left the roll since, and `undo_in_roll` a week after it
    came into its first class here, or after a promotion: then it leaves in the roll.
    """
    door = _arrived(session, offer_id, by=by)
    roll_entry.refuse_long_ago(session, offer_id, now=now)
    waited = offer_lifecycle.state_before(session, offer_id, OfferState.ARRIVED) == OfferState.CONFIRMED_WAITING
    roll_entry.withdraw(session, offer_id, by=by, now=now)
    move = "undo_arrival_and_wait" if waited else "undo_arrival"
    number = offer_lifecycle.make(session, door.offer, move, by=by, now=now)
    if outbox.withhold(session, "marked_arrived", door.offer.application_id, now=now):
        event = f"arrival_undone:{number}"
        notify_guardians(session, "arrival_undone", [door.offer.application_id], now=now, by=by, event=event)
    return door.offer


def mend_class(session: Session, offer_id: uuid.UUID, *, class_name: str, by: Actor, now: dt.datetime) -> None:
    """Put the child into another class on the day of its arrival.  Nothing happens if it is in that class.

    Refuses `offer_not_arrived`, `class_name_missing`, `class_change_in_roll` from the next day on, and what `arrive`
    refuses about a class.
    """
    if not class_name.strip():
        raise Refused("class_name_missing", field="class_name")
    door = _arrived(session, offer_id, by=by)
    if roll_entry.class_of(session, offer_id) == class_name.strip():
        return
    roll_entry.refuse_another_day(session, offer_id, now=now)
    classes.refuse_full(session, door.programme, class_name.strip(), by=by, now=now)
    roll_entry.enter_another_class(session, door, class_name.strip(), by=by, now=now)
    audit.record(session, "mend_class", "offer", offer_id, by=by, now=now)


def _arrived(session: Session, offer_id: uuid.UUID, *, by: Actor) -> Door:
    door = at_my_door(session, offer_id, by=by, lock=True)
    if door.offer.state != OfferState.ARRIVED:
        raise Refused("offer_not_arrived", state=door.offer.state)
    return door
