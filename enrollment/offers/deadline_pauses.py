"""Extends answer deadlines after a family could not answer: a dispute's hold, or the wait for a new phone number.

A deadline that is earlier than `AFTER_PAUSE` after the end of the pause is moved to that time, for bound children together.
"""

import datetime as dt
import uuid

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from enrollment.applications.application_rows import Application
from enrollment.offers.offer_rows import Offer, OfferState
from enrollment.people.desk_rows import PhoneChange, PhoneChangeOutcome
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.review.case_rows import Case

AFTER_PAUSE = dt.timedelta(days=1)
"""The time that a family has to answer after a pause."""

PAUSE_AGAIN_AFTER = dt.timedelta(days=30)
"""A second lost phone within this time does not extend a deadline, so that nobody can keep a place by losing phones."""

Pause = tuple[InstrumentedAttribute[dt.datetime | None], ColumnElement[bool], ColumnElement[bool]]
"""The end of a pause, the condition of the pauses that count now, and the condition of the offers that they concern."""


def extend_after_pauses(session: Session, *, now: dt.datetime, offer_id: uuid.UUID | None = None) -> None:
    """Move the deadlines of unanswered offers, or of one offer, to `AFTER_PAUSE` after the end of their last pause."""
    for until, counts, concerns in (_lost_phones(now), _ended_holds(now)):
        if session.scalar(select(func.count()).select_from(until.class_).where(counts)) == 0:
            continue
        pause = select(func.max(until) + AFTER_PAUSE).where(counts, concerns).scalar_subquery()
        unanswered = [Offer.state == OfferState.OFFERED, *([Offer.id == offer_id] if offer_id else [])]
        moved = update(Offer).where(*unanswered, Offer.answer_by < pause).values(answer_by=pause)
        session.execute(moved.execution_options(synchronize_session=False))
        for known in session.identity_map.values():
            if isinstance(known, Offer):
                session.expire(known, ["answer_by"])


def _lost_phones(now: dt.datetime) -> Pause:
    """The waiting times of phone changes without a code from the old phone."""
    earlier = aliased(PhoneChange)
    repeated = select(earlier.id).where(
        earlier.account_id == PhoneChange.account_id,
        earlier.asked_at < PhoneChange.asked_at,
        earlier.asked_at > PhoneChange.asked_at - PAUSE_AGAIN_AFTER,
        earlier.old_answered.is_(False),
    )
    counts = and_(
        PhoneChange.old_answered.is_(False),
        PhoneChange.effective_at > now - AFTER_PAUSE,
        or_(PhoneChange.outcome.is_(None), PhoneChange.outcome == PhoneChangeOutcome.DONE),
        ~repeated.exists(),
    )
    of_child = (
        select(Guardianship.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardian.account_id == PhoneChange.account_id, Guardianship.accepted_at.is_not(None))
        .correlate(PhoneChange)
    )
    paused = aliased(Application)
    return PhoneChange.effective_at, counts, _concerns_offer(paused, paused.child_id.in_(of_child))


def _ended_holds(now: dt.datetime) -> Pause:
    counts, paused = Case.hold_ended_at > now - AFTER_PAUSE, aliased(Application)
    return Case.hold_ended_at, counts, _concerns_offer(paused, paused.id == Case.application_id)


def _concerns_offer(paused: type[Application], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """SQL condition: a paused application is that of the enclosing query's `Offer`, or bound to it."""
    unit = select(Application.unit).where(Application.id == Offer.application_id).scalar_subquery()
    return exists().where(or_(paused.id == Offer.application_id, paused.unit == unit), condition)
