"""What a kindergarten does with its open days: publishing, changing, cancelling, and reading who comes."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.phones import mask_phone
from enrollment.open_days.rows import OpenDay, OpenDaySlot, OpenDayVisit
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten

MOST_SLOTS = 8
MOST_PLACES = 500
LONGEST_TEXT = 200
FAR = dt.timedelta(days=366)
"""How far ahead an open day is published."""


@dataclass(frozen=True)
class SlotPlan:
    """A slot as it is wanted; `id` is None for a new one."""

    id: uuid.UUID | None
    begins: dt.time
    ends: dt.time
    places: int


@dataclass(frozen=True)
class DayPlan:
    """An open day as it is wanted."""

    on_day: dt.date
    meeting_point: str
    note: str
    slots: Sequence[SlotPlan]


@dataclass(frozen=True)
class Visitor:
    """One line of the list for the door.  `relation` and `phone` are of the person who booked."""

    visit: OpenDayVisit
    code: str | None
    phone: str


def upcoming(session: Session, kindergarten_id: uuid.UUID, *, now: dt.datetime) -> list[OpenDay]:
    """The open days that are still to come, today's included, for everybody; one that was cancelled says so."""
    found = select(OpenDay).where(OpenDay.kindergarten_id == kindergarten_id, OpenDay.on_day >= today(now))
    return list(session.scalars(found.order_by(OpenDay.on_day, OpenDay.id)).unique())


def of_kindergarten(session: Session, kindergarten_id: uuid.UUID, *, by: Actor) -> list[OpenDay]:
    """Every open day of a kindergarten in the actor's scope, the newest first."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    found = select(OpenDay).where(OpenDay.kindergarten_id == kindergarten_id)
    return list(session.scalars(found.order_by(OpenDay.on_day.desc(), OpenDay.id)).unique())


def find(session: Session, open_day_id: uuid.UUID, *, by: Actor) -> OpenDay:
    """An open day in the actor's scope; NotFound for any other."""
    found = (
        select(OpenDay)
        .join(Kindergarten, Kindergarten.id == OpenDay.kindergarten_id)
        .where(OpenDay.id == open_day_id, scope.scope_condition(by))
    )
    open_day = session.scalars(found).unique().one_or_none()
    if open_day is None:
        raise NotFound("open_day")
    return open_day


