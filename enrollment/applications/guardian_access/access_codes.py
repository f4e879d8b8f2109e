"""Printed access codes: a guardian without a mobile phone signs in with one on any computer, until the season ends.

A desk issues it after an identity check, and for an account with a phone after one more proof (`access_code_proofs`).  Only
its digest is stored; a new code replaces the old one.  Every guardian of the children is told when a code is issued and
each time it is used, and the next letter to the guardian lists the uses.  Whatever ends all sessions of the account because
somebody may have taken it over also ends the code.
"""

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.guardian_access import access_code_proofs, desk_access
from enrollment.applications.guardian_access.account_warnings import warn
from enrollment.ground import audit, sign_in
from enrollment.ground.accounts import Account, Actor, actor_of, require_oneself
from enrollment.ground.errors import Refused
from enrollment.ground.random_codes import CODE_ALPHABET
from enrollment.people.desk_rows import AccessCode, AccessCodeUse
from enrollment.season.calendar import SeasonDate

LETTERS = 20
"""20 letters of an alphabet of 23 give 90 random bits, so that a code cannot be guessed."""

GROUP = 4


class Issued(NamedTuple):
    """The new code and its text, which is shown once; None and "" if the code of the phone was wrong."""

    code: AccessCode | None
    text: str


def issue(
    session: Session,
    application_id: uuid.UUID,
    account_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    phone_code: str = "",
) -> Issued:
    """Issue a new code, and tell every guardian.  The caller must also commit after a wrong `phone_code`, which counts.

    Refuses `identity_check_needed`, `season_is_closed`, and what `access_code_proofs.is_given` refuses.
    """
    application = desk_access.application_at_desk(session, application_id, by=by)
    desk_access.guardian_account(session, application, account_id)
    check = desk_access.require_check(session, application_id, account_id, by=by, now=now)
    account = session.get_one(Account, account_id, with_for_update={"key_share": True}, populate_existing=True)
    if not access_code_proofs.is_given(session, application_id, account, phone_code, by=by, now=now):
        return Issued(None, "")
    void(session, account_id, by=by, now=now)
    text = "".join(secrets.choice(CODE_ALPHABET) for _ in range(LETTERS))
    code = AccessCode(
        account_id=account_id,
        digest=_digest(text),
        identity_check_id=check.id,
        issued_by=by.account_id,
        issued_at=now,
        expires_at=_end_of_season(session, application.year, now),
    )
    session.add(code)
    session.flush()
    audit.record(session, "issue_access_code", "account", account_id, by=by, now=now, code=str(code.id))
    warn(session, "access_code_issued", account_id, event=f"access_code:{code.id}:issued", now=now, by=by)
    return Issued(code, "-".join(text[start : start + GROUP] for start in range(0, LETTERS, GROUP)))


def revoke(session: Session, application_id: uuid.UUID, account_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Revoke a lost code: nobody can sign in with it any more, and the account's sessions end."""
    application = desk_access.application_at_desk(session, application_id, by=by)
    desk_access.guardian_account(session, application, account_id)
    void(session, account_id, by=by, now=now)


def revoke_own(session: Session, *, by: Actor, now: dt.datetime) -> bool:
    """The signed-in guardian revokes the code of its own account; all sessions end.  False if there was none."""
    require_oneself(by)
    return by.account_id is not None and void(session, by.account_id, by=by, now=now)


def sign_in_with(session: Session, typed: str, *, now: dt.datetime) -> Account | None:
    """Record a use of a valid code and return its account; None for a wrong, revoked or expired code."""
    code = session.scalars(
        select(AccessCode).where(AccessCode.digest == _digest(typed)).with_for_update()
    ).one_or_none()
    if code is None or code.revoked_at is not None or code.expires_at <= now:
        return None
    account = session.get_one(Account, code.account_id)
    if account.disabled_at is not None:
        return None
    use = AccessCodeUse(access_code_id=code.id, used_at=now)
    session.add(use)
    session.flush()
    audit.record(
        session, "use_access_code", "account", account.id, by=actor_of(account), now=now, code=str(code.id),
        issued_by=str(code.issued_by),
    )  # fmt: skip
    warn(session, "access_code_used", account.id, event=f"access_code:{code.id}:used:{use.id}", now=now)
    return account


def live_code(session: Session, account_id: uuid.UUID, *, now: dt.datetime) -> AccessCode | None:
    """The code with which the guardian of this account can sign in."""
    code = _not_revoked(session, account_id)
    return code if code is not None and code.expires_at > now else None


def _not_revoked(session: Session, account_id: uuid.UUID) -> AccessCode | None:
    found = select(AccessCode).where(AccessCode.account_id == account_id, AccessCode.revoked_at.is_(None))
    return session.scalars(found).one_or_none()


def untold_uses(session: Session, account_id: uuid.UUID) -> Sequence[dt.datetime]:
    """The times of uses since the last letter, for the letter that is written now."""
    return [use.used_at for use in _untold(session, account_id)]


def tell_uses(session: Session, account_id: uuid.UUID, *, now: dt.datetime) -> Sequence[dt.datetime]:
    """The same; they are marked as listed, because the letter is given now."""
    uses = _untold(session, account_id)
    for use in uses:
        use.told_at = now
    session.flush()
    return [use.used_at for use in uses]


def _untold(session: Session, account_id: uuid.UUID) -> Sequence[AccessCodeUse]:
    untold = (
        select(AccessCodeUse)
        .join(AccessCode, AccessCode.id == AccessCodeUse.access_code_id)
        .where(AccessCode.account_id == account_id, AccessCodeUse.told_at.is_(None))
    )
    return session.scalars(untold.order_by(AccessCodeUse.used_at)).all()


def void(session: Session, account_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """End the code of this account and every session.  The caller has proved who asks.  False if there was none."""
    code = _not_revoked(session, account_id)
    if code is None:
        return False
    code.revoked_at = now
    session.flush()
    sign_in.end_sessions(session, account_id)
    audit.record(session, "revoke_access_code", "account", account_id, by=by, now=now, code=str(code.id))
    return True


def _end_of_season(session: Session, year: int, now: dt.datetime) -> dt.datetime:
    """The last date of the season's calendar.  Refuses `season_is_closed` when the season is over."""
    ends = session.scalar(select(func.max(SeasonDate.ends_at)).where(SeasonDate.year == year))
    if ends is None or ends <= now:
        raise Refused("season_is_closed", year=year)
    return ends


def _digest(typed: str) -> bytes:
    letters = "".join(each for each in typed.upper() if each in CODE_ALPHABET)
    return hashlib.sha256(letters.encode()).digest()
