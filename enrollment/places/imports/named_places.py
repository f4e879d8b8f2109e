"""Import of streets, communities and estates with their points on the map."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.places import areas, scope
from enrollment.places.imports import cell_readers, vocabulary
from enrollment.places.imports.changes import Change, Difference, Overwrite
from enrollment.places.imports.headers import Column
from enrollment.places.imports.records import Record, Records
from enrollment.places.pinyin import sort_key
from enrollment.places.search.named_places import PLACE_KINDS, NamedPlace

COLUMNS = (
    Column("area_code", ("招生区域", "区域", "区县", "所属区县", "行政区", "区", "area", "district"), cell_readers.area, True, "锦江区", choices=areas.names()),
    Column("kind", ("类型", "地点类型", "类别", "kind", "type"), vocabulary.service_kind, True, "街道", choices=("街道", "社区", "小区")),
    Column("place_name", ("地点名称", "名称", "街道名称", "小区名称", "社区名称", "地名", "name", "place"), cell_readers.short, True, "三圣街道"),
    Column("longitude", ("经度", "东经", "longitude", "lon", "lng", "x", "x坐标"), cell_readers.longitude, True, "104.1325"),
    Column("latitude", ("纬度", "北纬", "latitude", "lat", "y", "y坐标"), cell_readers.latitude, True, "30.6012"),
)  # fmt: skip
SMALLEST = Decimal("0.000001")

Key = tuple[str, str, str]
Point = tuple[Decimal, Decimal]


@dataclass
class Prepared:
    difference: Difference
    fresh: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare with the table.  Places that the file does not name stay as they are."""
    prepared = Prepared(Difference("named-places", reading=records.reading))
    known = {(row.area_code, row.kind, row.name): row for row in session.scalars(select(NamedPlace))}
    seen: dict[Key, tuple[Record, Point]] = {}
    for record in records.all():
        if record.faulty:
            continue
        if record["kind"] not in PLACE_KINDS:
            records.fault(record, "kind", "place_kind_unknown")
        elif not (scope.may_see_all(by) or record["area_code"] in by.areas):
            records.fault(record, "area_code", "outside_your_area")
        else:
            _compare(prepared, records, record, seen, known)
    records.stop_at_faults()
    prepared.difference.absent = len(known.keys() - seen.keys())
    return prepared


def _compare(
    prepared: Prepared,
    records: Records,
    record: Record,
    seen: dict[Key, tuple[Record, Point]],
    known: dict[Key, NamedPlace],
) -> None:
    """The same place again is a remark; at another point it is a fault, as one of the two would be lost."""
    key = (record["area_code"], record["kind"], record["place_name"])
    point = (record["longitude"].quantize(SMALLEST), record["latitude"].quantize(SMALLEST))
    first, at = seen.setdefault(key, (record, point))
    if at != point:
        records.repetition(record, "longitude", "place_at_two_points", first)
        return
    if first is not record:
        prepared.difference.remark("same_entry_twice", f"{records.place_of(record)} {key[2]}")
        return
    old = known.get(key)
    values = {"longitude": point[0], "latitude": point[1]}
    if old is None:
        told: dict[str, tuple[Any, Any]] = {name: (None, str(value)) for name, value in values.items()}
        prepared.difference.add("added", Change(key[0], key[2], record.line, told))
        row = {"id": uuid.uuid4(), "area_code": key[0], "kind": key[1], "name": key[2], "sort_key": sort_key(key[2])}
        prepared.fresh.append(row | values)
    elif (old.longitude, old.latitude) != point:
        told = {name: (str(getattr(old, name)), str(value)) for name, value in values.items()}
        prepared.difference.add("changed", Change(key[0], key[2], record.line, told))
        prepared.changed.append({"id": old.id} | values)
    else:
        prepared.difference.unchanged += 1


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> None:
    write_rows(session, update(NamedPlace), prepared.changed)
    write_rows(session, insert(NamedPlace), prepared.fresh)
    session.expire_all()
