"""The accounts that an official may see, and what was asked for about them."""

import datetime as dt

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from enrollment.ground import signatures
from enrollment.ground.accounts import Account, Actor, RoleGrant
from enrollment.places.kindergartens import Kindergarten, Page, paginate
from enrollment.places.scope import scope_condition
from enrollment.staff_accounts import scope
from enrollment.staff_accounts.rows import AccountChange

PER_PAGE = 50


def accounts(session: Session, *, by: Actor, typed: str = "", role: str = "", page: int = 1) -> Page:
    """The accounts by login; `typed` is a part of the login or of the name of a kindergarten."""
    found = select(Account).where(scope.within(by)).order_by(Account.login)
    of_account = RoleGrant.account_id == Account.id
    if role:
        found = found.where(exists().where(of_account, RoleGrant.role == role))
    if typed:
        at = exists().where(
            of_account, RoleGrant.kindergarten_id == Kindergarten.id, Kindergarten.name.contains(typed, autoescape=True)
        )
        found = found.where(or_(Account.login.contains(typed.lower(), autoescape=True), at))
    return paginate(session, found, page, PER_PAGE)


def asked_for(session: Session, *, by: Actor, now: dt.datetime, page: int = 1) -> Page:
    """What was asked for within the actor's scope and has not lapsed, the open ones first, the newest in front."""
    found = select(AccountChange).where(_seen(by), AccountChange.decided_at.is_not(None) | _is_fresh(now))
    order = (AccountChange.decided_at.is_not(None), AccountChange.asked_at.desc(), AccountChange.id)
    return paginate(session, found.order_by(*order), page, PER_PAGE)


def waiting_for(session: Session, *, by: Actor, now: dt.datetime) -> int:
    """How many requests wait for this person as the second one."""
    open_ones = select(func.count()).where(
        _seen(by), AccountChange.decided_at.is_(None), AccountChange.asked_by != by.account_id, _is_fresh(now)
    )
    return session.scalar(open_ones) or 0


def _is_fresh(now: dt.datetime) -> ColumnElement[bool]:
    return AccountChange.asked_at > now - signatures.OPEN_FOR


def _seen(by: Actor) -> ColumnElement[bool]:
    """What `changes.find` gives: the account is in the scope, and the role one that this official may give there."""
    account = AccountChange.account_id.is_(None) | AccountChange.account_id.in_(
        select(Account.id).where(scope.within(by))
    )
    here = AccountChange.kindergarten_id.in_(select(Kindergarten.id).where(scope_condition(by)))
    role = AccountChange.role.in_(scope.roles_of(by)) & (AccountChange.role.not_in(scope.STAFF) | here)
    return account & (AccountChange.role.is_(None) | role)
