"""The code with which a person sets a password and a second factor, after a new account or a reset was agreed to.

It is shown once to the official who asked, who hands it over; it is valid for a day and for five attempts.  The one who
agreed never sees it, so no official alone can enter somebody else's account.
"""

import datetime as dt
import hashlib
import hmac
import uuid

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import audit, random_codes, sign_in
from enrollment.ground.accounts import Account, Actor, actor_of
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.vault import normalise
from enrollment.staff_accounts import changes
from enrollment.staff_accounts.rows import AccountChange, Change

VALID_FOR = dt.timedelta(days=1)
TRIES = 5
SHORTEST_PASSWORD = 12


def _plain(code: str) -> str:
    return "".join(normalise(code).upper().replace("-", "").split())


def _digest(change_id: uuid.UUID, code: str) -> bytes:
    """Over 54 random bits that end after five attempts, so a quick hash is enough."""
    return hashlib.sha256(f"{change_id}:{_plain(code)}".encode()).digest()


def make(session: Session, change_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> str:
    """A new code, which replaces an earlier one.  NotFound unless the actor asked for the change and it was agreed to."""
    asked = changes.find(session, change_id, by=by, lock=True)
    if asked.asked_by != by.account_id or not asked.agreed or asked.change not in (Change.ADD, Change.RESET):
        raise NotFound("account_change")
    account = session.get_one(Account, asked.account_id)
    if account.second_factor is not None:
        raise Refused("set_up_already")
    code = random_codes.notice_code()
    asked.setup_digest, asked.setup_until, asked.setup_tries = _digest(asked.id, code), now + VALID_FOR, 0
    session.flush()
    audit.record(session, "make_setup_code", "account", account.id, by=by, now=now)
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def check(session: Session, login: str, code: str, *, now: dt.datetime) -> AccountChange | None:
    """The change whose code this is, for an account without a second factor.  A wrong code counts as an attempt, which the
    caller must commit too."""
    found = (
        select(AccountChange)
        .join(Account, Account.id == AccountChange.account_id)
        .where(
            Account.login == normalise(login).lower(), Account.second_factor.is_(None), Account.disabled_at.is_(None),
            AccountChange.setup_digest.is_not(None), AccountChange.setup_until > now, AccountChange.setup_tries < TRIES,
        )
        .order_by(AccountChange.setup_until.desc())
        .limit(1)
        .with_for_update(of=AccountChange)
    )  # fmt: skip
    asked = session.scalars(found).one_or_none()
    if asked is None:
        return None
    if not hmac.compare_digest(asked.setup_digest or b"", _digest(asked.id, code)):
        asked.setup_tries += 1
        session.flush()
        return None
    return asked


def finish(
    session: Session, asked: AccountChange, password: str, secret: str, totp: str, *, now: dt.datetime, at: dt.datetime
) -> Account:
    """Set the password and the second factor; `at` is the real time, also in the demo.  Refuses `password_short`,
    `second_factor_wrong`."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused("password_short", field="password", n=SHORTEST_PASSWORD)
    account = session.get_one(Account, asked.account_id, with_for_update=True, populate_existing=True)
    if account.second_factor is not None:
        raise NotFound("account_change")
    if not pyotp.TOTP(secret).verify(normalise(totp), for_time=at, valid_window=1):
        raise Refused("second_factor_wrong", field="totp")
    account.password_hash, account.second_factor = sign_in.HASHER.hash(password), secret
    account.second_factor_used = None
    asked.setup_digest, asked.setup_until = None, None
    session.flush()
    audit.record(session, "set_up_account", "account", account.id, by=actor_of(account), now=now)
    return account
