"""Movements 变动: who came to a kindergarten's roll, left it or changed class, newest first."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from enrollment.ground.accounts import Actor
from enrollment.places import scope
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_rows import BY_A_MOVE

ENTERED = "entered"


@dataclass(frozen=True)
class Movement:
    """`kind` is `entered` or the reason of leaving; `child_name` is for the caller to mask."""

    day: dt.date
    kind: str
    child_id: uuid.UUID
    child_name: str
    class_name: str


def movements(
    session: Session, kindergarten_id: uuid.UUID, *, since: dt.date, until: dt.date, by: Actor, limit: int = 200
) -> list[Movement]:
    """Entries and leavings of these days.  Inside the kindergarten a change of class is one movement, a promotion none."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    before, old_class = aliased(RollChild), aliased(RollClass)
    moved_here = (
        select(before.id)
        .join(old_class, old_class.id == before.class_id)
        .where(
            before.id_index == RollChild.id_index, before.left_on == RollChild.entered_on,
            before.leave_reason.in_(BY_A_MOVE), old_class.kindergarten_id == kindergarten_id,
        )
    )  # fmt: skip
    entered = and_(RollChild.entered_on.between(since, until), ~moved_here.exists())
    left = and_(RollChild.left_on.between(since, until), RollChild.leave_reason != "promoted")
    query = (
        select(RollChild, RollClass.name, entered.label("entered"), left.label("left"))
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(RollClass.kindergarten_id == kindergarten_id, or_(entered, left))
        .order_by(RollChild.left_on.desc().nulls_last(), RollChild.entered_on.desc(), RollChild.id)
        .limit(limit)
    )
    found: list[Movement] = []
    for child, name, has_entered, has_left in session.execute(query):
        if has_entered:
            found.append(Movement(child.entered_on, ENTERED, child.id, child.name, name))
        if has_left and child.left_on is not None:
            found.append(Movement(child.left_on, child.leave_reason or "other", child.id, child.name, name))
    return sorted(found, key=lambda one: one.day, reverse=True)[:limit]
