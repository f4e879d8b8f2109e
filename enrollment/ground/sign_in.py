"""Sign-in: one-time codes for families, passwords and second factors for staff, sessions for everybody."""

import datetime as dt
import functools
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, delete, false, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.accounts import Account, Role, RoleGrant
from enrollment.ground.db import Base
from enrollment.ground.phones import parse_phone, phone_index
from enrollment.ground.sealed.codes import KeyedText
from enrollment.ground.vault import blind_index, normalise

HASHER = PasswordHasher()


class OneTimeCode(Base):
    """A code sent to a phone.  Only its digest is stored; five wrong attempts invalidate it."""

    __tablename__ = "one_time_code"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    browser: Mapped[bytes | None] = mapped_column(LargeBinary)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    known: Mapped[bool] = mapped_column(default=False, server_default=false())
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[dt.datetime] = mapped_column(index=True)
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class WebSession(Base):
    """The session of a browser.  The key is the digest of the cookie, so a copy of the table does not sign anybody in."""

    __tablename__ = "web_session"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]

    __table_args__ = (Index("ix_web_session__expires_at", "expires_at"),)


class IdempotentResponse(Base):
    """The response to a state-changing request, stored under its idempotency key."""

    __tablename__ = "done_once"

    key: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    body_digest: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    location: Mapped[str | None] = mapped_column(KeyedText)
    done_at: Mapped[dt.datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class RequestKey:
    """The idempotency key of a request as it is stored: with its account, the digest of its form, and the real time."""

    key: str
    account_id: uuid.UUID
    body_digest: bytes
    at: dt.datetime


CODE_LIFETIME = dt.timedelta(minutes=10)
CODE_TRIES = 5
CODES_AN_HOUR = 6
"""Codes for one phone that one asker may request in an hour."""

CODES_FOR_STRANGERS = 18
"""Codes for one phone that all askers together may request in an hour who have not signed in with it before.  One of them
cannot use up all: an address gets `CODES_AN_HOUR`."""

HOUR = dt.timedelta(hours=1)
SECOND_FACTOR_STEP = 30


SIGN_IN = "phone"
MANDATE = "phone of a mandate"
"""Purposes of codes.  A code is valid for its purpose only: a helper who is told a mandate code cannot sign in with it."""


@dataclass(frozen=True)
class Asker:
    """Who asks for a code: the browser (or the account of a desk), its network address, and whether it is `known`.

    A known browser has signed in with this phone before; what strangers request does not count against it.
    """

    browser: str = ""
    address: str = ""
    known: bool = False

    @property
    def browser_index(self) -> bytes:
        return blind_index(self.browser, "code.browser")

    @property
    def address_index(self) -> bytes:
        return blind_index(self.address, "code.address")


NOBODY_KNOWN = Asker()


def turn_of(index: bytes) -> int:
    """The lock of a phone: requests for one phone run one after the other, so that the limits hold."""
    return int.from_bytes(index[:8], signed=True)


def code_digest(phone_index: bytes, code: str, bound_to: str) -> bytes:
    """What is stored of a code: it fits this phone, and what the code agrees to, alone."""
    return hashlib.sha256(phone_index + normalise(code).encode() + bound_to.encode()).digest()


def send_code(
    session: Session,
    phone: str,
    *,
    now: dt.datetime,
    purpose: str = SIGN_IN,
    bound_to: str = "",
    asker: Asker = NOBODY_KNOWN,
) -> str | None:
    """Make a one-time code for a phone and return it for the message; None if too many were requested.

    `bound_to` names what the code agrees to, and it is valid for this asker only.  `waiting_time` tells how long the
    asker has to wait.  Neither depends on whether the phone is known, so nobody learns which phones are.
    """
    index = phone_index(phone, purpose)
    session.execute(select(func.pg_advisory_xact_lock(turn_of(index))))
    if _wait(session, index, asker, now):
        return None
    code = f"{secrets.randbelow(1_000_000):06d}"
    session.add(
        OneTimeCode(
            phone_index=index,
            digest=code_digest(index, code, bound_to),
            browser=asker.browser_index,
            address=asker.address_index,
            known=asker.known,
            sent_at=now,
            expires_at=now + CODE_LIFETIME,
        )
    )
    session.flush()
    return code


def waiting_time(
    session: Session, phone: str, *, now: dt.datetime, asker: Asker, purpose: str = SIGN_IN
) -> dt.timedelta:
    """How long this asker has to wait before it can have another code for this phone; zero if it need not."""
    return _wait(session, phone_index(phone, purpose), asker, now)


def _wait(session: Session, index: bytes, asker: Asker, now: dt.datetime) -> dt.timedelta:
    """The longest of the waits that the asker's limits demand."""
    of_phone = OneTimeCode.phone_index == index
    if asker.known:
        limits: list[tuple[int, ColumnElement[bool]]] = [
            (CODES_AN_HOUR, OneTimeCode.known & (OneTimeCode.browser == asker.browser_index))
        ]
    else:
        by_strangers = OneTimeCode.known.is_(False)
        limits = [
            (CODES_AN_HOUR, by_strangers & (OneTimeCode.address == asker.address_index)),
            (CODES_FOR_STRANGERS, by_strangers),
        ]
    waits = [dt.timedelta()]
    for most, who in limits:
        sent = select(OneTimeCode.sent_at).where(of_phone, who, OneTimeCode.sent_at > now - HOUR)
        oldest = session.scalar(sent.order_by(OneTimeCode.sent_at.desc()).offset(most - 1).limit(1))
        if oldest is not None:
            waits.append(oldest + HOUR - now)
    return max(waits)


def check_code(
    session: Session,
    phone: str,
    code: str,
    *,
    now: dt.datetime,
    purpose: str = SIGN_IN,
    bound_to: str = "",
    asker: Asker = NOBODY_KNOWN,
) -> OneTimeCode | None:
    """The newest code that this asker requested for a phone, locked, if it is the one typed; it stays good until `mark_used`.

    A wrong code counts as an attempt, which the caller must commit too.  What others request or guess for the same phone
    neither replaces nor invalidates the code.
    """
    index = phone_index(phone, purpose)
    of_asker = (OneTimeCode.phone_index == index, OneTimeCode.browser == asker.browser_index)
    newest = select(OneTimeCode).where(*of_asker).order_by(OneTimeCode.sent_at.desc()).limit(1)
    sent = session.scalars(newest.with_for_update()).first()
    if sent is None or sent.used_at is not None or sent.expires_at <= now or sent.tries >= CODE_TRIES:
        return None
    if not hmac.compare_digest(sent.digest, code_digest(index, code, bound_to)):
        sent.tries += 1
        session.flush()
        return None
    return sent


def mark_used(session: Session, *codes: OneTimeCode, now: dt.datetime) -> None:
    """Use up codes that belong together: all of them at once, after each was found to be right."""
    for code in codes:
        code.used_at = now
    session.flush()


def use_code(
    session: Session,
    phone: str,
    code: str,
    *,
    now: dt.datetime,
    purpose: str = SIGN_IN,
    bound_to: str = "",
    asker: Asker = NOBODY_KNOWN,
) -> bool:
    """Check a code that is needed alone, and use it up (`check_code`)."""
    sent = check_code(session, phone, code, now=now, purpose=purpose, bound_to=bound_to, asker=asker)
    if sent is None:
        return False
    mark_used(session, sent, now=now)
    return True


def account_of_phone(session: Session, phone: str, *, now: dt.datetime) -> Account:
    """The account of a verified phone; at the first sign-in a new one with the role of a guardian."""
    index = phone_index(phone)
    known = session.scalar(select(Account).where(Account.phone_index == index))
    if known is not None:
        return known
    account = Account(
        name="", phone=parse_phone(phone), phone_index=index, created_at=now, grants=[RoleGrant(role=Role.GUARDIAN)]
    )
    session.add(account)
    session.flush()
    return account


def check_password(session: Session, login: str, password: str) -> Account | None:
    """The account if login and password are right and it is not disabled.  An unknown login takes as long as a wrong password."""
    account = session.scalar(select(Account).where(Account.login == normalise(login).lower()))
    digest = account.password_hash if account is not None and account.password_hash else _dummy_hash()
    try:
        HASHER.verify(digest, password)
    except (VerifyMismatchError, InvalidHashError):
        return None
    return account if account is not None and account.disabled_at is None else None


def check_second_factor(session: Session, account_id: uuid.UUID, code: str, *, at: dt.datetime) -> bool:
    """Check a code of the authenticator; each time step is valid once.  `at` is the real time, also in the demo."""
    account = session.get_one(Account, account_id, with_for_update={"key_share": True}, populate_existing=True)
    if account.second_factor is None or account.disabled_at is not None:
        return False
    step = int(at.timestamp()) // SECOND_FACTOR_STEP
    for tried in (step, step - 1, step + 1):
        expected = pyotp.TOTP(account.second_factor).at(tried * SECOND_FACTOR_STEP)
        fresh = account.second_factor_used is None or tried > account.second_factor_used
        if fresh and hmac.compare_digest(expected, normalise(code)):
            account.second_factor_used = tried
            session.flush()
            return True
    return False


def create_staff_account(
    session: Session, login: str, name: str, password: str, grants: list[RoleGrant], *, now: dt.datetime
) -> Account:
    """Create an account with a password and a new second factor."""
    account = Account(
        login=normalise(login).lower(),
        name=name,
        password_hash=HASHER.hash(password),
        second_factor=pyotp.random_base32(),
        created_at=now,
        grants=grants,
    )
    session.add(account)
    session.flush()
    return account


@functools.cache
def _dummy_hash() -> str:
    return HASHER.hash(secrets.token_urlsafe(16))


def end_sessions(session: Session, account_id: uuid.UUID) -> int:
    """Sign an account out everywhere."""
    return len(
        session.execute(
            delete(WebSession).where(WebSession.account_id == account_id).returning(WebSession.digest)
        ).all()
    )
