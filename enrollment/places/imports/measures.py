"""Import of the measures that officials could take, one a row."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.classifications import Nature
from enrollment.places import areas, scope
from enrollment.places.imports import cell_readers, date_readers, units, vocabulary
from enrollment.places.imports.changes import Change, Difference, Overwrite
from enrollment.places.imports.headers import Column
from enrollment.places.imports.records import Record, Records
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.measures.library import turns_nothing
from enrollment.places.measures.rows import (
    LATEST_LEAD,
    LEAD,
    MOST_MONEY,
    MOST_PLACES,
    OPENS,
    Measure,
    MeasureKind,
    MeasureStage,
)

COLUMNS = (
    Column("measure_code", ("措施编号", "编号", "项目编号", "code", "measure"), cell_readers.short, True, "JJ-2027-01"),
    Column("measure_name", ("措施名称", "项目名称", "名称", "name", "project"), cell_readers.short, True, "三圣公办园新建"),
    Column("measure_kind", ("措施种类", "种类", "类型", "类别", "kind", "type"), vocabulary.measure_kind, True, "新建", choices=("新建", "改扩建", "附属办园点", "小区配套园治理", "转普惠", "转公办", "合并", "停办")),
    Column("area_code", ("区域", "区县", "区(市)县", "招生区域", "area", "district"), cell_readers.area, True, "锦江区", choices=areas.names()),
    Column("measure_kindergarten", ("学校标识码", "幼儿园标识码", "幼儿园代码", "school code", "kindergarten"), cell_readers.code, False, ""),
    Column("measure_nature", ("新学位性质", "性质", "办园性质", "nature"), vocabulary.nature, False, "公办", choices=("公办", "普惠性民办")),
    Column("measure_places", ("学位数", "学位", "人数", "places", "seats"), cell_readers.Whole(MOST_PLACES, units.PEOPLE), True, "270"),
    Column("cost", ("一次性投入万元", "一次性投入", "投入", "投资", "cost"), cell_readers.Whole(MOST_MONEY, units.TEN_THOUSAND_YUAN), True, "2850"),
    Column("yearly", ("每年运行万元", "每年运行", "年运行费", "yearly"), cell_readers.Whole(MOST_MONEY, units.TEN_THOUSAND_YUAN_A_YEAR), False, "160"),
    Column("saved", ("每年节省万元", "每年节省", "yearly saving", "saved"), cell_readers.Whole(MOST_MONEY, units.TEN_THOUSAND_YUAN_A_YEAR), False, ""),
    Column("earliest", ("最早年份", "最早开始年份", "开始年份", "earliest year", "earliest"), date_readers.year, True, "2027"),
    Column("lead", ("几年后招生", "建设年数", "工期年", "lead years", "lead"), cell_readers.Whole(LATEST_LEAD, units.YEARS, is_rate=True), False, "2"),
    Column("measure_stage", ("进展", "项目进展", "建设阶段", "阶段", "状态", "stage", "progress"), vocabulary.measure_stage, False, "已立项", choices=("设想", "已立项", "在建", "已完成")),
)  # fmt: skip

TOLD = {
    "name": "measure_name",
    "kind": "measure_kind",
    "area_code": "area_code",
    "nature": "measure_nature",
    "places": "measure_places",
    "cost": "cost",
    "yearly": "yearly",
    "earliest_year": "earliest",
    "lead_years": "lead",
    "stage": "measure_stage",
}
"""The columns of the table whose changes are told, by the column of the list."""


@dataclass
class Prepared:
    difference: Difference
    fresh: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare with the library by code.  Measures that the file does not name stay as they are."""
    prepared = Prepared(Difference("measures", reading=records.reading))
    known = {row.code: row for row in session.scalars(select(Measure)).unique()}
    places = {row.code: row for row in session.scalars(select(Kindergarten).where(scope.scope_condition(by)))}
    seen: dict[str, Record] = {}
    for record in records.all():
        if record.faulty:
            continue
        code, kind = record["measure_code"], record["measure_kind"]
        place = places.get(record["measure_kindergarten"] or "")
        first = seen.setdefault(code, record)
        if first is not record:
            records.repetition(record, "measure_code", "number_told_twice", first)
        elif not (scope.may_see_all(by) or record["area_code"] in by.areas):
            records.fault(record, "area_code", "outside_your_area")
        elif code in known and not (scope.may_see_all(by) or known[code].area_code in by.areas):
            records.fault(record, "measure_code", "outside_your_area")
        elif record["measure_kindergarten"] and (place is None or place.area_code != record["area_code"]):
            records.fault(record, "measure_kindergarten", "kindergarten_unknown", value=record["measure_kindergarten"])
        elif place is None and kind not in OPENS:
            records.fault(record, "measure_kindergarten", "measure_kindergarten")
        elif place is not None and turns_nothing(kind, place.nature):
            records.fault(record, "measure_kindergarten", "measure_turns_nothing")
        elif record["measure_nature"] not in (None, Nature.PUBLIC, Nature.INCLUSIVE):
            records.fault(record, "measure_nature", "measure_nature")
        elif not record["measure_places"]:
            records.fault(record, "measure_places", "number_out_of_range", value=0, least=1, most=MOST_PLACES)
        else:
            _compare(prepared, record, place, known.get(code), by, now)
    records.stop_at_faults()
    prepared.difference.absent = len(known.keys() - seen.keys())
    return prepared


def _compare(
    prepared: Prepared, record: Record, place: Kindergarten | None, old: Measure | None, by: Actor, now: dt.datetime
) -> None:
    kind = MeasureKind(record["measure_kind"])
    lead = record["lead"]
    values: dict[str, Any] = {
        "name": record["measure_name"],
        "kind": kind,
        "area_code": record["area_code"],
        "kindergarten_id": None if place is None else place.id,
        "nature": record["measure_nature"] or Nature.PUBLIC,
        "places": record["measure_places"],
        "cost": record["cost"],
        "yearly": (record["yearly"] or 0) - (record["saved"] or 0),
        "earliest_year": record["earliest"],
        "lead_years": LEAD[kind] if lead is None else lead,
        "withdrawn_at": None,
        "stage": record["measure_stage"] or (MeasureStage.IDEA if old is None else old.stage),
    }
    before = {name: None if old is None else getattr(old, name) for name in values}
    told = {column: (before[name], values[name]) for name, column in TOLD.items() if before[name] != values[name]}
    change = Change(record["measure_code"], record["measure_name"], record.line, told)
    if old is None:
        prepared.difference.add("added", change)
        row = {
            "id": uuid.uuid4(),
            "code": record["measure_code"],
            "made_by": by.account_id,
            "made_at": now,
            "version": 1,
        }
        prepared.fresh.append(row | values)
    elif before != values:
        prepared.difference.add("changed", change)
        prepared.changed.append({"id": old.id, "version": old.version + 1} | values)
    else:
        prepared.difference.unchanged += 1


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> None:
    write_rows(session, update(Measure), prepared.changed)
    write_rows(session, insert(Measure), prepared.fresh)
    session.expire_all()
