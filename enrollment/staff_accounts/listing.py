"""The accounts that an official may see, and what was asked for about them."""

import datetime as dt
import itertools
from collections.abc import Sequence

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from enrollment.ground import second_person
from enrollment.ground.accounts import Account, Actor, RoleGrant
from enrollment.ground.errors import NotFound
from enrollment.places.kindergartens import Kindergarten, Page, paginate
from enrollment.staff_accounts import changes, scope
from enrollment.staff_accounts.rows import AccountChange

PER_PAGE = 50
MOST_CHANGES = 50


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


def asked_for(session: Session, *, by: Actor, now: dt.datetime) -> Sequence[AccountChange]:
    """What was asked for within the actor's scope, the open ones first, the newest in front."""
    found = (
        select(AccountChange)
        .where(or_(AccountChange.decided_at.is_not(None), AccountChange.asked_at > now - second_person.OPEN_FOR))
        .order_by(AccountChange.decided_at.is_not(None), AccountChange.asked_at.desc())
    )
    seen = (each for each in session.scalars(found) if _is_seen(session, each, by))
    return list(itertools.islice(seen, MOST_CHANGES))


def waiting_for(session: Session, *, by: Actor, now: dt.datetime) -> int:
    """How many requests wait for this person as the second one."""
    return sum(
        each.decided_at is None and each.asked_by != by.account_id for each in asked_for(session, by=by, now=now)
    )


def _is_seen(session: Session, asked: AccountChange, by: Actor) -> bool:
    try:
        changes.find(session, asked.id, by=by)
    except NotFound:
        return False
    return True
