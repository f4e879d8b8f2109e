"""Kindergartens that an actor may see and change.  Outside the scope: `NotFound`, never "forbidden"."""

import uuid

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor, Office, Role
from enrollment.ground.errors import NotFound
from enrollment.places.kindergartens import Kindergarten

CITY_WIDE_ROLES = (Role.CITY_OFFICIAL, Role.AUDITOR, Role.OPERATOR)


def is_system(by: Actor) -> bool:
    """Whether the actor is a command or a job, not a person.  A visitor without an account is not the system."""
    return by.is_any(Role.SYSTEM)


def may_see_all(by: Actor) -> bool:
    return is_system(by) or by.is_any(*CITY_WIDE_ROLES)


def scope_condition(by: Actor) -> ColumnElement[bool]:
    """The SQL condition on Kindergarten for the scope of the actor."""
    if may_see_all(by):
        return true()
    own = []
    if by.kindergartens:
        own.append(Kindergarten.id.in_(by.kindergartens))
    if by.areas:
        own.append(Kindergarten.area_code.in_(by.areas))
    return or_(*own) if own else false()


def may_decide(by: Actor, kindergarten: Kindergarten) -> bool:
    """Whether this actor approves what kindergartens propose: an official of the area or the city, or the system."""
    return is_system(by) or by.is_any(Role.CITY_OFFICIAL) or kindergarten.area_code in by.areas


def office_of(kindergarten: Kindergarten) -> Office:
    """The staff of the kindergarten, the officials of its area and those of the city."""
    return Office(area=kindergarten.area_code, kindergarten=kindergarten.id)


def kindergarten_in_scope(
    session: Session, kindergarten_id: uuid.UUID, *, by: Actor, lock: bool = False
) -> Kindergarten:
    """The kindergarten within the actor's scope.  `lock` locks its row, so that changes of its class plan are serialized."""
    found = select(Kindergarten).where(Kindergarten.id == kindergarten_id, scope_condition(by))
    if lock:
        found = found.with_for_update(of=Kindergarten).execution_options(populate_existing=True)
    kindergarten = session.scalars(found).one_or_none()
    if kindergarten is None:
        raise NotFound
    return kindergarten
