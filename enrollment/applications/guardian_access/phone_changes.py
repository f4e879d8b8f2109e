"""Changing the phone with which a guardian signs in: from a session, or at a desk by two people.

With a code from both phones the change takes effect at once.  Without the old phone it has a waiting time, in which the
holder of the old number can stop it: by signing in, or by the link in the message.  Operators have no command to change
a phone.
"""

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.guardian_access import desk_access
from enrollment.applications.guardian_access.phone_change_course import (
    end_access,
    is_taken,
    lock_account,
    locked,
    open_change,
    refuse,
    start,
    stop,
    stop_digest,
)
from enrollment.ground import audit, sign_in, signatures
from enrollment.ground.accounts import Account, Actor, Role, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.phones import parse_phone, phone_index
from enrollment.people.desk_rows import PhoneChange, PhoneChangeOutcome, PhoneChangeWay

SESSION_WAIT = dt.timedelta(hours=72)
"""Waiting time of a change from a session, which may be stolen.  Three days are enough to read a message on a weekend."""

DESK_WAIT = dt.timedelta(hours=24)
"""Waiting time of a change at a desk.  Two people saw a document, but the holder of the old number may not know of it."""

STOP_MEMORY = dt.timedelta(days=30)
"""For this time after a stopped change at a desk, only an official may confirm the next one."""

NEW_PHONE = "new phone of an account"
OLD_PHONE = "old phone of an account"


@dataclass(frozen=True)
class Codes:
    """The codes for the messages to the new and the old number; None if no message is sent."""

    new: str | None
    old: str | None


@dataclass(frozen=True)
class Request:
    """The result of a request: the change, or the field with a wrong code.

    The caller must also commit after a wrong code, because the attempt is counted.
    """

    change: PhoneChange | None = None
    wrong_field: str | None = None
    stop_token: str = ""


def send_codes(session: Session, account_id: uuid.UUID, new_phone: str, *, by: Actor, now: dt.datetime) -> Codes:
    """Create codes for the new and the old number.  The result does not show whether the new number is known.

    Refuses `phone_form`, `same_phone`, `account_is_closed`, `phone_change_waiting`.
    """
    account = session.get_one(Account, account_id)
    phone = parse_phone(new_phone)
    if phone_index(phone) == account.phone_index:
        raise Refused("same_phone", field="phone")
    if account.disabled_at is not None:
        raise Refused("account_is_closed", field="phone")
    if open_change(session, account_id) is not None:
        raise Refused("phone_change_waiting", field="phone")
    bound_to, asker = str(account_id), _asker(by)
    new = sign_in.send_code(session, phone, now=now, purpose=NEW_PHONE, bound_to=bound_to, asker=asker)
    old = None
    if account.phone_index is not None and account.phone:
        old = sign_in.send_code(session, account.phone, now=now, purpose=OLD_PHONE, bound_to=bound_to, asker=asker)
    return Codes(new, old)


def waiting_time(session: Session, new_phone: str, *, by: Actor, now: dt.datetime) -> dt.timedelta:
    """How long this person has to wait before the new number can get another code; zero if no wait is needed."""
    return sign_in.waiting_time(session, new_phone, now=now, purpose=NEW_PHONE, asker=_asker(by))


def request_change(
    session: Session, new_phone: str, new_code: str, old_code: str, *, by: Actor, now: dt.datetime
) -> Request:
    """Change the phone of the signed-in guardian: at once with a code of the old phone, else after `SESSION_WAIT`."""
    require_oneself(by)
    account = lock_account(session, by.account_id)
    proved = _prove(session, account, new_phone, new_code, old_code, by=by, now=now)
    if isinstance(proved, str):
        return Request(wrong_field=proved)
    at_once = proved or account.phone is None
    change, token = _open(session, account, new_phone, PhoneChangeWay.SESSION, at_once, by=by, now=now)
    start(session, change, now if at_once else now + SESSION_WAIT, by=by, now=now)
    return Request(change, stop_token=token)


def request_at_desk(
    session: Session,
    application_id: uuid.UUID,
    account_id: uuid.UUID,
    new_phone: str,
    new_code: str,
    old_code: str,
    *,
    by: Actor,
    now: dt.datetime,
) -> Request:
    """Request a change at a desk, after an identity check.  It has no effect until a second person confirms it.

    Refuses `phone_taken` if the number signs in to another guardian's account: the guardian, who has proved to hold it, learns
    that now and not after two people have worked for nothing.
    """
    application = desk_access.application_at_desk(session, application_id, by=by)
    desk_access.guardian_account(session, application, account_id)
    check = desk_access.require_check(session, application_id, account_id, by=by, now=now)
    account = lock_account(session, account_id)
    proved = _prove(session, account, new_phone, new_code, old_code, by=by, now=now)
    if isinstance(proved, str):
        return Request(wrong_field=proved)
    if is_taken(session, account, parse_phone(new_phone)):
        raise Refused("phone_taken", field="new_code")
    change, _token = _open(session, account, new_phone, PhoneChangeWay.DESK, proved, by=by, now=now)
    change.identity_check_id, change.application_id = check.id, application.id
    session.flush()
    return Request(change)


