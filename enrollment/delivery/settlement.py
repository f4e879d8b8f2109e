"""How messages end: the outcomes of many attempts, stored in one statement for each table."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.delivery import unreachable_numbers
from enrollment.delivery.claims import Claimed, Kind
from enrollment.delivery.lanes import LanePolicy, Uncertain
from enrollment.ground.outbox import AT_ONCE, OF_THE_NUMBER, DeliveryError, MessageState
from enrollment.ground.phones import phone_index


class Verdict(StrEnum):
    """What an attempt came to.

    `ACCEPTED`: the gateway has it.  `REFUSED`: it never will.  `FAILED`: the gateway could not send this message.
    `UNCERTAIN`: the connection broke after the message was written to it.  `PUT_BACK`: the message was not tried, or the
    gateway serves nobody at this time; this is no try.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    PUT_BACK = "put_back"


@dataclass(frozen=True)
class Outcome:
    """The verdict on one message.  `wait` is how long one that was put back waits."""

    message: Claimed
    verdict: Verdict
    error: DeliveryError | None = None
    provider_id: str | None = None
    wait: dt.timedelta = dt.timedelta()


@dataclass(frozen=True)
class _End:
    state: MessageState
    tries: int
    next_try_at: dt.datetime = AT_ONCE


STATEMENT = """
    WITH ended AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:tries AS int[]),
            CAST(:next AS timestamptz[]), CAST(:errors AS text[]), CAST(:numbers AS text[]))
            AS ended (id, state, tries, next_try_at, last_error, provider_id)
    ), held AS (
        SELECT id FROM {table} WHERE id = ANY(CAST(:ids AS uuid[])) AND claim = :token AND state = 'sending'
        ORDER BY id FOR UPDATE
    )
    UPDATE {table} AS message
    SET state = ended.state, tries = ended.tries, next_try_at = ended.next_try_at, last_error = ended.last_error,
        provider_id = coalesce(ended.provider_id, message.provider_id),
        sent_at = CASE WHEN ended.state = 'sent' THEN CAST(:now AS timestamptz) ELSE message.sent_at END,
        claim = NULL, lease_until = NULL
    FROM ended, held WHERE message.id = ended.id AND held.id = ended.id
"""
"""Rows are locked in the order of their ids, as receipts lock them, so that the two cannot wait for each other."""

STATEMENTS = {kind: text(STATEMENT.format(table=kind)) for kind in Kind}


def settle(
    session: Session, policy: LanePolicy, outcomes: Sequence[Outcome], *, token: uuid.UUID, now: dt.datetime
) -> None:
    """Store the outcomes of messages that are still claimed with this token."""
    for kind in Kind:
        of_kind = [outcome for outcome in outcomes if outcome.message.kind == kind]
        if not of_kind:
            continue
        ends = [_end(policy, outcome, now) for outcome in of_kind]
        values = {
            "ids": [outcome.message.id for outcome in of_kind],
            "states": [str(end.state) for end in ends],
            "tries": [end.tries for end in ends],
            "next": [end.next_try_at for end in ends],
            "errors": [outcome.error and str(outcome.error) for outcome in of_kind],
            "numbers": [outcome.provider_id for outcome in of_kind],
            "token": token,
            "now": now,
        }
        session.execute(STATEMENTS[kind], values)
    dead = {phone_index(each.message.to): each.error for each in outcomes if each.error in OF_THE_NUMBER and each.error}
    unreachable_numbers.remember(session, dead, now=now)


def _end(policy: LanePolicy, outcome: Outcome, now: dt.datetime) -> _End:
    tries = outcome.message.tries
    if outcome.verdict == Verdict.PUT_BACK:
        return _End(MessageState.WAITING, tries, now + outcome.wait)
    tries += 1
    if outcome.verdict == Verdict.ACCEPTED:
        return _End(MessageState.SENT, tries)
    if outcome.verdict == Verdict.REFUSED:
        of_number = outcome.error in OF_THE_NUMBER or outcome.error == DeliveryError.NO_NUMBER
        return _End(MessageState.UNDELIVERABLE if of_number else MessageState.GIVEN_UP, tries)
    if outcome.verdict == Verdict.UNCERTAIN and policy.uncertain == Uncertain.GIVE_UP:
        return _End(MessageState.GIVEN_UP, tries)
    if tries >= policy.most_tries:
        return _End(MessageState.GIVEN_UP, tries)
    return _End(MessageState.WAITING, tries, now + policy.wait_with_jitter(tries))
