"""Delivery receipts: what the gateway reports about a message after it accepted it.

Receipts come late, twice, and in any order.  A delivered message stays delivered, whatever is reported later; a receipt
may overtake the answer of the gateway, so it also ends a message that is still being sent, or that waits for another try
because no answer came.

A receipt says that a number does not receive only where nothing newer proves that it does.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from enrollment.delivery import unreachable_numbers
from enrollment.ground.accounts import Account
from enrollment.ground.outbox import OF_THE_NUMBER, DeliveryError, MessageState, Notice, TextMessage
from enrollment.ground.phones import phone_index
from enrollment.ground.sign_in import OneTimeCode

MAY_FAIL_LATER = (MessageState.SENDING, MessageState.SENT)
"""States in which a receipt may still say that the phone did not get the message."""

MAY_HAVE_BEEN_SENT = (DeliveryError.NO_ANSWER, DeliveryError.UNCERTAIN, DeliveryError.GATEWAY_FAULT)
"""Errors after which the gateway may have the message all the same."""


@dataclass(frozen=True)
class Receipt:
    """`error` is None for a delivered message."""

    message_id: uuid.UUID
    error: DeliveryError | None = None
    provider_id: str | None = None


@dataclass(frozen=True)
class _Locked:
    """A message, the blind index of the number that it went to, and when it went there.

    `index` is None where the account has another number now, or none.
    """

    message: Notice | TextMessage
    index: bytes | None
    at: dt.datetime


def store(session: Session, receipts: Sequence[Receipt], *, now: dt.datetime) -> int:
    """Store receipts; returns how many changed a message.  Unknown messages are ignored: they were deleted, or are others'."""
    latest = {receipt.message_id: receipt for receipt in sorted(receipts, key=lambda each: each.error is None)}
    changed = 0
    received: dict[bytes, dt.datetime] = {}
    failed: dict[bytes, _Failure] = {}
    for each in _locked(session, list(latest), now):
        receipt = latest[each.message.id]
        if not _end(each.message, receipt, now):
            continue
        changed += 1
        if each.index is None:
            continue
        if receipt.error is None:
            received[each.index] = max(received.get(each.index, each.at), each.at)
        elif receipt.error in OF_THE_NUMBER:
            failure = _Failure(each.at, receipt.error)
            failed[each.index] = max(failed.get(each.index, failure), failure)
    session.flush()
    unreachable_numbers.forget(session, received)
    proven = _proven(session, failed)
    dead = {
        index: failure.error
        for index, failure in failed.items()
        if failure.at >= max(proven.get(index, failure.at), received.get(index, failure.at))
    }
    unreachable_numbers.remember(session, dead, now=now)
    return changed


@dataclass(frozen=True, order=True)
class _Failure:
    """When a message went to a number that it did not reach, and why not."""

    at: dt.datetime
    error: DeliveryError


def _proven(session: Session, indexes: Collection[bytes]) -> dict[bytes, dt.datetime]:
    """When each of these numbers was last proven to receive: by a code that was entered, or a message that arrived."""
    if not indexes:
        return {}
    account = select(Account.phone_index.label("phone_index"), Account.phone_proven_at.label("at"))
    code = select(OneTimeCode.phone_index, OneTimeCode.used_at).where(OneTimeCode.used_at.is_not(None))
    arrived = select(Account.phone_index, Notice.sent_at).join(Account, Account.id == Notice.account_id)
    arrived = arrived.where(Notice.state == MessageState.DELIVERED)
    known = union_all(
        account.where(Account.phone_index.in_(indexes)),
        code.where(OneTimeCode.phone_index.in_(indexes)),
        arrived.where(Account.phone_index.in_(indexes)),
    ).subquery()
    newest = select(known.c.phone_index, func.max(known.c.at)).where(known.c.at.is_not(None))
    return {index: at for index, at in session.execute(newest.group_by(known.c.phone_index))}


def _locked(session: Session, ids: list[uuid.UUID], now: dt.datetime) -> list[_Locked]:
    """The messages with these ids, locked."""
    texts = select(TextMessage).where(TextMessage.id.in_(ids)).order_by(TextMessage.id).with_for_update()
    notices = (
        select(Notice, Account.phone_index, Account.phone_proven_at)
        .join(Account, Account.id == Notice.account_id)
        .where(Notice.id.in_(ids))
        .order_by(Notice.id)
        .with_for_update(of=Notice)
    )
    fresh = {"populate_existing": True}
    found = [
        _Locked(message, phone_index(message.to), _sent_at(message, message.written_at, now))
        for message in session.scalars(texts, execution_options=fresh)
    ]
    for notice, index, proven_at in session.execute(notices, execution_options=fresh):
        at = _sent_at(notice, notice.created_at, now)
        # it may have gone to the number that the account had before
        found.append(_Locked(notice, None if proven_at is not None and proven_at > at else index, at))
    return found


def _sent_at(message: Notice | TextMessage, written_at: dt.datetime, now: dt.datetime) -> dt.datetime:
    """When the message went to its number, at the earliest."""
    return message.sent_at or (now if message.state == MessageState.SENDING else written_at)


def _end(message: Notice | TextMessage, receipt: Receipt, now: dt.datetime) -> bool:
    if receipt.error is None:
        if message.state in (MessageState.DELIVERED, MessageState.WITHHELD):
            return False
        message.state, message.delivered_at, message.last_error = MessageState.DELIVERED, now, None
        message.sent_at = message.sent_at or now
    elif _may_fail(message):
        message.state, message.last_error = MessageState.UNDELIVERABLE, receipt.error
    else:
        return False
    message.claim = message.lease_until = None
    message.provider_id = message.provider_id or receipt.provider_id
    return True


def _may_fail(message: Notice | TextMessage) -> bool:
    """Whether the gateway may have the message and the phone has not: it was sent, or an attempt was made without an answer."""
    if message.state in MAY_FAIL_LATER:
        return True
    unsure = message.last_error in MAY_HAVE_BEEN_SENT
    if message.state == MessageState.WAITING:
        return unsure or message.tries > 0
    return message.state == MessageState.GIVEN_UP and unsure
