"""Import of staff counts: a row for each kindergarten and day."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.city_time import today
from enrollment.places.imports import cell_readers, date_readers, kindergarten_lookup, units
from enrollment.places.imports.changes import Change, Difference, Overwrite
from enrollment.places.imports.headers import Column
from enrollment.places.imports.kindergarten_lookup import KindergartenLookup
from enrollment.places.imports.records import Record, Records
from enrollment.places.staffing.rows import MOST_STAFF, StaffCount

COLUMNS = (
    kindergarten_lookup.CODE,
    kindergarten_lookup.NAME,
    Column("staff_day", ("统计日期", "数据日期", "日期", "截至日期", "day", "as of"), date_readers.date, False, "2026-03-31"),
    Column("teachers", ("专任教师", "专任教师数", "专任教师人数", "教师数", "teachers", "full-time teachers"), cell_readers.Whole(MOST_STAFF, units.PEOPLE), True, "24"),
    Column("carers", ("保育员", "保育员数", "保育员人数", "carers"), cell_readers.Whole(MOST_STAFF, units.PEOPLE), False, "12"),
)  # fmt: skip


@dataclass
class Prepared:
    difference: Difference
    rows: list[dict[str, Any]] = field(default_factory=list)


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare with the newest count of each day.  Without a date the numbers are of today."""
    prepared = Prepared(Difference("staff", reading=records.reading))
    lookup = KindergartenLookup(session, by)
    there = _newest(session)
    listed: dict[tuple[uuid.UUID, dt.date], Record] = {}
    for record in records.all():
        found = lookup.find(records, record)
        day = record["staff_day"] or today(now)
        if day > today(now):
            records.fault(record, "staff_day", "staff_day_in_future")
        if found is None or record.faulty:
            continue
        first = listed.setdefault((found.id, day), record)
        if first is not record:
            records.repetition(record, "teachers", "number_told_twice", first)
            continue
        before = there.get((found.id, day))
        carers = record["carers"] if record["carers"] is not None else (before[1] if before else 0)
        after = (record["teachers"], carers)
        if before == after:
            prepared.difference.unchanged += 1
            continue
        fields = {
            name: (before[place] if before else None, after[place]) for place, name in enumerate(("teachers", "carers"))
        }
        change = Change(f"{found.code}/{day.isoformat()}", found.name, record.line, fields)
        prepared.difference.add("changed" if before else "added", change)
        prepared.rows.append(
            {
                "kindergarten_id": found.id, "day": day, "teachers": after[0], "carers": after[1],
                "entered_by": by.account_id, "entered_at": now,
            }
        )  # fmt: skip
    records.stop_at_faults()
    return prepared


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> None:
    write_rows(session, insert(StaffCount), prepared.rows)


def _newest(session: Session) -> dict[tuple[uuid.UUID, dt.date], tuple[int, int]]:
    """The count that holds for each kindergarten and day."""
    found = select(StaffCount).order_by(StaffCount.id)
    return {(row.kindergarten_id, row.day): (row.teachers, row.carers) for row in session.scalars(found)}
