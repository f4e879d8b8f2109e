"""Who has an application in review: a clerk takes it for twenty minutes, and each act on it begins them anew.

When the time is over, a colleague may take it, and the queue offers it again; what was saved stays.  Until somebody else
takes it, the clerk goes on as if nothing had happened.  So no application waits for a clerk who has gone home, and a
colleague who cannot wait takes it over with a reason, which the clerk reads.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.judgements import endings
from enrollment.applications.lifecycle import MoveMade
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.review.scope import (
    SECOND_PEOPLE,
    find,
    locked,
    opens_early,
    refuse_while_refusal_is_open,
    registration_over,
)

LEASE = dt.timedelta(minutes=20)
IDLE = "lease_over"
"""The reason in the history when a colleague takes an application whose time was over."""

LONGEST_REASON = 200


@dataclass(frozen=True)
class Held:
    """An application in review: whose it is, since when, and until when."""

    application_id: uuid.UUID
    registration_code: str | None
    reviewer_id: uuid.UUID | None
    reviewer: str
    taken_at: dt.datetime | None
    lease_until: dt.datetime


@dataclass(frozen=True)
class TakenOver:
    """A colleague took the application over from a clerk: who, when and why."""

    colleague: str
    at: dt.datetime
    reason: str


def until() -> ColumnElement[dt.datetime]:
    """SQL expression: when the time of the clerk ends; NULL without a clerk."""
    return func.coalesce(Application.lease_until, Application.taken_at)


def is_free(by: Actor, now: dt.datetime) -> ColumnElement[bool]:
    """SQL condition: nobody has the application, or a colleague whose time is over."""
    over = and_(Application.stage == Stage.IN_REVIEW, Application.reviewer_id != by.account_id, until() <= now)
    return or_(Application.stage == Stage.SUBMITTED, over)


def is_live(application: Application, now: dt.datetime) -> bool:
    """Whether a clerk has the application, and the time is not over."""
    ends = application.lease_until or application.taken_at
    return application.stage == Stage.IN_REVIEW and ends is not None and ends > now


def in_hand(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Application:
    """The application, locked, that this clerk has taken; the time begins anew.  Refuses `not_in_your_hands`."""
    application = locked(session, application_id, by=by)
    if application.stage != Stage.IN_REVIEW or application.reviewer_id != by.account_id:
        raise Refused("not_in_your_hands")
    application.lease_until = now + LEASE
    return application


def take(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Application:
    """Assign the application to this clerk for the time of a lease; only one clerk can have it.

    Taking it again renews the time.  Refuses `taken_by_another`, `review_not_open` and `move_not_possible`.
    """
    application = locked(session, application_id, by=by)
    if application.stage == Stage.IN_REVIEW:
        if application.reviewer_id == by.account_id:
            application.lease_until = now + LEASE
            return application
        if is_live(application, now):
            raise Refused("taken_by_another")
        refuse_while_refusal_is_open(session, application_id)
        lifecycle.make(session, application, "release", by=by, now=now, reason=IDLE)
    over = session.scalar(select(registration_over(now)).where(Application.id == application_id))
    if not over and not opens_early(session, application.review_kindergarten_id, now=now):
        raise Refused("review_not_open")
    _hand_over(session, application, by=by, now=now)
    return application


def take_over(session: Session, application_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Application:
    """Take an application that a colleague has now.  The reason stands in its history, where the colleague reads it.

    Refuses `reason_needed`, `refusal_is_proposed` and what `take` refuses.
    """
    application = locked(session, application_id, by=by)
    if application.stage != Stage.IN_REVIEW or application.reviewer_id == by.account_id:
        return take(session, application_id, by=by, now=now)
    if not reason.strip():
        raise Refused("reason_needed", field="reason")
    refuse_while_refusal_is_open(session, application_id)
    lifecycle.make(session, application, "release", by=by, now=now, reason=reason.strip()[:LONGEST_REASON])
    _hand_over(session, application, by=by, now=now)
    return application


def _hand_over(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> None:
    if not lifecycle.can(application, "take"):
        raise Refused("move_not_possible", move="take", stage=application.stage)
    # nobody decides on what was proposed in an earlier review: an earlier release, which may run beside this one, left it open
    endings.end_open_proposals(session, application, by=by, now=now)
    application.reviewer_id, application.taken_at, application.lease_until = by.account_id, now, now + LEASE
    application.opened_at = application.opened_at or now
    lifecycle.make(session, application, "take", by=by, now=now)


def release(
    session: Session, application_id: uuid.UUID, *, holder: uuid.UUID | None = None, by: Actor, now: dt.datetime
) -> None:
    """Put the application back into the queue.  A head or an official may do this for an application of any clerk.

    `holder` is the clerk from whom it is taken, as the page showed.  Refuses `holder_has_changed`, `not_in_your_hands` and
    `refusal_is_proposed`.
    """
    application = locked(session, application_id, by=by)
    if holder is not None and application.reviewer_id != holder:
        raise Refused("holder_has_changed")
    mine = application.reviewer_id == by.account_id
    if not mine and not by.is_any(*SECOND_PEOPLE):
        raise Refused("not_in_your_hands")
    refuse_while_refusal_is_open(session, application_id)
    lifecycle.make(session, application, "release", by=by, now=now)


def shorten(session: Session, *, now: dt.datetime) -> int:
    """Let no clerk have an application for longer than from now on: a clock that was ahead has begun those.  Returns how many."""
    later = (Application.stage == Stage.IN_REVIEW, Application.lease_until > now + LEASE)
    found = session.execute(update(Application).where(*later).values(lease_until=now + LEASE).returning(Application.id))
    return len(found.all())


def taken_over(moves: Sequence[MoveMade], names: Mapping[uuid.UUID, str], *, by: Actor) -> TakenOver | None:
    """Who took the application from this clerk last, with a reason or because the time was over; `moves` in their order."""
    if [each.move for each in moves[-3:]] != ["take", "release", "take"]:
        return None
    before, given, taken = moves[-3:]
    if before.account_id != by.account_id or given.account_id in (None, by.account_id) or given.reason is None:
        return None
    return TakenOver(names.get(given.account_id, ""), taken.at, given.reason)


def pick(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Application:
    """`take` for an application that the clerk chose instead of the next one: the head sees how many each clerk chose."""
    was_waiting = find(session, application_id, by=by).stage == Stage.SUBMITTED
    application = take(session, application_id, by=by, now=now)
    if was_waiting:
        audit.record(session, "pick", "application", application_id, by=by, now=now)
    return application
