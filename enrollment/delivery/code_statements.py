"""A one-time code asked for and used, each in one statement beside the lock of the phone.

`ground.sign_in` says what the limits mean and has the same acts for other purposes than a sign-in, such as a mandate.
"""

import datetime as dt
import functools
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from enrollment.ground import sign_in
from enrollment.ground.accounts import Account, RoleGrant
from enrollment.ground.phones import phone_index
from enrollment.ground.reading.read_ahead import Read, compiled
from enrollment.ground.sign_in import Asker
from enrollment.ground.vault import seal

ACCOUNT = Read(
    Account, Account.phone_index, unread=(Account.password_hash, Account.second_factor, Account.second_factor_used)
)
GRANTS = Read(RoleGrant, RoleGrant.account_id)

LOCK = "SELECT pg_advisory_xact_lock(%(turn)s)"
"""A statement of its own: a count in the same statement would see the rows from before the lock."""

_SENT = "SELECT FROM one_time_code WHERE phone_index = %(index)s AND sent_at > %(since)s AND "
_LIMITS = {
    True: [(sign_in.CODES_AN_HOUR, "known AND browser = %(browser)s")],
    False: [
        (sign_in.CODES_AN_HOUR, "NOT known AND address = %(address)s"),
        (sign_in.CODES_FOR_STRANGERS, "NOT known"),
    ],
}
_FREE = {
    known: " AND ".join(f"NOT EXISTS ({_SENT} {who} OFFSET {most - 1})" for most, who in limits)
    for known, limits in _LIMITS.items()
}

ASK = {
    known: f"""
    WITH code AS (
        INSERT INTO one_time_code (id, phone_index, digest, browser, address, known, tries, sent_at, expires_at)
        SELECT %(message)s, %(index)s, %(digest)s, %(browser)s, %(address)s, {known}, 0, %(now)s, %(expires_at)s
        WHERE {free} RETURNING id),
    message AS (
        INSERT INTO text_message (id, key, "to", body, written_at, expires_at)
        SELECT %(message)s, %(key)s, %(to)s, %(body)s, %(now)s, %(expires_at)s FROM code),
    before AS MATERIALIZED (
        SELECT id FROM one_time_code
        WHERE phone_index = %(index)s AND browser = %(browser)s AND expires_at > %(now)s AND EXISTS (SELECT FROM code)
        ORDER BY sent_at DESC LIMIT {sign_in.CODES_AN_HOUR}),
    earlier AS (
        SELECT message.* FROM before CROSS JOIN LATERAL (
            SELECT id, state, expires_at FROM text_message WHERE text_message.id = before.id
            FOR UPDATE SKIP LOCKED) AS message),
    withheld AS (
        UPDATE text_message SET state = 'withheld' FROM earlier
        WHERE text_message.id = earlier.id AND earlier.state = 'waiting' AND earlier.expires_at > %(now)s)
    SELECT id FROM code
    """  # noqa: S608 (constants)
    for known, free in _FREE.items()
}
"""A code has the id of its message.  What still waits to be sent of this asker's earlier codes for the phone is withheld: they would
arrive in any order, and only the newest code is good.  A message that a sender holds is not waited for.

The messages are looked up by the ids of a few codes and without their state: a plan that was made while nothing waited would
read all that wait, and they are many just when the gateway is slow."""

USE = """
    WITH newest AS (
        SELECT id, digest, used_at, expires_at, tries FROM one_time_code
        WHERE phone_index = %(index)s AND browser = %(browser)s ORDER BY sent_at DESC LIMIT 1 FOR UPDATE),
    live AS (
        SELECT id, digest = %(digest)s AS fits FROM newest
        WHERE used_at IS NULL AND expires_at > %(now)s AND tries < %(most)s),
    tried AS (
        UPDATE one_time_code SET used_at = CASE WHEN live.fits THEN %(now)s END,
            tries = one_time_code.tries + CASE WHEN live.fits THEN 0 ELSE 1 END
        FROM live WHERE one_time_code.id = live.id RETURNING live.fits),
    reached AS (
        DELETE FROM unreachable_number WHERE phone_index = %(index)s AND EXISTS (SELECT FROM tried WHERE fits))
    SELECT fits, ({account}) AS account, ({grants}) AS grants,
        EXISTS (SELECT FROM phone_change WHERE ended_at IS NULL AND effective_at <= %(now)s) AS changes_due
    FROM tried
"""
"""A wrong code counts as an attempt.  A used one proves that the number receives messages."""


@dataclass(frozen=True)
class SentCode:
    """The message of a code.  The code itself stands in its sealed text alone."""

    message_id: uuid.UUID


@dataclass(frozen=True)
class UsedCode:
    """`account` is that of the phone; None where the phone has none yet.

    `changes_due`: the waiting time of a change of phones is over, perhaps to this phone, and it is not in effect yet.
    """

    account: Account | None
    changes_due: bool


def ask(
    session: Session, phone: str, *, words: Callable[[str], str], now: dt.datetime, asker: Asker
) -> SentCode | None:
    """Make a code for a sign-in and write its message, with the text that `words` makes of the code; None if this asker, or
    all strangers together, had too many."""
    index = phone_index(phone, sign_in.SIGN_IN)
    session.connection().exec_driver_sql(LOCK, {"turn": sign_in.turn_of(index)})
    code, message_id = f"{secrets.randbelow(1_000_000):06d}", uuid.uuid4()
    values = {
        "index": index,
        "digest": sign_in.code_digest(index, code, ""),
        "browser": asker.browser_index,
        "address": asker.address_index,
        "now": now,
        "since": now - sign_in.HOUR,
        "expires_at": now + sign_in.CODE_LIFETIME,
        "message": message_id,
        "key": f"code:{message_id}",
        "to": seal(phone, "text_message.to", message_id),
        "body": seal(words(code), "text_message.body", message_id),
    }
    sent = session.connection().exec_driver_sql(ASK[asker.known], values).one_or_none()
    return None if sent is None else SentCode(message_id)


def use(session: Session, phone: str, code: str, *, now: dt.datetime, asker: Asker) -> UsedCode | None:
    """Use the newest code that this asker requested for a phone; None for a wrong, old or used one, which counts."""
    index = phone_index(phone, sign_in.SIGN_IN)
    values = {
        "index": index,
        "browser": asker.browser_index,
        "digest": sign_in.code_digest(index, code, ""),
        "now": now,
        "most": sign_in.CODE_TRIES,
    }
    found = session.connection().exec_driver_sql(_use_statement(), values).one_or_none()
    if found is None or not found.fits:
        return None
    account = _account(session, found.account, found.grants) if found.account else None
    return UsedCode(account, found.changes_due)


def _account(session: Session, values: list[Any], grants: list[Any] | None) -> Account:
    account = cast(Account, ACCOUNT.shape.object(session, values[0]))
    set_committed_value(account, "grants", [GRANTS.shape.object(session, each) for each in grants or []])
    return account


@functools.cache
def _use_statement() -> str:
    mine = select(Account.id).where(Account.phone_index == bindparam("index"))
    account = compiled(ACCOUNT.as_json(bindparam("index")))
    return USE.replace("{account}", account).replace("{grants}", compiled(GRANTS.as_json(mine)))
