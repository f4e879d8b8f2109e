"""What a family does: booking a slot for a child, and cancelling it."""

import datetime as dt
import uuid
from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import applications
from enrollment.applications.application_rows import Application
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, retention
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.retention import THIRTY_DAYS, Moment
from enrollment.open_days.rows import OpenDay, OpenDaySlot, OpenDayVisit

MOST_ADULTS = 4
LONGEST_NEEDS = 200


def open_day_of(session: Session, open_day_id: uuid.UUID) -> OpenDay:
    """An open day, for everybody; NotFound for an unknown one."""
    open_day = session.get(OpenDay, open_day_id)
    if open_day is None:
        raise NotFound("open_day")
    return open_day


def own_children(session: Session, *, by: Actor) -> list[Application]:
    """The newest application of each of the signed-in guardian's children."""
    newest: dict[uuid.UUID, Application] = {}
    for each in applications.list_own(session, by=by):
        newest.setdefault(each.child_id, each)
    return list(newest.values())


def own_visits(session: Session, *, by: Actor, now: dt.datetime) -> list[OpenDayVisit]:
    """The visits of one's children that are still to come, today's included, by day and time."""
    children = [each.child_id for each in own_children(session, by=by)]
    found = (
        select(OpenDayVisit)
        .join(OpenDaySlot, OpenDaySlot.id == OpenDayVisit.slot_id)
        .join(OpenDay, OpenDay.id == OpenDayVisit.open_day_id)
        .where(OpenDayVisit.child_id.in_(children), OpenDayVisit.cancelled_at.is_(None), OpenDay.on_day >= today(now))
        .order_by(OpenDay.on_day, OpenDaySlot.begins, OpenDayVisit.id)
    )
    return list(session.scalars(found).unique())


def book(
    session: Session, open_day_id: uuid.UUID, slot_id: uuid.UUID | None, child_id: uuid.UUID | None, *, adults: int,
    needs: str, by: Actor, now: dt.datetime,
) -> OpenDayVisit:  # fmt: skip
    """Book a slot for a child; a slot of the same day that it has is given up for it, in one step.

    Refuses `open_day_over` for a slot that is gone, has begun or was cancelled, `open_day_full`, `open_day_child`,
    `open_day_adults`.
    """
    application = next((each for each in own_children(session, by=by) if each.child_id == child_id), None)
    if application is None:
        raise Refused("open_day_child", field="child")
    if not 1 <= adults <= MOST_ADULTS:
        raise Refused("open_day_adults", field="adults", n=MOST_ADULTS)
    slot = _open_slot(session, open_day_id, slot_id, now)
    before = session.scalars(_live_visit(slot.open_day_id, application.child_id)).unique().one_or_none()
    if before is not None and before.slot_id == slot.id:
        before.adults, before.needs = adults, needs.strip()[:LONGEST_NEEDS]
        session.flush()
        return before
    if slot.free < 1:
        raise Refused("open_day_full", field="slot")
    if before is not None:
        before.cancelled_at = now
        session.flush()
    visit = OpenDayVisit(
        slot_id=slot.id, open_day_id=slot.open_day_id, application_id=application.id, child_id=application.child_id,
        adults=adults, needs=needs.strip()[:LONGEST_NEEDS], booked_by=by.account_id, booked_at=now,
    )  # fmt: skip
    session.add(visit)
    session.flush()
    session.refresh(slot)
    audit.record(session, "book_open_day", "open_day", slot.open_day_id, by=by, now=now, moved=before is not None)
    notify_guardians(
        session, "open_day_booked", [application.id], now=now, by=by, event=f"open_day_booked:{visit.id}",
        kindergarten=slot.open_day.kindergarten.name, at=slot.begins_at.isoformat(timespec="minutes"),
        place=slot.open_day.meeting_point,
    )  # fmt: skip
    return visit


def cancel(session: Session, visit_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> OpenDayVisit:
    """Give up a visit of one's child; its place is free at once.  A second time changes nothing."""
    visit = session.get(OpenDayVisit, visit_id)
    if visit is None or visit.child_id not in {each.child_id for each in own_children(session, by=by)}:
        raise NotFound("open_day_visit")
    session.refresh(visit, with_for_update={"of": OpenDayVisit})
    if visit.cancelled_at is None:
        if visit.slot.begins_at <= now:
            raise Refused("open_day_over")
        visit.cancelled_at = now
        session.flush()
        session.refresh(visit.slot)
        audit.record(session, "cancel_open_day_visit", "open_day", visit.open_day_id, by=by, now=now)
    return visit


def delete_old(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Visits to open days of a month ago."""
    old = select(OpenDay.id).where(OpenDay.on_day < today(moment.now - THIRTY_DAYS))
    return retention.delete_rows(session, OpenDayVisit, OpenDayVisit.open_day_id.in_(old), limit=limit)


def _open_slot(session: Session, open_day_id: uuid.UUID, slot_id: uuid.UUID | None, now: dt.datetime) -> OpenDaySlot:
    """The slot, locked: the day first against a change, then the slot against another family."""
    locked = select(OpenDay).where(OpenDay.id == open_day_id).with_for_update(read=True, of=OpenDay)
    open_day = session.scalars(locked.execution_options(populate_existing=True)).unique().one_or_none()
    if open_day is None:
        raise NotFound("open_day")
    found = select(OpenDaySlot).where(OpenDaySlot.id == slot_id, OpenDaySlot.open_day_id == open_day_id)
    found = found.with_for_update(of=OpenDaySlot).execution_options(populate_existing=True)
    slot = session.scalars(found).unique().one_or_none()
    if slot is None or open_day.cancelled_at is not None or slot.begins_at <= now:
        raise Refused("open_day_over", field="slot")
    return slot


def _live_visit(open_day_id: uuid.UUID, child_id: uuid.UUID):
    return select(OpenDayVisit).where(
        OpenDayVisit.open_day_id == open_day_id, OpenDayVisit.child_id == child_id, OpenDayVisit.cancelled_at.is_(None)
    )
