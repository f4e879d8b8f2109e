"""The review 资格审核 of one application: a clerk takes it, verifies facts, confirms it or sends it back.

Taking and giving back are in `leases`, findings in `findings`.  See also `refusals`, `task_groups` and `bulk_confirmation`.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.applications.notifications import notify_guardians
from enrollment.applications.returned_items import ReturnedItem, ReturnPhrase
from enrollment.eligibility import return_times
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import Refused
from enrollment.review import return_undo, second_opinions
from enrollment.review.findings import LONGEST_NOTE, Finding, facts_still_open, record_finding, verify
from enrollment.review.leases import in_hand, release, take
from enrollment.review.returns import answer_times
from enrollment.review.scope import find, locked, refuse_while_refusal_is_open, within

__all__ = [
    "LONGEST_NOTE",
    "Ask",
    "Finding",
    "confirm",
    "facts_still_open",
    "find",
    "in_hand",
    "locked",
    "open_items",
    "record_finding",
    "release",
    "send_back",
    "take",
    "verify",
    "within",
]


@dataclass(frozen=True)
class Ask:
    """One item that the family is asked to correct: a fact, a document or `other`.

    A ready-made sentence, a note in the clerk's own words, or both say what to do.
    """

    item: str
    note: str = ""
    phrase: ReturnPhrase | None = None


def confirm(
    session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime, facts: Iterable[Finding] = ()
) -> None:
    """Finish the review: every claimed fact is verified or declined.  A declined fact does not refuse the application.

    Who confirms agrees with the findings of others that wait for a second person.  While an own finding waits, the
    application is laid aside instead, and ends with the agreement.
    Refuses `facts_still_open` (with the number), `refusal_is_proposed`, and what `verify` refuses.
    """
    application = in_hand(session, application_id, by=by, now=now)
    refuse_while_refusal_is_open(session, application_id)
    verify(session, application_id, facts, by=by, now=now)
    still_open = facts_still_open(session, application_id)
    if still_open:
        raise Refused("facts_still_open", field=still_open[0].value, n=len(still_open))
    second_opinions.agree_with_colleagues(session, application_id, by=by, now=now)
    if second_opinions.waiting(session, application_id):
        second_opinions.lay_aside(session, application, by=by, now=now)
        return
    lifecycle.make(session, application, "confirm", by=by, now=now)
    notify_guardians(session, "review_confirmed", [application.id], now=now, by=by)


def send_back(
    session: Session,
    application_id: uuid.UUID,
    items: Iterable[Ask],
    *,
    answer_by: dt.datetime | None = None,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Ask the family to correct the named items until `answer_by`, else as long as the policy and the review give it.

    The message names the last moment.  Refuses `nothing_named`, `item_without_a_note` and `answer_time_impossible`.
    """
    application = in_hand(session, application_id, by=by, now=now)
    refuse_while_refusal_is_open(session, application_id)
    asked = list(items)
    if not asked:
        raise Refused("nothing_named", field="items")
    if answer_by is not None:
        answer_times.require_possible(session, application, answer_by, now=now)
    for ask in asked:
        if not ask.note.strip() and ask.phrase is None:
            raise Refused("item_without_a_note", field=f"note-{ask.item}", item=ask.item)
        session.add(
            ReturnedItem(
                application_id=application_id,
                item=ask.item,
                phrase=ask.phrase,
                note=ask.note.strip()[:LONGEST_NOTE],
                asked_at=now,
                asked_by=by.account_id,
                answer_by=answer_by,
            )
        )
    lifecycle.make(session, application, "send_back", by=by, now=now)
    due = format_time(answer_by or return_times.answer_until(session, application, returned_at=now))
    notify_guardians(session, return_undo.RETURNED, [application.id], now=now, by=by, n=len(asked), due=due)
    return_undo.hold_messages(session, application.id, now=now)


def open_items(session: Session, application_id: uuid.UUID) -> list[ReturnedItem]:
    """The returned items that the family has not answered yet."""
    return list(
        session.scalars(
            select(ReturnedItem)
            .where(ReturnedItem.application_id == application_id, ReturnedItem.answered_at.is_(None))
            .order_by(ReturnedItem.asked_at, ReturnedItem.item)
        )
    )
