"""Delivery receipts: what the gateway reports about a message after it accepted it.

Receipts come late, twice, and in any order.  A delivered message stays delivered, whatever is reported later; a receipt
may overtake the answer of the gateway, so it also ends a message that is still being sent.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.delivery import unreachable_numbers
from enrollment.ground.accounts import Account
from enrollment.ground.outbox import OF_THE_NUMBER, DeliveryError, MessageState, Notice, TextMessage
from enrollment.ground.phones import phone_index

MAY_FAIL_LATER = (MessageState.SENDING, MessageState.SENT)
"""States in which a receipt may still say that the phone did not get the message."""


@dataclass(frozen=True)
class Receipt:
    """`error` is None for a delivered message."""

    message_id: uuid.UUID
    error: DeliveryError | None = None
    provider_id: str | None = None


def store(session: Session, receipts: Sequence[Receipt], *, now: dt.datetime) -> int:
    """Store receipts; returns how many changed a message.  Unknown messages are ignored: they were deleted, or are others'."""
    latest = {receipt.message_id: receipt for receipt in sorted(receipts, key=lambda each: each.error is None)}
    changed = 0
    received: set[bytes] = set()
    failed: dict[bytes, DeliveryError] = {}
    for message, index in _locked(session, list(latest)):
        receipt = latest[message.id]
        if not _end(message, receipt, now):
            continue
        changed += 1
        if index is None:
            continue
        if receipt.error is None:
            received.add(index)
        elif receipt.error in OF_THE_NUMBER:
            failed[index] = receipt.error
    session.flush()
    unreachable_numbers.forget(session, received)
    unreachable_numbers.remember(session, failed, now=now)
    return changed


def _locked(session: Session, ids: list[uuid.UUID]) -> list[tuple[Notice | TextMessage, bytes | None]]:
    """The messages with these ids, locked, and the blind index of the number of each."""
    texts = select(TextMessage).where(TextMessage.id.in_(ids)).order_by(TextMessage.id).with_for_update()
    notices = (
        select(Notice, Account.phone_index)
        .join(Account, Account.id == Notice.account_id)
        .where(Notice.id.in_(ids))
        .order_by(Notice.id)
        .with_for_update(of=Notice)
    )
    fresh = {"populate_existing": True}
    found: list[tuple[Notice | TextMessage, bytes | None]] = [
        (message, phone_index(message.to)) for message in session.scalars(texts, execution_options=fresh)
    ]
    return [*found, *((notice, index) for notice, index in session.execute(notices, execution_options=fresh))]


def _end(message: Notice | TextMessage, receipt: Receipt, now: dt.datetime) -> bool:
    if receipt.error is None:
        if message.state in (MessageState.DELIVERED, MessageState.WITHHELD):
            return False
        message.state, message.delivered_at, message.last_error = MessageState.DELIVERED, now, None
        message.sent_at = message.sent_at or now
    elif message.state in MAY_FAIL_LATER:
        message.state, message.last_error = MessageState.UNDELIVERABLE, receipt.error
    else:
        return False
    message.claim = message.lease_until = None
    message.provider_id = message.provider_id or receipt.provider_id
    return True
