"""Which accounts an official may see and change: the city's all, an area's those of the staff of its kindergartens."""

import uuid

from sqlalchemy import ColumnElement, exists, select, true
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Account, Actor, Role, RoleGrant
from enrollment.ground.errors import NotFound, Refused
from enrollment.places import scope
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten

STAFF = (Role.CLERK, Role.HEAD)
GRANTED_BY_THE_CITY = (*STAFF, Role.HELPER, Role.AREA_OFFICIAL, Role.CITY_OFFICIAL, Role.AUDITOR, Role.OPERATOR)


def roles_of(by: Actor) -> tuple[Role, ...]:
    """The roles that this official may ask for and agree to."""
    return GRANTED_BY_THE_CITY if by.is_any(Role.CITY_OFFICIAL) else STAFF if by.is_any(Role.AREA_OFFICIAL) else ()


def within(by: Actor) -> ColumnElement[bool]:
    """SQL condition on Account.  An area sees people who work in its kindergartens and have no role elsewhere."""
    with_login = Account.login.is_not(None)
    if by.is_any(Role.CITY_OFFICIAL, Role.AUDITOR):
        return with_login
    of_account = RoleGrant.account_id == Account.id
    here = select(Kindergarten.id).where(Kindergarten.area_code.in_(by.areas))
    inside = exists().where(of_account, RoleGrant.kindergarten_id.in_(here))
    elsewhere = exists().where(
        of_account, (RoleGrant.kindergarten_id.is_(None)) | (RoleGrant.kindergarten_id.not_in(here))
    )
    return with_login & inside & ~elsewhere if by.is_any(Role.AREA_OFFICIAL) else ~true()


def find(session: Session, account_id: uuid.UUID, *, by: Actor, lock: bool = False) -> Account:
    """An account within the actor's scope.  NotFound for any other, and for families."""
    found = select(Account).where(Account.id == account_id, within(by))
    if lock:
        found = found.with_for_update(of=Account).execution_options(populate_existing=True)
    account = session.scalars(found).one_or_none()
    if account is None:
        raise NotFound("account")
    return account


def check_role(
    session: Session, role: str, kindergarten_id: uuid.UUID | None, area_code: str | None, *, by: Actor
) -> RoleGrant:
    """A grant that this official may give.  Refuses `role_not_yours`, `role_needs_kindergarten`, `role_needs_area`."""
    if role not in roles_of(by):
        raise Refused("role_not_yours", field="role")
    if role in STAFF:
        if kindergarten_id is None:
            raise Refused("role_needs_kindergarten", field="kindergarten")
        scope.kindergarten_in_scope(session, kindergarten_id, by=by)
        return RoleGrant(role=role, kindergarten_id=kindergarten_id)
    if role == Role.AREA_OFFICIAL:
        if area_code is None or session.get(Area, area_code) is None:
            raise Refused("role_needs_area", field="area")
        return RoleGrant(role=role, area_code=area_code)
    return RoleGrant(role=role)
