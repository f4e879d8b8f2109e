"""The course of a phone change: its waiting time, its stop by the holder of the old number, and its effect.

`phone_changes` opens it.  Lock order: always the account's row first, then the change.
"""

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment.applications.guardian_access import access_codes
from enrollment.applications.guardian_access.account_warnings import live_applications
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, sign_in, signatures
from enrollment.ground.accounts import SYSTEM, Account, Actor, actor_of, require_oneself
from enrollment.ground.phones import phone_index
from enrollment.people.desk_rows import OPEN_CHANGES, PhoneChange, PhoneChangeOutcome, PhoneChangeWay, PhoneDoubt
from enrollment.people.person_rows import Guardian


@dataclass(frozen=True)
class EndedChange:
    """A change that took effect, and the number that has to be notified; None if it belongs to somebody else now."""

    change: PhoneChange
    old_phone: str | None


def open_change(session: Session, account_id: uuid.UUID | None) -> PhoneChange | None:
    """The change of this account that has not ended."""
    return OPEN_CHANGES.one(session, account_id)


def end_waiting_times(session: Session, *, now: dt.datetime) -> list[EndedChange]:
    """Put the changes into effect whose waiting time is over, and end those that no second person confirmed in time."""
    _end_lapsed(session, now=now)
    due = select(PhoneChange.id).where(PhoneChange.ended_at.is_(None), PhoneChange.effective_at <= now)
    return [
        done
        for change_id in session.scalars(due.order_by(PhoneChange.id)).all()
        if (done := _take_effect(session, change_id, by=SYSTEM, now=now))
    ]


def _end_lapsed(session: Session, *, now: dt.datetime) -> None:
    lapsed = select(PhoneChange.id).where(
        PhoneChange.ended_at.is_(None),
        PhoneChange.effective_at.is_(None),
        PhoneChange.asked_at <= now - signatures.OPEN_FOR,
    )
    for change_id in session.scalars(lapsed.order_by(PhoneChange.id)).all():
        change = locked(session, change_id)
        if change is None or change.ended_at is not None or change.effective_at is not None:
            continue
        if not _ends_with_its_account(session, change, now=now):
            _end(session, change, PhoneChangeOutcome.LAPSED, by=SYSTEM, now=now)


def take_effect_now(session: Session, change: PhoneChange, *, by: Actor, now: dt.datetime) -> EndedChange | None:
    """Put a change without waiting time into effect; None if the change has to wait."""
    if change.effective_at is None or change.effective_at > now:
        return None
    return _take_effect(session, change.id, by=by, now=now)


