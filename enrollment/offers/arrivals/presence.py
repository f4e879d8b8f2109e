"""Whether a child has arrived, and into which class: the newest tap holds, also when an older one comes later."""

import datetime as dt
import uuid

from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.offers.arrivals import arrival, roll_entry
from enrollment.offers.arrivals.door import at_my_door
from enrollment.offers.arrivals.rows import PRESENCE, ArrivalTap, TapAct
from enrollment.offers.offer_rows import OfferState


def note(
    session: Session, offer_id: uuid.UUID, act: TapAct, *, class_name: str = "", by: Actor, now: dt.datetime
) -> None:
    """Note an arrival, its undoing or another class, from a page without a queue.  The caller undoes what was refused.

    Refuses what `arrival` refuses, and NotFound elsewhere.  The tap is what an older tap of a tablet is compared with.
    """
    door = at_my_door(session, offer_id, by=by, lock=True)
    session.add(
        ArrivalTap(
            id=uuid.uuid4(), kindergarten_id=door.kindergarten_id, year=door.year, offer_id=offer_id, act=act,
            class_name=class_name.strip()[:20] or None, tapped_at=now, received_at=now, account_id=by.account_id,
        )
    )  # fmt: skip
    session.flush()
    _make(session, offer_id, act, class_name, by=by, now=now)


def carry_out(
    session: Session, tap: ArrivalTap, offer_id: uuid.UUID, *, class_name: str, by: Actor, now: dt.datetime
) -> None:
    """Let the tap of a tablet take effect.  Nothing happens if all is as it says: a colleague said the same.

    Refuses `tap_overtaken` if a newer tap about the presence of this child has taken effect, and what `arrival` refuses.
    """
    state = at_my_door(session, offer_id, by=by, lock=True).offer.state
    if tap.act == TapAct.NOT_ARRIVED:
        if state != OfferState.ARRIVED:
            return
    elif state == OfferState.ARRIVED and roll_entry.class_of(session, offer_id) == class_name:
        return
    if _is_overtaken(session, tap, offer_id):
        raise Refused("tap_overtaken")
    _make(session, offer_id, TapAct(tap.act), class_name, by=by, now=now)


def _is_overtaken(session: Session, tap: ArrivalTap, offer_id: uuid.UUID) -> bool:
    """Whether a newer tap has taken effect.  What a person has matched is as new as this decision."""
    said_at = case((ArrivalTap.matched, ArrivalTap.settled_at), else_=ArrivalTap.tapped_at)
    newer = (
        select(ArrivalTap.id)
        .where(ArrivalTap.offer_id == offer_id, ArrivalTap.act.in_(PRESENCE), ArrivalTap.id != tap.id)
        .where(or_(ArrivalTap.refusal.is_(None), ArrivalTap.matched), said_at > tap.tapped_at)
    )
    return session.scalar(newer.limit(1)) is not None


def _make(session: Session, offer_id: uuid.UUID, act: TapAct, class_name: str, *, by: Actor, now: dt.datetime) -> None:
    if act == TapAct.ARRIVED:
        arrival.arrive(session, offer_id, class_name=class_name, by=by, now=now)
    elif act == TapAct.CLASS:
        arrival.mend_class(session, offer_id, class_name=class_name, by=by, now=now)
    else:
        arrival.undo_arrival(session, offer_id, by=by, now=now)
