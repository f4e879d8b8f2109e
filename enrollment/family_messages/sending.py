"""A message from its preview to the outbox: the selection is kept with the preview, and sent once to each person."""

import datetime as dt
import uuid
from collections import Counter

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from enrollment.applications.notifications import notify_guardians_together
from enrollment.family_messages import selection
from enrollment.family_messages.rows import FamilyMessage, FamilyMessageItem
from enrollment.family_messages.selection import Choice, Reach
from enrollment.ground import audit, retention
from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.ground.retention import THIRTY_DAYS, Moment
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten, Page, paginate

KIND = "family_message"
MOST_A_DAY = 3
"""Messages of one kindergarten in 24 hours."""

PER_PAGE = 30
MOST_CHILDREN = 3000
PREVIEW_FOR = dt.timedelta(hours=1)


def prepare(
    session: Session, kindergarten_id: uuid.UUID, choice: Choice, *, name: str, texts: dict[str, str], by: Actor,
    now: dt.datetime,
) -> FamilyMessage:  # fmt: skip
    """A preview: the texts and the applications, as they will be sent.  Refuses `nobody_in_selection`, `too_many_chosen`."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    chosen = selection.applications(session, kindergarten_id, choice, by=by, now=now)
    if not chosen:
        raise Refused("nobody_in_selection", field="audience")
    if len(chosen) > MOST_CHILDREN:
        raise Refused("too_many_chosen", field="audience", n=MOST_CHILDREN)
    message = FamilyMessage(
        kindergarten_id=kindergarten_id, name=name, text_zh=texts["zh"], text_en=texts["en"], chosen=choice.codes(),
        made_by=by.account_id, made_at=now,
    )  # fmt: skip
    session.add(message)
    session.flush()
    write_rows(
        session, insert(FamilyMessageItem), [{"message_id": message.id, "application_id": each} for each in chosen]
    )
    audit.record(session, "prepare_family_message", "family_message", message.id, by=by, now=now, children=len(chosen))
    return message


def find(session: Session, message_id: uuid.UUID, *, by: Actor) -> FamilyMessage:
    """A message of a kindergarten in scope; a preview is for the person who made it alone."""
    found = (
        select(FamilyMessage)
        .join(Kindergarten, Kindergarten.id == FamilyMessage.kindergarten_id)
        .where(FamilyMessage.id == message_id, scope.scope_condition(by))
    )
    message = session.scalars(found).one_or_none()
    if message is None or (message.sent_at is None and message.made_by != by.account_id):
        raise NotFound(KIND)
    return message


def reach_of(session: Session, message: FamilyMessage) -> Reach:
    """Whom the message reaches, or reached."""
    return selection.reach(session, _items(session, message))


def send(session: Session, message_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> FamilyMessage:
    """Write the message into the outbox: once for each guardian, however many of its children are chosen.

    A second time changes nothing.  An application that meanwhile left the selection is left out.  Refuses
    `message_preview_old`, `nobody_in_selection`, `messages_of_today`.
    """
    message = find(session, message_id, by=by)
    here = scope.kindergarten_in_scope(session, message.kindergarten_id, by=by, lock=True)
    session.refresh(message, with_for_update=True)
    if message.sent_at is not None:
        return message
    if now - message.made_at > PREVIEW_FOR:
        raise Refused("message_preview_old")
    today = select(func.count()).where(
        FamilyMessage.kindergarten_id == here.id, FamilyMessage.sent_at > now - dt.timedelta(days=1)
    )
    if (session.scalar(today) or 0) >= MOST_A_DAY:
        raise Refused("messages_of_today", n=MOST_A_DAY)
    still = set(
        selection.applications(session, here.id, selection.choice_of(message.chosen), by=by, now=now)
    )  # what was changed since the preview
    kept = [each for each in _items(session, message) if each in still]
    if not kept:
        raise Refused("nobody_in_selection")
    session.execute(
        update(FamilyMessageItem)
        .where(FamilyMessageItem.message_id == message.id, FamilyMessageItem.application_id.not_in(kept))
        .values(left_out=True)
    )
    notify_guardians_together(
        session, "family_message", kept, now=now, event=f"{KIND}:{message.id}", message=str(message.id),
        kindergarten=here.name, texts={"zh": message.text_zh, "en": message.text_en},
    )  # fmt: skip
    found = selection.reach(session, kept)
    message.sent_at, message.people, message.out_of_reach = now, found.people, len(found.out_of_reach)
    session.flush()
    audit.record(
        session,
        "send_family_message",
        "family_message",
        message.id,
        by=by,
        now=now,
        children=len(kept),
        people=found.people,
    )
    return message


def sent(session: Session, kindergarten_id: uuid.UUID, *, by: Actor, page: int = 1) -> Page:
    """The messages of a kindergarten in scope, the newest first."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    found = select(FamilyMessage).where(
        FamilyMessage.kindergarten_id == kindergarten_id, FamilyMessage.sent_at.is_not(None)
    )
    return paginate(session, found.order_by(FamilyMessage.sent_at.desc(), FamilyMessage.id), page, PER_PAGE)


def outcomes(session: Session, message: FamilyMessage) -> dict[str, int]:
    """How many copies are in each state of the outbox."""
    counted = (
        select(Notice.state, func.count())
        .where(
            Notice.kind == KIND,
            Notice.application_id.in_(_items(session, message)),
            Notice.params["message"].as_string() == str(message.id),
        )
        .group_by(Notice.state)
        .order_by(Notice.state)
    )
    return {state: number for state, number in session.execute(counted)}


def delete_previews(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Previews of a month ago that were never sent."""
    old = FamilyMessage.made_at < moment.now - THIRTY_DAYS
    return retention.delete_rows(session, FamilyMessage, FamilyMessage.sent_at.is_(None), old, limit=limit)


def _items(session: Session, message: FamilyMessage) -> list[uuid.UUID]:
    found = select(FamilyMessageItem.application_id).where(
        FamilyMessageItem.message_id == message.id, ~FamilyMessageItem.left_out
    )
    return list(session.scalars(found.order_by(FamilyMessageItem.application_id)))