def _take_effect(session: Session, change_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> EndedChange | None:
    change = locked(session, change_id)
    if change is None or change.ended_at is not None:
        return None
    account = lock_account(session, change.account_id)
    if _ends_with_its_account(session, change, now=now):
        return None
    old = account.phone
    if change.new_phone is None:
        _take_phone_away(session, account)
        end_access(session, account.id, by=by, now=now)
        _end(session, change, PhoneChangeOutcome.DONE, by=by, now=now)
        return EndedChange(change, None)
    index = phone_index(change.new_phone)
    if not _release(session, account, index, now) or not _set_phone(session, account, change.new_phone, index):
        _end(session, change, PhoneChangeOutcome.TAKEN, by=by, now=now)
        return None
    account.phone_proven_at = now
    session.execute(delete(PhoneDoubt).where(PhoneDoubt.account_id == account.id))
    guardian = session.scalars(select(Guardian).where(Guardian.account_id == account.id)).one_or_none()
    if guardian is not None:
        guardian.phone = change.new_phone
    _end(session, change, PhoneChangeOutcome.DONE, by=by, now=now)
    end_access(session, account.id, by=by, now=now)
    return EndedChange(change, old)


def _ends_with_its_account(session: Session, change: PhoneChange, *, now: dt.datetime) -> bool:
    """End the change of an account that was closed, which gets no number any more; nobody is told.  False for an open one.

    Closing an account drops its change; earlier versions left it open.
    """
    if session.get_one(Account, change.account_id).disabled_at is None:
        return False
    _note_end(session, change, PhoneChangeOutcome.STOPPED, by=SYSTEM, now=now)
    return True


def _take_phone_away(session: Session, account: Account) -> None:
    """The number belongs to another person now: the account has none, and is reached at a desk or by another guardian."""
    account.phone = account.phone_index = account.phone_proven_at = None
    for guardian in session.scalars(select(Guardian).where(Guardian.account_id == account.id)):
        guardian.phone = ""
    session.execute(delete(PhoneDoubt).where(PhoneDoubt.account_id == account.id))
    session.flush()


def end_access(session: Session, account_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """End every other way into the account: all its sessions, and its printed code."""
    access_codes.void(session, account_id, by=by, now=now)
    sign_in.end_sessions(session, account_id)


def _set_phone(session: Session, account: Account, phone: str, index: bytes) -> bool:
    """Store the number.  False if another transaction gave it to another account first."""
    try:
        with session.begin_nested():
            account.phone, account.phone_index = phone, index
            session.flush()
    except IntegrityError:
        session.refresh(account)
        return False
    return True


def _other_holder(session: Session, account: Account, index: bytes) -> Account | None:
    held = select(Account).where(Account.phone_index == index, Account.id != account.id)
    return session.scalars(held.with_for_update(key_share=True)).one_or_none()


def _keeps_it(session: Session, holder: Account) -> bool:
    """Whether the holder is staff or a guardian, and did more than sign in with the number."""
    in_use = select(Guardian.id).where(Guardian.account_id == holder.id)
    return holder.login is not None or session.scalar(in_use) is not None


def is_taken(session: Session, account: Account, phone: str) -> bool:
    """Whether the number belongs to another account that keeps it."""
    holder = _other_holder(session, account, phone_index(phone))
    return holder is not None and _keeps_it(session, holder)


def _release(session: Session, account: Account, index: bytes, now: dt.datetime) -> bool:
    """Remove the number from an account that was used for nothing but signing in.  False for a guardian's or staff's."""
    holder = _other_holder(session, account, index)
    if holder is None:
        return True
    if _keeps_it(session, holder):
        return False
    holder.phone = holder.phone_index = None
    holder.disabled_at = now
    sign_in.end_sessions(session, holder.id)
    session.flush()
    return True


def start(session: Session, change: PhoneChange, effective_at: dt.datetime, *, by: Actor, now: dt.datetime) -> None:
    """Start the waiting time, and notify every guardian of the children."""
    change.effective_at = effective_at
    session.flush()
    if change.way == PhoneChangeWay.DESK:
        audit.record(
            session, "confirm_phone_change", "account", change.account_id, by=by, now=now, change=str(change.id)
        )
    if effective_at > now:
        about, event = live_applications(session, change.account_id), f"phone_change:{change.id}:waiting"
        if change.way == PhoneChangeWay.NEW_HOLDER:
            until = {"due": effective_at.isoformat()}
            owner = actor_of(session.get_one(Account, change.account_id))
            notify_guardians(session, "phone_release_waiting", about, now=now, event=event, by=owner, **until)
        else:
            notify_guardians(session, "phone_change_waiting", about, now=now, event=event, by=by)


def stop_own(session: Session, *, by: Actor, now: dt.datetime) -> bool:
    """The signed-in guardian stops the change of its own phone, and every way into the account ends: the caller signs the
    guardian in again.  False if no change was open."""
    require_oneself(by)
    change = open_change(session, by.account_id)
    if change is None or not stop(session, change.id, by=by, now=now):
        return False
    end_access(session, change.account_id, by=by, now=now)
    return True


def stoppable(session: Session, token: str) -> PhoneChange | None:
    """The open change to which the link in the message to the old number belongs."""
    waiting = select(PhoneChange).where(PhoneChange.stop_digest == stop_digest(token), PhoneChange.ended_at.is_(None))
    return session.scalars(waiting).one_or_none()


def stop_by_link(session: Session, token: str, *, now: dt.datetime) -> bool:
    """The holder of the old number stops the change.  Every way into the account ends, as one may be a stranger's."""
    change = stoppable(session, token)
    if change is None or not stop(session, change.id, by=SYSTEM, now=now):
        return False
    end_access(session, change.account_id, by=SYSTEM, now=now)
    return True


def new_stop_token(session: Session, change: PhoneChange) -> str:
    """A new secret for the link in the message to the old number; it replaces the previous one."""
    token = secrets.token_urlsafe(24)
    change.stop_digest = stop_digest(token)
    session.flush()
    return token


def stop(session: Session, change_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """End an open change without effect.  The caller has proved who stops it.  False if it had ended."""
    change = locked(session, change_id)
    if change is None or change.ended_at is not None:
        return False
    _end(session, change, PhoneChangeOutcome.STOPPED, by=by, now=now)
    return True


def refuse(session: Session, change: PhoneChange, *, by: Actor, now: dt.datetime) -> None:
    """End a locked change of a desk that its second person did not confirm."""
    _end(session, change, PhoneChangeOutcome.REFUSED, by=by, now=now)


def drop(session: Session, account_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """The account closes: its number is free, with a doubt about it, and a change that is open has no effect and needs no word."""
    session.execute(delete(PhoneDoubt).where(PhoneDoubt.account_id == account_id))
    change = open_change(session, account_id)
    locked_change = locked(session, change.id) if change is not None else None
    if locked_change is not None and locked_change.ended_at is None:
        _note_end(session, locked_change, PhoneChangeOutcome.STOPPED, by=by, now=now)


def _note_end(
    session: Session, change: PhoneChange, outcome: PhoneChangeOutcome, *, by: Actor, now: dt.datetime
) -> None:
    change.ended_at, change.outcome = now, outcome
    session.flush()
    audit.record(
        session, "end_phone_change", "account", change.account_id, by=by, now=now, change=str(change.id),
        outcome=outcome,
    )  # fmt: skip


def _end(session: Session, change: PhoneChange, outcome: PhoneChangeOutcome, *, by: Actor, now: dt.datetime) -> None:
    _note_end(session, change, outcome, by=by, now=now)
    told = live_applications(session, change.account_id)
    event = f"phone_change:{change.id}:{outcome}"
    match outcome:
        case PhoneChangeOutcome.DONE if change.way == PhoneChangeWay.NEW_HOLDER:
            owner = actor_of(session.get_one(Account, change.account_id))
            notify_guardians(session, "phone_released", told, now=now, event=event, by=owner)
        case PhoneChangeOutcome.DONE:
            notify_guardians(session, "phone_changed", told, now=now, event=event)
        case PhoneChangeOutcome.STOPPED:
            # whoever stopped it was there: the guardian, or the guardian at a desk; the link has anybody with the old number
            there = None if by == SYSTEM else actor_of(session.get_one(Account, change.account_id))
            notify_guardians(session, "phone_change_stopped", told, now=now, event=event, by=there)
        case PhoneChangeOutcome.TAKEN:
            notify_guardians(session, "phone_change_taken", told, now=now, event=event)
        case PhoneChangeOutcome.REFUSED:
            notify_guardians(session, "phone_change_refused", told, now=now, event=event)
        case PhoneChangeOutcome.LAPSED:
            notify_guardians(session, "phone_change_lapsed", told, now=now, event=event)


def lock_account(session: Session, account_id: uuid.UUID | None) -> Account:
    return session.get_one(Account, account_id, with_for_update={"key_share": True}, populate_existing=True)


def locked(session: Session, change_id: uuid.UUID) -> PhoneChange | None:
    """The change, locked after its account (the lock order of this module)."""
    account_id = session.scalar(select(PhoneChange.account_id).where(PhoneChange.id == change_id))
    if account_id is None:
        return None
    lock_account(session, account_id)
    return session.get(PhoneChange, change_id, with_for_update=True, populate_existing=True)


def stop_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
