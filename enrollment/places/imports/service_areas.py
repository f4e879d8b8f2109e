"""Import of service areas: a row for each street or estate, or a row for each kindergarten with lists in its cells."""

import datetime as dt
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from shapely.geometry import shape
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.errors import Refused
from enrollment.places import service_areas
from enrollment.places.imports import cell_readers, vocabulary
from enrollment.places.imports.cell_readers import EAST, NORTH, SOUTH, WEST
from enrollment.places.imports.changes import Change, Difference, Overwrite
from enrollment.places.imports.headers import Column
from enrollment.places.imports.kindergarten_lookup import CODE, NAME, KindergartenLookup
from enrollment.places.imports.records import Record, Records
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.service_areas import NAMED, ServiceArea

COLUMNS = (
    CODE,
    NAME,
    Column("kind", ("类型", "范围类型", "类别", "服务范围类型", "kind", "type"), vocabulary.service_kind, False, "街道", choices=("街道", "社区", "小区", "道路", "范围")),
    Column("value", ("范围名称", "服务范围名称", "服务范围", "招生范围", "划片范围", "内容", "value", "service area"), cell_readers.names, False, "三圣街道"),
    Column("street", ("街道", "镇街", "服务街道", "街道(乡镇)", "乡镇", "street", "town"), cell_readers.names, False, "三圣街道"),
    Column("community", ("社区", "村(社区)", "服务社区", "村社", "村", "community"), cell_readers.names, False, "粮丰社区、江家堰社区"),
    Column("estate", ("小区", "服务小区", "楼盘", "院落", "小区(院落)", "estate"), cell_readers.names, False, "锦江城市花园"),
    Column("road", ("道路", "街巷", "路段", "服务道路", "road"), cell_readers.names, False, "锦华路"),
    Column("boundary", ("边界", "边界坐标", "多边形", "geojson", "boundary"), cell_readers.geojson, False, ""),
)  # fmt: skip
LONGEST = 60


@dataclass
class Prepared:
    difference: Difference
    fresh: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    gone: list[uuid.UUID] = field(default_factory=list)


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare with the table.  Kindergartens in the file get exactly its service areas; others stay unchanged."""
    lookup = KindergartenLookup(session, by)
    difference = Difference("service-areas", reading=records.reading)
    listed: dict[uuid.UUID, dict[tuple[str, str], tuple[Any, int]]] = defaultdict(dict)
    named: dict[uuid.UUID, Kindergarten] = {}
    for record in records.all():
        owner = lookup.find(records, record)
        if owner is None:
            continue
        named[owner.id] = owner
        found = _areas_of(records, record)
        if not found and not record.faulty:
            records.fault(record, "value", "service_area_empty")
        for kind, name, boundary in found:
            _list(difference, records, record, listed[owner.id], (kind, name), boundary)
    records.stop_at_faults()
    prepared = Prepared(difference)
    there = _existing_areas(session, set(named))
    for owner_id, areas in listed.items():
        _compare(prepared, named[owner_id], areas, there[owner_id])
    return prepared


def _list(
    difference: Difference,
    records: Records,
    record: Record,
    areas: dict[tuple[str, str], tuple[Any, int]],
    key: tuple[str, str],
    boundary: dict | None,
) -> None:
    """Add an entry; a second boundary of the same name gets a number, the same entry again is a remark."""
    kind, name = key
    number = 1
    while key in areas and areas[key][0] != boundary:
        number += 1
        key = (kind, f"{name[: LONGEST - 4]} {number}")
    if key in areas:
        difference.remark("same_entry_twice", f"{records.place_of(record)} {name}")
    else:
        if number > 1:
            difference.remark("boundaries_numbered", f"{records.place_of(record)} {key[1]}")
        areas[key] = (boundary, record.line)


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> None:
    if prepared.gone:
        session.execute(delete(ServiceArea).where(ServiceArea.id.in_(prepared.gone)))
    write_rows(session, update(ServiceArea), prepared.changed)
    write_rows(session, insert(ServiceArea), prepared.fresh)
    session.expire_all()


def _areas_of(records: Records, record: Record) -> list[tuple[str, str, dict | None]]:
    """(kind, name, boundary) of a row: its columns by kind, and its pair of kind and name."""
    found: list[tuple[str, str, dict | None]] = [(kind, name, None) for kind in NAMED for name in record[kind] or ()]
    kind, listed, boundary = record["kind"], record["value"] or [], record["boundary"]
    if boundary is not None:
        try:
            _check_city(records, record, service_areas.polygon(boundary))
        except Refused as refused:
            if refused.code == "boundary_not_degrees" and _is_exchanged(shape(boundary.get("geometry", boundary))):
                records.fault(record, "boundary", "boundary_exchanged")
            else:
                records.refusal(record, "boundary", refused)
        found.append(("polygon", "、".join(listed) or "划片范围", boundary))
    elif kind == "polygon":
        records.fault(record, "boundary", "boundary_missing")
    elif listed and kind is None:
        records.fault(record, "kind", "service_kind_missing")
    elif kind is not None and not listed:
        records.fault(record, "value", "value_missing")
    else:
        found += [(kind, name, None) for name in listed]
    for _kind, name, _boundary in found:
        if len(name) > LONGEST:
            records.fault(record, "value", "text_too_long", most=LONGEST, length=len(name))
    return found


def _is_exchanged(boundary: Any) -> bool:
    """Whether the city's latitudes stand where longitudes belong."""
    west, south, east, north = map(Decimal, map(str, boundary.bounds))
    return SOUTH <= west <= east <= NORTH and WEST <= south <= north <= EAST


def _check_city(records: Records, record: Record, boundary: Any) -> None:
    west, south, east, north = map(Decimal, map(str, boundary.bounds))
    if not (west >= WEST and east <= EAST and south >= SOUTH and north <= NORTH):
        center = f"{(west + east) / 2:.3f}, {(south + north) / 2:.3f}"
        records.fault(record, "boundary", "boundary_outside_city", center=center)


def _existing_areas(session: Session, owners: set[uuid.UUID]) -> dict[uuid.UUID, dict[tuple[str, str], ServiceArea]]:
    there: dict[uuid.UUID, dict[tuple[str, str], ServiceArea]] = defaultdict(dict)
    for row in session.scalars(select(ServiceArea).where(ServiceArea.kindergarten_id.in_(owners))):
        there[row.kindergarten_id][row.kind, row.name] = row
    return there


def _compare(prepared: Prepared, owner: Kindergarten, listed: dict, there: dict) -> None:
    difference = prepared.difference
    for (kind, name), (boundary, line) in listed.items():
        old = there.get((kind, name))
        if old is None:
            difference.add("added", Change(owner.code, owner.name, line, {kind: (None, name)}))
            prepared.fresh.append(
                {"id": uuid.uuid4(), "kindergarten_id": owner.id, "kind": kind, "name": name, "boundary": boundary}
            )
        elif old.boundary != boundary:
            difference.add("changed", Change(owner.code, owner.name, line, {kind: (name, name)}))
            prepared.changed.append({"id": old.id, "boundary": boundary})
        else:
            difference.unchanged += 1
    for key in there.keys() - listed.keys():
        difference.add("removed", Change(owner.code, owner.name, None, {key[0]: (key[1], None)}))
        prepared.gone.append(there[key].id)
