"""Two people widen an account: one asks with a reason, another one agrees.  One person is enough to narrow it at once.

Nobody asks for or agrees to something about the own account.  Two city officials always remain, so that the two-person
rules of the city can be kept.
"""

import datetime as dt
import re
import secrets
import uuid
from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import audit, retention, sign_in, signatures
from enrollment.ground.accounts import CITY, Account, Actor, Office, Role, RoleGrant
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.retention import THIRTY_DAYS, Moment
from enrollment.ground.vault import normalise
from enrollment.places.kindergartens import Kindergarten
from enrollment.staff_accounts import scope
from enrollment.staff_accounts.rows import AccountChange, Change

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")
LONGEST_REASON = 200
LEAST_CITY_OFFICIALS = 2


def ask_new(
    session: Session,
    login: str,
    name: str,
    role: str,
    *,
    kindergarten_id: uuid.UUID | None,
    area_code: str | None,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> AccountChange:
    """Ask for a new account.  Refuses `login_form`, `login_taken`, `name_missing`, and what `scope.check_role` refuses."""
    grant = scope.check_role(session, role, kindergarten_id, area_code, by=by)
    login = normalise(login).lower()
    if not LOGIN.fullmatch(login):
        raise Refused("login_form", field="login")
    if session.scalar(select(Account.id).where(Account.login == login)) is not None:
        raise Refused("login_taken", field="login")
    if not name.strip():
        raise Refused("name_missing", field="name")
    asked = AccountChange(
        change=Change.ADD, asked_by=by.account_id, login=login, name=name.strip(), role=grant.role, kindergarten_id=grant.kindergarten_id,
        area_code=grant.area_code,
    )  # fmt: skip
    return _ask(session, asked, reason, by=by, now=now)


def ask(
    session: Session,
    account_id: uuid.UUID,
    change: Change,
    *,
    role: str = "",
    kindergarten_id: uuid.UUID | None = None,
    area_code: str | None = None,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> AccountChange:
    """Ask for a further role, for enabling a disabled account, or for a new password and second factor.

    Refuses `own_account`, `account_is_enabled`, `role_held_already`, and what `scope.check_role` refuses.
    """
    account = scope.find(session, account_id, by=by)
    if account.id == by.account_id:
        raise Refused("own_account")
    asked = AccountChange(change=change, asked_by=by.account_id, account_id=account.id, login=account.login)
    if change == Change.ENABLE and account.disabled_at is None:
        raise Refused("account_is_enabled")
    if change == Change.GRANT:
        grant = scope.check_role(session, role, kindergarten_id, area_code, by=by)
        if any(_same(grant, held) for held in account.grants):
            raise Refused("role_held_already", field="role")
        asked.role, asked.kindergarten_id, asked.area_code = grant.role, grant.kindergarten_id, grant.area_code
    return _ask(session, asked, reason, by=by, now=now)


def _same(one: RoleGrant, other: RoleGrant) -> bool:
    return (one.role, one.kindergarten_id, one.area_code) == (other.role, other.kindergarten_id, other.area_code)


def _ask(session: Session, asked: AccountChange, reason: str, *, by: Actor, now: dt.datetime) -> AccountChange:
    if not reason.strip():
        raise Refused("reason_needed", field="reason")
    open_one = session.scalars(
        select(AccountChange)
        .where(
            AccountChange.login == asked.login, AccountChange.change == asked.change, AccountChange.decided_at.is_(None)
        )
        .with_for_update()
    ).one_or_none()
    if open_one is not None:
        if not signatures.has_lapsed(open_one.asked_at, now) and _can_answer(session, open_one):
            raise Refused("asked_already")
        session.delete(open_one)  # the audit trail keeps that it was asked for
        session.flush()
    asked.reason, asked.asked_at = reason.strip()[:LONGEST_REASON], now
    session.add(asked)
    session.flush()
    audit.record(
        session,
        "ask_account_change",
        "account_change",
        asked.id,
        by=by,
        now=now,
        change=str(asked.change),
        role=asked.role,
    )
    return asked


def find(session: Session, change_id: uuid.UUID, *, by: Actor, lock: bool = False) -> AccountChange:
    """A change within the actor's scope."""
    asked = session.get(AccountChange, change_id, with_for_update=lock or None, populate_existing=lock)
    if asked is None:
        raise NotFound("account_change")
    if asked.account_id is not None:
        scope.find(session, asked.account_id, by=by)
    if asked.role is not None:
        try:
            scope.check_role(session, asked.role, asked.kindergarten_id, asked.area_code, by=by)
        except Refused as fault:
            raise NotFound("account_change") from fault
    return asked


def decide(session: Session, change_id: uuid.UUID, *, agreed: bool, by: Actor, now: dt.datetime) -> AccountChange:
    """The second person agrees, and it happens; or not.  Refuses `decided_already`, `second_person_needed`, `own_account`,
    `request_lapsed`, `login_taken`, and `first_person_left` to whoever agrees: then somebody asks anew.
    """
    asked = find(session, change_id, by=by, lock=True)
    if asked.decided_at is not None:
        raise Refused("decided_already")
    if asked.asked_by == by.account_id:
        raise Refused("second_person_needed")
    if asked.account_id is not None and asked.account_id == by.account_id:
        raise Refused("own_account")
    signatures.require_open(asked.asked_at, now)
    if agreed:
        signatures.require_first_person(session, asked.asked_by, _office(session, asked))
        _apply(session, asked, by=by, now=now)
    asked.decided_by, asked.decided_at, asked.agreed, asked.name = by.account_id, now, agreed, None
    session.flush()
    audit.record(session, "decide_account_change", "account_change", asked.id, by=by, now=now, agreed=agreed)
    return asked


def _can_answer(session: Session, asked: AccountChange) -> bool:
    return signatures.can_answer(session, asked.asked_by, _office(session, asked))


def _office(session: Session, asked: AccountChange) -> Office:
    """Who may ask for this: an area for the staff of its kindergartens, the city for everybody (`scope`)."""
    account = session.get_one(Account, asked.account_id) if asked.account_id is not None else None
    places = {grant.kindergarten_id for grant in account.grants} if account is not None else set()
    if asked.role is not None:
        places.add(asked.kindergarten_id)
    if None in places:
        return CITY
    areas = session.scalars(select(Kindergarten.area_code).where(Kindergarten.id.in_(places)).distinct()).all()
    return Office(area=areas[0]) if len(areas) == 1 else CITY


def _apply(session: Session, asked: AccountChange, *, by: Actor, now: dt.datetime) -> None:
    if asked.account_id is None:  # it asks for a new one
        if session.scalar(select(Account.id).where(Account.login == asked.login)) is not None:
            raise Refused("login_taken")
        # nobody knows this password: the person sets one together with the second factor
        account = sign_in.create_staff_account(
            session, asked.login, asked.name or "", secrets.token_urlsafe(32), [_grant(asked)], now=now
        )
        account.second_factor, asked.account_id = None, account.id
        audit.record(session, "add_account", "account", account.id, by=by, now=now, role=asked.role)
        return
    account = scope.find(session, asked.account_id, by=by, lock=True)
    if asked.change == Change.GRANT:
        account.grants.append(_grant(asked))
        audit.record(session, "grant_role", "account", account.id, by=by, now=now, role=asked.role)
    elif asked.change == Change.ENABLE:
        account.disabled_at = None
        audit.record(session, "enable_account", "account", account.id, by=by, now=now)
    else:
        account.second_factor, account.second_factor_used = None, None
        sign_in.end_sessions(session, account.id)
        audit.record(session, "reset_second_factor", "account", account.id, by=by, now=now)


def _grant(asked: AccountChange) -> RoleGrant:
    return RoleGrant(role=asked.role, kindergarten_id=asked.kindergarten_id, area_code=asked.area_code)


def disable(session: Session, account_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Account:
    """Disable an account at once and end its sessions.  Refuses `own_account`, `two_city_officials`."""
    account = scope.find(session, account_id, by=by, lock=True)
    if account.id == by.account_id:
        raise Refused("own_account")
    if any(grant.role == Role.CITY_OFFICIAL for grant in account.grants):
        _require_city_officials(session, without=account.id)
    account.disabled_at = account.disabled_at or now
    sign_in.end_sessions(session, account.id)
    session.flush()
    audit.record(session, "disable_account", "account", account.id, by=by, now=now)
    return account


def take_role(session: Session, account_id: uuid.UUID, grant_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Account:
    """Take a role away at once.  Refuses `own_account`, `two_city_officials`, `last_role`."""
    account = scope.find(session, account_id, by=by, lock=True)
    grant = next((each for each in account.grants if each.id == grant_id), None)
    if grant is None:
        raise NotFound("role_grant")
    if account.id == by.account_id:
        raise Refused("own_account")
    if len(account.grants) == 1:
        raise Refused("last_role")
    if grant.role == Role.CITY_OFFICIAL:
        _require_city_officials(session, without=account.id)
    account.grants.remove(grant)
    session.delete(grant)
    session.flush()
    audit.record(session, "take_role", "account", account.id, by=by, now=now, role=grant.role)
    return account


def _require_city_officials(session: Session, *, without: uuid.UUID) -> None:
    """The rows are locked in order, so that two officials who disable each other at once do not both succeed."""
    officials = (
        select(Account.id)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(RoleGrant.role == Role.CITY_OFFICIAL, Account.disabled_at.is_(None))
        .order_by(Account.id)
        .with_for_update(of=Account)
    )
    others = set(session.scalars(officials)) - {without}
    if len(others) < LEAST_CITY_OFFICIALS:
        raise Refused("two_city_officials", n=LEAST_CITY_OFFICIALS)


def delete_old(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """What was asked for a month ago; the audit trail keeps that it was."""
    return retention.delete_rows(session, AccountChange, AccountChange.asked_at < moment.now - THIRTY_DAYS, limit=limit)
