"""Which kindergartens an actor may see and change.  What lies outside is not there: `NotFound`, never "forbidden"."""

import uuid

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import NotFound
from enrollment.places.kindergartens import Kindergarten

EVERYWHERE = (Role.CITY_OFFICIAL, Role.AUDITOR, Role.OPERATOR)


def is_system(by: Actor) -> bool:
    """A command on the machine itself, not a person at a desk, and not a visitor whom nobody knows."""
    return by.is_any(Role.SYSTEM)


def sees_all(by: Actor) -> bool:
    return is_system(by) or by.is_any(*EVERYWHERE)


def within(by: Actor) -> ColumnElement[bool]:
    """The condition on Kindergarten that keeps what the actor works with."""
    if sees_all(by):
        return true()
    own = []
    if by.kindergartens:
        own.append(Kindergarten.id.in_(by.kindergartens))
    if by.areas:
        own.append(Kindergarten.area_code.in_(by.areas))
    return or_(*own) if own else false()


def decides(by: Actor, kindergarten: Kindergarten) -> bool:
    """Whether this actor approves what kindergartens propose: the area's official, the city's, or the machine."""
    return is_system(by) or by.is_any(Role.CITY_OFFICIAL) or kindergarten.area_code in by.areas


def kindergarten_for(session: Session, kindergarten_id: uuid.UUID, *, by: Actor, lock: bool = False) -> Kindergarten:
    """The kindergarten within the actor's scope.  `lock` holds its row, so that its class plan changes one at a time."""
    found = select(Kindergarten).where(Kindergarten.id == kindergarten_id, within(by))
    if lock:
        found = found.with_for_update(of=Kindergarten).execution_options(populate_existing=True)
    kindergarten = session.scalars(found).one_or_none()
    if kindergarten is None:
        raise NotFound
    return kindergarten