def waiting_at_desk(session: Session, *, by: Actor) -> Sequence[PhoneChange]:
    """The desk's changes that wait for a second person, the oldest first."""
    waiting = select(PhoneChange).where(
        PhoneChange.way == PhoneChangeWay.DESK,
        PhoneChange.ended_at.is_(None),
        PhoneChange.confirmed_at.is_(None),
        PhoneChange.application_id.in_(desk_access.served_query(by)),
    )
    return session.scalars(waiting.order_by(PhoneChange.asked_at)).all()


def _locked_at_desk(session: Session, change_id: uuid.UUID, *, by: Actor) -> PhoneChange:
    """A change that a desk has asked for, locked.  NotFound for another one, and for whose desk does not serve the family."""
    change = locked(session, change_id)
    if change is None or change.application_id is None:
        raise NotFound
    desk_access.application_at_desk(session, change.application_id, by=by)
    return change


def confirm_at_desk(session: Session, change_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> PhoneChange:
    """Confirm a change as the second person, who has seen the document too.

    The change takes effect at once if the code of the old phone was given, or if an official confirms after a stop; else
    after `DESK_WAIT`.

    Refuses `second_person_needed`, `official_needed`, `request_lapsed`, and `first_person_left`: then it is refused, and
    requested anew.  Confirming twice changes nothing.
    """
    change = _locked_at_desk(session, change_id, by=by)
    if change.confirmed_at is not None or change.ended_at is not None:
        return change
    if by.account_id == change.asked_by:
        raise Refused("second_person_needed")
    signatures.require_open(change.asked_at, now)
    if not desk_access.can_serve(session, change.application_id, change.asked_by):
        raise Refused("first_person_left")
    stopped = was_stopped(session, change.account_id, PhoneChangeWay.DESK, now=now)
    if stopped and not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise Refused("official_needed")
    change.confirmed_by, change.confirmed_at = by.account_id, now
    at_once = change.old_answered or stopped
    start(session, change, now if at_once else now + DESK_WAIT, by=by, now=now)
    return change


def refuse_at_desk(session: Session, change_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """Whoever looks at the request at a desk does not confirm it, or takes the own one back.  False if it has gone on or ended."""
    change = _locked_at_desk(session, change_id, by=by)
    if change.confirmed_at is not None or change.ended_at is not None:
        return False
    refuse(session, change, by=by, now=now)
    return True


def stop_at_desk(
    session: Session, application_id: uuid.UUID, account_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> bool:
    """The guardian at a desk stops the change of the phone, of every way, and every way into the account ends.

    False if none was open.  Refuses `identity_check_needed`.
    """
    application = desk_access.application_at_desk(session, application_id, by=by)
    desk_access.guardian_account(session, application, account_id)
    desk_access.require_check(session, application_id, account_id, by=by, now=now)
    change = open_change(session, account_id)
    if change is None or not stop(session, change.id, by=by, now=now):
        return False
    end_access(session, account_id, by=by, now=now)
    return True


def _prove(
    session: Session, account: Account, new_phone: str, new_code: str, old_code: str, *, by: Actor, now: dt.datetime
) -> bool | str:
    """Whether the code of the old phone was given too; for a wrong code, the name of its field."""
    if open_change(session, account.id) is not None:
        raise Refused("phone_change_waiting", field="new_code")
    bound_to, asker = str(account.id), _asker(by)
    right = []
    for field, phone, code, purpose in (
        ("new_code", new_phone, new_code, NEW_PHONE),
        ("old_code", account.phone or "", old_code, OLD_PHONE),
    ):
        if field == "old_code" and not code:
            continue
        found = sign_in.check_code(session, phone, code, now=now, purpose=purpose, bound_to=bound_to, asker=asker)
        if found is None:  # what was right stays good: a slip in one code needs no new message to the other phone
            return field
        right.append(found)
    sign_in.mark_used(session, *right, now=now)
    return bool(old_code)


def _open(
    session: Session, account: Account, new_phone: str, way: str, old_answered: bool, *, by: Actor, now: dt.datetime
) -> tuple[PhoneChange, str]:
    token = secrets.token_urlsafe(24)
    change = PhoneChange(
        account_id=account.id,
        way=way,
        new_phone=parse_phone(new_phone),
        old_answered=old_answered,
        asked_by=by.account_id,
        asked_at=now,
        stop_digest=stop_digest(token),
    )
    session.add(change)
    session.flush()
    audit.record(session, "request_phone_change", "account", account.id, by=by, now=now, change=str(change.id), way=way)
    return change, token


def was_stopped(session: Session, account_id: uuid.UUID, way: PhoneChangeWay, *, now: dt.datetime) -> bool:
    """Whether a change of this way was stopped by its guardian within `STOP_MEMORY`."""
    stopped = select(PhoneChange.id).where(
        PhoneChange.account_id == account_id,
        PhoneChange.way == way,
        PhoneChange.outcome == PhoneChangeOutcome.STOPPED,
        PhoneChange.ended_at > now - STOP_MEMORY,
    )
    return session.scalar(stopped.limit(1)) is not None


def _asker(by: Actor) -> sign_in.Asker:
    return sign_in.Asker(browser=str(by.account_id), address=str(by.account_id))
