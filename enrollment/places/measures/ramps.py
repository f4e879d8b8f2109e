"""How fast new places open, by kind of measure: a new kindergarten takes one class level more each September."""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from allocation.planning.problem import BY_LEVEL
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import Refused, Stale
from enrollment.places.measures.rows import OPENS, MeasureRamp

Ramp = tuple[int, int, int]
"""Per cent of the places that are open in the first, second and third September; all of them are from the fourth on."""


def in_force(session: Session) -> Mapping[str, tuple[int, ...]]:
    """The ramp of each kind that brings new places.  Other kinds have none: they change a kindergarten with its children."""
    return {kind: _with_the_last(ramp) for kind, ramp in told(session).items()}


def told(session: Session) -> dict[str, Ramp]:
    """The three numbers of each kind, in the order of the kinds."""
    changed = {row.kind: (row.first, row.second, row.third) for row in session.scalars(select(MeasureRamp))}
    first, second, third = BY_LEVEL
    return {str(kind): changed.get(kind, (first, second, third)) for kind in OPENS}


def version(session: Session) -> int:
    """A number that grows with each change of any kind."""
    return sum(session.scalars(select(MeasureRamp.version)))


def change(
    session: Session, ramps: Mapping[str, Ramp], *, version: int, by: Actor, now: dt.datetime
) -> dict[str, tuple[Ramp, Ramp]]:
    """Set the ramps of kinds; plans that were made keep their numbers.  Tells the changed kinds with the numbers before
    and after.  Refuses `only_the_city` and `measure_ramp`.  Raises Stale."""
    if not by.is_any(Role.CITY_OFFICIAL):
        raise Refused("only_the_city")
    for kind, (first, second, third) in ramps.items():
        if not 1 <= first <= second <= third <= 100:
            raise Refused("measure_ramp", f"{kind}_first")
    kept = told(session)
    values = [
        {"kind": kind, "first": ramp[0], "second": ramp[1], "third": ramp[2], "version": 0}
        for kind, ramp in kept.items()
    ]
    session.execute(insert(MeasureRamp).values(values).on_conflict_do_nothing())
    rows = session.scalars(
        select(MeasureRamp).order_by(MeasureRamp.kind).with_for_update().execution_options(populate_existing=True)
    ).all()
    if sum(row.version for row in rows) != version:
        raise Stale
    found: dict[str, tuple[Ramp, Ramp]] = {}
    for row in rows:
        before = (row.first, row.second, row.third)
        after = ramps.get(row.kind, before)
        if after != before:
            row.first, row.second, row.third = after
            row.changed_by, row.changed_at, row.version = by.account_id, now, row.version + 1
            found[row.kind] = (before, after)
    session.flush()
    for kind, (before, after) in found.items():
        audit.record(
            session, "change_measure_ramp", "measure_ramp", kind, by=by, now=now, before=list(before), after=list(after)
        )
    return found


def _with_the_last(ramp: Ramp) -> tuple[int, ...]:
    return ramp if ramp[-1] == 100 else (*ramp, 100)
