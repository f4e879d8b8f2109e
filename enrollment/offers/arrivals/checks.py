"""The checks at arrival.  Each tick is a row of its own (`ArrivalTap`), so that two tablets never erase each other's."""

import datetime as dt
import uuid

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.offers.arrivals.door import at_my_door
from enrollment.offers.arrivals.rows import ArrivalCheck, ArrivalTap, Check, TapAct


def note(session: Session, offer_id: uuid.UUID, check: Check, done: bool, *, by: Actor, now: dt.datetime) -> None:
    """Tick a check, or take the tick away, from a page without a queue.  NotFound elsewhere."""
    door = at_my_door(session, offer_id, by=by, lock=True)
    session.add(
        ArrivalTap(
            id=uuid.uuid4(), kindergarten_id=door.kindergarten_id, year=door.year, offer_id=offer_id,
            act=TapAct(check), done=done, tapped_at=now, received_at=now, account_id=by.account_id,
        )
    )  # fmt: skip
    session.flush()
    apply_newest(session, offer_id, check, by=by, now=now)


def apply_newest(session: Session, offer_id: uuid.UUID, check: Check, *, by: Actor, now: dt.datetime) -> None:
    """Let the check say what the newest tap of it says, also when an older tap comes later.

    A check that was done before keeps its first day.  The first statement locks the row, so that the second one sees the
    taps of every transaction that was faster.
    """
    row = insert(ArrivalCheck).values(offer_id=offer_id, account_id=by.account_id, at=now)
    said = {"account_id": by.account_id, "at": now}
    session.execute(row.on_conflict_do_update(index_elements=["offer_id"], set_=said))
    newest = session.execute(
        select(ArrivalTap.done, ArrivalTap.tapped_at)
        .where(ArrivalTap.offer_id == offer_id, ArrivalTap.act == check)
        .where(or_(ArrivalTap.refusal.is_(None), ArrivalTap.matched))
        .order_by(ArrivalTap.tapped_at.desc(), ArrivalTap.received_at.desc(), ArrivalTap.id)
        .limit(1)
    ).one()
    column = getattr(ArrivalCheck, f"{check}_on")
    changed = update(ArrivalCheck).where(ArrivalCheck.offer_id == offer_id)
    if not newest.done:
        changed = changed.values({column: None})
    else:
        changed = changed.where(column.is_(None)).values({column: today(newest.tapped_at)})
    session.execute(changed)
    audit.record(session, "arrival_check", "offer", offer_id, by=by, now=now, check=check, done=newest.done)
