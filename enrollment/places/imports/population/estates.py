"""Import of new housing estates: a row for each, with its dwellings and the children that they bring."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.places import areas, scope
from enrollment.places.imports import cell_readers, date_readers, units
from enrollment.places.imports.changes import Change, Difference, Overwrite
from enrollment.places.imports.headers import Column
from enrollment.places.imports.records import Record, Records
from enrollment.places.population.rows import FIRST_YEAR, LAST_YEAR, MOST_DWELLINGS, MOST_PER_HUNDRED, Estate

COLUMNS = (
    Column("area_code", ("区域", "区县", "区(市)县", "招生区域", "area", "district"), cell_readers.area, True, "锦江区", choices=areas.names()),
    Column("estate_name", ("小区名称", "小区", "项目名称", "楼盘", "楼盘名称", "estate", "name"), cell_readers.short, True, "某某小区"),
    Column("first_september", ("首个9月", "入住后首个9月", "入住学年", "入住年份", "first september", "year"), date_readers.year, True, "2027"),
    Column("dwellings", ("套数", "住房套数", "户数", "交付套数", "dwellings"), cell_readers.Whole(MOST_DWELLINGS, units.DWELLINGS), True, "1200"),
    Column("per_hundred", ("每百套幼儿", "每百套幼儿数", "每100套幼儿", "百户幼儿", "children per hundred"), cell_readers.Whole(1_000, units.PEOPLE, is_rate=True), True, "12"),
)  # fmt: skip
TOLD = ("first_september", "dwellings", "per_hundred")

Key = tuple[str, str]


@dataclass
class Prepared:
    difference: Difference
    rows: list[dict[str, Any]] = field(default_factory=list)


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare with the table by area and name.  Estates that the file does not name stay as they are."""
    prepared = Prepared(Difference("estates", reading=records.reading))
    there = {(each.area_code, each.name): each for each in session.scalars(select(Estate))}
    listed: dict[Key, Record] = {}
    for record in records.all():
        if record["area_code"] and not (scope.may_see_all(by) or record["area_code"] in by.areas):
            records.fault(record, "area_code", "area_outside_yours")
        if record.faulty:
            continue
        key = record["area_code"], record["estate_name"]
        first = listed.setdefault(key, record)
        if first is not record:
            records.repetition(record, "estate_name", "estate_told_twice", first)
        elif not _is_sane(records, record):
            continue
        else:
            _compare(prepared, key, record, there.get(key))
    records.stop_at_faults()
    prepared.difference.absent = len(there.keys() - listed.keys())
    return prepared


def _is_sane(records: Records, record: Record) -> bool:
    if not FIRST_YEAR <= record["first_september"] <= LAST_YEAR:
        least = {"value": record["first_september"], "least": FIRST_YEAR, "most": LAST_YEAR}
        records.fault(record, "first_september", "number_out_of_range", **least)
    elif not record["dwellings"]:
        records.fault(record, "dwellings", "number_out_of_range", value=0, least=1, most=MOST_DWELLINGS)
    elif record["per_hundred"] > MOST_PER_HUNDRED:
        value = record["per_hundred"]
        records.fault(record, "per_hundred", "estate_brings_too_many", value=value, most=MOST_PER_HUNDRED)
    return not record.faulty


def _compare(prepared: Prepared, key: Key, record: Record, old: Estate | None) -> None:
    after = {name: record[name] for name in TOLD}
    before = {name: None if old is None else getattr(old, name) for name in TOLD}
    if before == after:
        prepared.difference.unchanged += 1
        return
    told = {name: (before[name], after[name]) for name in TOLD if before[name] != after[name]}
    prepared.difference.add("added" if old is None else "changed", Change("/".join(key), key[1], record.line, told))
    prepared.rows.append({"area_code": key[0], "name": key[1]} | after)


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> None:
    if prepared.rows:
        fresh = insert(Estate)
        values = {name: fresh.excluded[name] for name in TOLD}
        write_rows(
            session, fresh.on_conflict_do_update(index_elements=["area_code", "name"], set_=values), prepared.rows
        )
    session.expire_all()
