"""Corrections of a child's entry on the roll, each as a dated entry beside it."""

import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.identity import index_of
from enrollment.places.roll_rows import RollChild, RollCorrection

COLUMNS = ("name", "id_number", "born")


def correct(session: Session, index: bytes, after: Mapping[str, Any], *, by: Actor, now: dt.datetime) -> None:
    """Correct the rows of the child with this index of its number, of those that left too.

    `after` maps columns of a child to their new values; what the roll does not hold is left out.
    """
    for row in session.scalars(select(RollChild).where(RollChild.id_index == index).with_for_update()).all():
        new = {column: _value(column, after[column]) for column in COLUMNS if column in after}
        changed = {column: value for column, value in new.items() if getattr(row, column) != value}
        if changed:
            _correct_row(session, row, changed, by=by, now=now)


def _correct_row(session: Session, row: RollChild, changed: Mapping[str, Any], *, by: Actor, now: dt.datetime) -> None:
    before = {column: getattr(row, column) for column in changed}
    session.add(
        RollCorrection(
            roll_child_id=row.id,
            corrected_on=today(now),
            changed=sorted(changed),
            before=json.dumps(before, ensure_ascii=False, default=str),
            account_id=by.account_id,
        )
    )
    for column, value in changed.items():
        setattr(row, column, value)
    if "id_number" in changed:
        row.id_index = index_of(changed["id_number"])
    audit.record(session, "correct_roll", "roll_child", row.id, by=by, now=now, changed=sorted(changed))
    session.flush()


def last_corrections(session: Session, roll_child_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, dt.date]:
    """The day of the last correction of each of these rows that has one."""
    days = select(RollCorrection.roll_child_id, func.max(RollCorrection.corrected_on)).where(
        RollCorrection.roll_child_id.in_(roll_child_ids)
    )
    rows = session.execute(days.group_by(RollCorrection.roll_child_id))
    return {roll_child_id: day for roll_child_id, day in rows}


def _value(column: str, value: Any) -> Any:
    return dt.date.fromisoformat(value) if column == "born" else value
