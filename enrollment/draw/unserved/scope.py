"""Which children are on the board of unserved children, and which of them an official may act on."""

import uuid
from collections.abc import Iterable, Mapping
from typing import NoReturn

from sqlalchemy import ColumnElement, Row, func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import AWAITING_DECISION
from enrollment.draw import unplaced
from enrollment.draw.unserved.rows import UnservedChild
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.places import scope


def within(by: Actor, home: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition on the area of a child: officials see their areas, the city and auditors all."""
    return true() if scope.may_see_all(by) else home.in_(by.areas)


def without_a_place(session: Session, year: int, ids: Iterable[uuid.UUID], *, by: Actor) -> Mapping[uuid.UUID, Row]:
    """Those of the applications that have no place now and lie in the official's scope.  NotFound for who decides nothing."""
    if not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise NotFound
    base = unplaced.without_place(year).subquery()
    found = select(base.c.id, base.c.home, base.c.level, base.c.agrees_to_central, base.c.unit).where(
        base.c.id.in_(list(ids)), within(by, base.c.home)
    )
    return {row.id: row for row in session.execute(found)}


def locked(session: Session, ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """The applications, locked in one order.  Whoever gives one of them a place or withdraws it waits, and is waited for."""
    found = select(Application.id).where(Application.id.in_(list(ids))).order_by(Application.id)
    return list(session.scalars(found.with_for_update(key_share=True)))


def row_of(session: Session, application_id: uuid.UUID) -> UnservedChild:
    """The row of a child, which begins with version 0.  The caller holds the application's lock."""
    made = insert(UnservedChild).values(application_id=application_id, version=0).on_conflict_do_nothing()
    session.execute(made)
    return session.get_one(UnservedChild, application_id, populate_existing=True)


def begin(
    session: Session, year: int, application_id: uuid.UUID, seen: int | None, *, by: Actor
) -> tuple[UnservedChild, Row]:
    """The row of a child that has no place, locked, with its application's facts; its version goes up.

    NotFound for a child outside the scope, and for one that got a place or was withdrawn meanwhile, unless the page can
    say so: then Stale, as for a version that another official has overtaken.  Refuses `review_comes_first` for one that was
    reinstated and is not reviewed again yet.
    """
    locked(session, [application_id])
    here = without_a_place(session, year, [application_id], by=by).get(application_id)
    if here is None:
        _refuse_who_left(session, year, application_id, by)
    row = row_of(session, application_id)
    if seen is not None and row.version != seen:
        raise Stale()
    row.version += 1
    return row, here


def _refuse_who_left(session: Session, year: int, application_id: uuid.UUID, by: Actor) -> NoReturn:
    base = unplaced.took_part(year).subquery()
    known = select(func.count()).where(base.c.id == application_id, within(by, base.c.home))
    if session.scalar(known):
        raise Stale("child_left_the_list")
    again = unplaced.came_back(year).subquery()
    back = select(again.c.stage).where(again.c.id == application_id, within(by, again.c.home))
    if (stage := session.scalar(back)) is not None:
        raise Refused("review_comes_first") if stage in AWAITING_DECISION else Stale("child_left_the_list")
    raise NotFound