def publish(session: Session, kindergarten_id: uuid.UUID, plan: DayPlan, *, by: Actor, now: dt.datetime) -> OpenDay:
    """Publish an open day.  Refuses a day or a slot that cannot be."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    _check(plan, now)
    open_day = OpenDay(
        kindergarten_id=kindergarten_id, on_day=plan.on_day, meeting_point=plan.meeting_point, note=plan.note,
        made_by=by.account_id, made_at=now,
    )  # fmt: skip
    session.add(open_day)
    session.flush()
    session.add_all(
        OpenDaySlot(open_day_id=open_day.id, begins=each.begins, ends=each.ends, places=each.places)
        for each in plan.slots
    )
    session.flush()
    session.refresh(open_day, ["slots"])
    audit.record(
        session, "publish_open_day", "open_day", open_day.id, by=by, now=now, day=plan.on_day.isoformat(),
        places=open_day.places,
    )  # fmt: skip
    return open_day


def change(
    session: Session, open_day_id: uuid.UUID, plan: DayPlan, *, version: int, by: Actor, now: dt.datetime
) -> OpenDay:
    """Change an open day.  Families whose day, time or meeting point changes get a message.

    A slot that is left out is removed; one with visits cannot be (`open_day_slot_booked`), nor have fewer places than
    visits (`open_day_fewer_places`).  Stale if another page changed it first.
    """
    find(session, open_day_id, by=by)
    open_day = _locked(session, open_day_id)
    if open_day.version != version:
        raise Stale
    if open_day.cancelled_at is not None or open_day.on_day < today(now):
        raise Refused("open_day_over")
    _check(plan, now)
    wanted = {each.id: each for each in plan.slots if each.id is not None}
    moved_day = (open_day.on_day, open_day.meeting_point) != (plan.on_day, plan.meeting_point)
    told = []
    for slot in list(open_day.slots):
        new = wanted.pop(slot.id, None)
        if new is None:
            _remove(session, slot)
            continue
        if new.places < slot.taken:
            raise Refused("open_day_fewer_places", field="slots", n=slot.taken)
        if moved_day or (slot.begins, slot.ends) != (new.begins, new.ends):
            told.append(slot)
        slot.begins, slot.ends, slot.places = new.begins, new.ends, new.places
    if wanted:
        raise Stale
    session.add_all(
        OpenDaySlot(open_day_id=open_day.id, begins=each.begins, ends=each.ends, places=each.places)
        for each in plan.slots
        if each.id is None
    )
    open_day.on_day, open_day.meeting_point, open_day.note = plan.on_day, plan.meeting_point, plan.note
    open_day.version += 1
    session.flush()
    session.refresh(open_day, ["slots"])
    audit.record(session, "change_open_day", "open_day", open_day.id, by=by, now=now, version=open_day.version)
    for slot in told:
        _tell(session, "open_day_changed", open_day, slot, by=by, now=now)
    return open_day


def cancel(session: Session, open_day_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> OpenDay:
    """Cancel an open day; every family that comes gets a message with the reason.  Refuses `reason_needed`,
    `open_day_over`."""
    find(session, open_day_id, by=by)
    if not reason.strip():
        raise Refused("reason_needed", field="reason")
    open_day = _locked(session, open_day_id)
    if open_day.cancelled_at is not None or open_day.on_day < today(now):
        raise Refused("open_day_over")
    open_day.cancelled_at, open_day.cancelled_by = now, by.account_id
    open_day.cancel_reason = reason.strip()[:LONGEST_TEXT]
    open_day.version += 1
    session.flush()
    audit.record(session, "cancel_open_day", "open_day", open_day.id, by=by, now=now, visits=open_day.taken)
    for slot in open_day.slots:
        _tell(session, "open_day_cancelled", open_day, slot, by=by, now=now)
    return open_day


def visitors(session: Session, open_day: OpenDay) -> list[Visitor]:
    """Who comes to an open day, in order of slots and of booking."""
    found = (
        select(OpenDayVisit, Application.registration_code, Account)
        .join(OpenDaySlot, OpenDaySlot.id == OpenDayVisit.slot_id)
        .join(Application, Application.id == OpenDayVisit.application_id)
        .join(Account, Account.id == OpenDayVisit.booked_by)
        .where(OpenDayVisit.open_day_id == open_day.id, OpenDayVisit.cancelled_at.is_(None))
        .order_by(OpenDaySlot.begins, OpenDaySlot.id, OpenDayVisit.booked_at, OpenDayVisit.id)
    )
    return [
        Visitor(visit, code, mask_phone(account.phone) if account.phone else "")
        for visit, code, account in session.execute(found)
    ]


def _check(plan: DayPlan, now: dt.datetime) -> None:
    if not today(now) <= plan.on_day <= today(now) + FAR:
        raise Refused("open_day_when", field="on_day")
    if not plan.slots:
        raise Refused("open_day_without_slot", field="slots")
    if len(plan.slots) > MOST_SLOTS:
        raise Refused("open_day_many_slots", field="slots", n=MOST_SLOTS)
    for each in plan.slots:
        if each.ends <= each.begins:
            raise Refused("open_day_slot_ends", field="slots")
        if not 1 <= each.places <= MOST_PLACES:
            raise Refused("open_day_slot_places", field="slots", n=MOST_PLACES)


def _remove(session: Session, slot: OpenDaySlot) -> None:
    """A slot without any visit, also a cancelled one, goes; one that only had cancelled visits loses these with it."""
    if slot.taken:
        raise Refused("open_day_slot_booked", field="slots", time=f"{slot.begins:%H:%M}")
    for visit in session.scalars(select(OpenDayVisit).where(OpenDayVisit.slot_id == slot.id)):
        session.delete(visit)
    session.flush()
    session.delete(slot)


def _locked(session: Session, open_day_id: uuid.UUID) -> OpenDay:
    """The open day, locked against bookings, with its slots as they are now."""
    session.execute(select(OpenDay.id).where(OpenDay.id == open_day_id).with_for_update())
    slots = select(OpenDaySlot).where(OpenDaySlot.open_day_id == open_day_id)
    session.scalars(slots.with_for_update(of=OpenDaySlot).execution_options(populate_existing=True)).unique().all()
    return session.get_one(OpenDay, open_day_id, populate_existing=True)


def _tell(session: Session, kind: str, open_day: OpenDay, slot: OpenDaySlot, *, by: Actor, now: dt.datetime) -> None:
    visiting = select(OpenDayVisit.application_id).where(
        OpenDayVisit.slot_id == slot.id, OpenDayVisit.cancelled_at.is_(None)
    )
    reason = {"reason": open_day.cancel_reason} if open_day.cancel_reason else {"place": open_day.meeting_point}
    notify_guardians(
        session, kind, list(session.scalars(visiting)), now=now, by=by, event=f"{kind}:{slot.id}:{open_day.version}",
        kindergarten=open_day.kindergarten.name, at=slot.begins_at.isoformat(timespec="minutes"), **reason,
    )  # fmt: skip
