"""A return is taken back in the minutes before the family learns of it; until then its messages wait."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.evidence_rows import pages_of
from enrollment.applications.returned_items import ReturnedItem
from enrollment.eligibility import return_times
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import MessageState, Notice
from enrollment.review import leases
from enrollment.review.scope import locked

UNDO = dt.timedelta(minutes=2)
RETURNED = "review_returned"


@dataclass(frozen=True)
class OpenReturn:
    """A return that the family has not answered: until when it can, when a guardian read of it, and until when the
    clerk may take it back (None: no more)."""

    due_at: dt.datetime
    read_at: dt.datetime | None
    undo_until: dt.datetime | None


def open_return(session: Session, application: Application, *, now: dt.datetime) -> OpenReturn | None:
    """The return of an application that waits for its family; None in any other stage."""
    if application.stage != Stage.RETURNED or application.returned_at is None:
        return None
    told = _told(session, application)
    read = min((each.read_at for each in told if each.read_at is not None), default=None)
    until = application.returned_at + UNDO
    sent = [page for pages in pages_of(session, application.id).values() for page in pages]
    # a page that was saved makes no version yet, but the family has seen the return
    begun = application.changed_at > application.returned_at or any(
        page.uploaded_at > application.returned_at for page in sent
    )
    possible = (
        now < until and not begun and all(each.state == MessageState.WAITING and each.read_at is None for each in told)
    )
    due_at = return_times.answer_until(session, application, returned_at=application.returned_at)
    return OpenReturn(due_at, read, until if possible else None)


def hold_messages(session: Session, application_id: uuid.UUID, *, now: dt.datetime) -> None:
    """Let the messages of a return that was just made wait until it can no longer be taken back."""
    waiting = update(Notice).where(
        Notice.application_id == application_id, Notice.kind == RETURNED, Notice.created_at == now,
        Notice.state == MessageState.WAITING,
    )  # fmt: skip
    session.execute(waiting.values(next_try_at=now + UNDO))


def take_back(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Application:
    """Undo the last return: its items and messages go, and the clerk has the application again.

    Refuses `not_your_return`, and `return_is_known` once a message has left, a guardian has read it or begun to answer, or
    the time is over.
    """
    application = locked(session, application_id, by=by)
    found = open_return(session, application, now=now)
    if found is None or found.undo_until is None:
        raise Refused("return_is_known")
    last = select(ReturnedItem).where(
        ReturnedItem.application_id == application_id, ReturnedItem.asked_at == application.returned_at
    )
    items = session.scalars(last.with_for_update()).all()
    if any(each.asked_by != by.account_id for each in items):
        raise Refused("not_your_return")
    told = [each.id for each in _told(session, application, lock=True)]
    gone = session.execute(delete(Notice).where(Notice.id.in_(told), Notice.state == MessageState.WAITING))
    if gone.rowcount != len(told):  # type: ignore[attr-defined]
        raise Refused("return_is_known")
    for each in items:
        session.delete(each)
    lifecycle.make(session, application, "take_return_back", by=by, now=now)
    session.flush()
    earlier = select(func.max(ReturnedItem.asked_at)).where(ReturnedItem.application_id == application_id)
    application.returned_at = session.scalar(earlier)
    return leases.take(session, application_id, by=by, now=now)


def _told(session: Session, application: Application, *, lock: bool = False) -> list[Notice]:
    """The messages about the last return."""
    told = select(Notice).where(
        Notice.application_id == application.id, Notice.kind == RETURNED, Notice.created_at == application.returned_at
    )
    return list(session.scalars(told.with_for_update() if lock else told))
