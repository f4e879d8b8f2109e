"""Answer deadlines of offers: a reminder a day before, then expiry.  An offer never expires without a reminder."""

import datetime as dt
import uuid

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from enrollment.applications.applications import Application
from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.city_time import format_time
from enrollment.ground.outbox import Notice
from enrollment.offers import desk_answers, joint_decisions, offer_lifecycle
from enrollment.offers.deadline_pauses import extend_after_pauses
from enrollment.offers.offer_rows import Offer, OfferState
from enrollment.places.programmes import Programme

REMIND_BEFORE = dt.timedelta(days=1)
GRACE = dt.timedelta(days=1)
"""Extra time for a family that was not reminded, so that no place is lost because a scheduled job did not run."""


def remind_due(session: Session, *, now: dt.datetime) -> int:
    """Remind every family whose answer is due within a day and who was not reminded yet.  Returns how many offers."""
    extend_after_pauses(session, now=now)
    due = _unanswered(session, Offer.answer_by <= now + REMIND_BEFORE, Offer.answer_by > now)
    fresh = [row for row in due if not row.told]
    _remind(session, fresh, {row.id: row.answer_by for row in fresh}, now)
    return len(fresh)


def expire_due(session: Session, *, now: dt.datetime) -> int:
    """Expire the offers whose families did not answer after a reminder; the places go to the next in line.

    A family that was not reminded yet is reminded now and gets one more day.  A family without a phone that no desk has
    contacted also gets one more day.  Returns how many offers expired.
    """
    extend_after_pauses(session, now=now)
    late = _unanswered(session, Offer.answer_by <= now)
    forgotten = [row for row in late if not row.reminded]
    if forgotten:
        until = now + GRACE
        session.execute(update(Offer).where(Offer.id.in_([row.id for row in forgotten])).values(answer_by=until))
        _remind(session, forgotten, dict.fromkeys((row.id for row in forgotten), until), now)
    silent = [row for row in late if row.reminded]
    _end(session, silent, now)
    return len(silent)


def _unanswered(session: Session, *when) -> list[Row]:
    """Unanswered offers, locked.

    Left out until the dispute is settled: offers of an application on hold, and of children bound to one on hold.
    An offer that a guardian proposed to give up is left out too: the joint decision ends it, at the latest when the
    answer is due.
    """
    held = aliased(Application)
    waits = select(held.id).where(held.unit == Application.unit, held.on_hold.is_(True))
    reminder = select(Notice.id).where(
        Notice.application_id == Offer.application_id,
        Notice.kind == "answer_reminder",
        Notice.created_at >= Offer.made_at,
    )
    reached = or_(~desk_answers.has_no_phone(), desk_answers.was_contacted())
    reminded = and_(reminder.exists(), reached).label("reminded")
    found = (
        select(
            Offer.id,
            Offer.child_id,
            Offer.application_id,
            Offer.programme_id,
            Offer.answer_by,
            reminded,
            reminder.exists().label("told"),
        )
        .join(Application, Application.id == Offer.application_id)
        .where(Offer.state == OfferState.OFFERED, Application.on_hold.is_(False), ~waits.exists(), *when)
        .where(~joint_decisions.offer_waits())
        .order_by(Offer.id)
    )
    return list(session.execute(found.with_for_update(of=Offer)))


def _remind(session: Session, rows: list[Row], due: dict[uuid.UUID, dt.datetime], now: dt.datetime) -> None:
    told = [
        Notification(row.child_id, row.application_id, f"answer_reminder:{row.id}", {"due": format_time(due[row.id])})
        for row in rows
    ]
    notify_guardians_each(session, "answer_reminder", told, now=now)


def _end(session: Session, rows: list[Row], now: dt.datetime) -> None:
    if not rows:
        return
    ids = [row.id for row in rows]
    offer_lifecycle.end_many(session, ids, "expire", by=SYSTEM, now=now, reason="silence")
    programmes = {row.programme_id for row in rows}  # same lock order as a publication
    session.execute(select(Programme.id).where(Programme.id.in_(programmes)).order_by(Programme.id).with_for_update())
    freed = (
        select(Offer.programme_id, func.count().label("n"))
        .where(Offer.id.in_(ids))
        .group_by(Offer.programme_id)
        .subquery()
    )
    session.execute(
        update(Programme).where(Programme.id == freed.c.programme_id).values(taken=Programme.taken - freed.c.n)
    )
    for id_ in ids:
        audit.record(
            session, OfferState.EXPIRED, "offer", id_, by=SYSTEM, now=now, reason="silence", before=OfferState.OFFERED
        )
    told = [Notification(row.child_id, row.application_id, f"offer_expired:{row.id}") for row in rows]
    notify_guardians_each(session, "offer_expired", told, now=now, by=SYSTEM)
    session.flush()
