"""What lists of numbers by area have in common: compare each number with the table, write what is new or different."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.places import scope
from enrollment.places.areas import Area
from enrollment.places.imports.changes import Change, Difference
from enrollment.places.imports.records import Record, Records
from enrollment.places.population.rows import AreaBirths, AreaHistory

Key = tuple[Any, ...]
KeyOf = Callable[[Record], Iterator[tuple[Key, str]]]
"""The numbers of a record: the key of each in the table, and the column that holds it."""


@dataclass
class Prepared:
    difference: Difference
    rows: list[dict[str, Any]] = field(default_factory=list)


def prepare(
    session: Session,
    records: Records,
    table: type[AreaBirths] | type[AreaHistory],
    kind: str,
    keys_of: KeyOf,
    *,
    by: Actor,
) -> Prepared:
    """Compare each number of the file with the table; a number that the file names twice is a fault."""
    prepared = Prepared(Difference(kind, reading=records.reading))
    there, names = _existing(session, table), _names(session)
    listed: dict[Key, Record] = {}
    for record in records.all():
        area = record["area_code"]
        if area and not (scope.may_see_all(by) or area in by.areas):
            records.fault(record, "area_code", "area_outside_yours")
        if record.faulty:
            continue
        for key, column in keys_of(record):
            first = listed.setdefault(key, record)
            if first is not record:
                records.repetition(record, column, "number_told_twice", first)
            else:
                _compare(prepared, table, key, record, column, there, names)
    records.stop_at_faults()
    return prepared


def write(
    session: Session,
    prepared: Prepared,
    table: type[AreaBirths] | type[AreaHistory],
) -> None:
    """Write the numbers that are new or different."""
    fresh = insert(table)
    keys = [column.name for column in table.__mapper__.primary_key]
    replaced = fresh.on_conflict_do_update(index_elements=keys, set_={"children": fresh.excluded.children})
    write_rows(session, replaced, prepared.rows)
    session.expire_all()


def _existing(session: Session, table: type[AreaBirths] | type[AreaHistory]) -> dict[Key, int]:
    columns = [*table.__mapper__.primary_key, table.__mapper__.columns["children"]]
    return {tuple(row[:-1]): row[-1] for row in session.execute(select(*columns))}


def _names(session: Session) -> Mapping[str, str]:
    return {area.code: area.name for area in session.scalars(select(Area))}


def _compare(
    prepared: Prepared,
    table: type[AreaBirths] | type[AreaHistory],
    key: Key,
    record: Record,
    column: str,
    there: Mapping[Key, int],
    names: Mapping[str, str],
) -> None:
    before, after = there.get(key), record[column]
    if before == after:
        prepared.difference.unchanged += 1
        return
    told = "/".join(_text(part) for part in key)
    change = Change(told, names[key[0]], record.line, {column: (before, after)})
    prepared.difference.add("added" if before is None else "changed", change)
    columns = [column.name for column in table.__mapper__.primary_key]
    prepared.rows.append(dict(zip(columns, key, strict=True)) | {"children": after})


def _text(part: Any) -> str:
    return part.isoformat() if isinstance(part, dt.date) else str(part)
