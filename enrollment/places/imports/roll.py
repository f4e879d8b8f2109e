"""Import of the roll: a row for each child, or a row with a count for each class."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from enrollment.ground import city_time
from enrollment.ground.accounts import Actor
from enrollment.ground.classifications import Level
from enrollment.ground.identity import birth_date_in, index_of
from enrollment.ground.vault import mask
from enrollment.places.imports import cell_readers, vocabulary
from enrollment.places.imports.changes import Change, Difference, changed_fields
from enrollment.places.imports.headers import Column
from enrollment.places.imports.kindergarten_lookup import CODE, NAME, KindergartenLookup
from enrollment.places.imports.records import Record, Records
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import MOST_IN_A_CLASS, RollChild, RollClass, school_year_of

COLUMNS = (
    CODE,
    NAME,
    Column("class_name", ("班级", "班级名称", "班名", "所在班级", "class", "class name"), cell_readers.short, True, "小一班"),
    Column("level", ("年级段", "年级", "班别", "年龄段", "level", "class level"), vocabulary.level, False, "小班"),
    Column("school_year", ("学年", "学年度", "school year"), cell_readers.year, False, "2025"),
    Column("counted", ("在园人数", "人数", "幼儿人数", "班级人数", "在园幼儿数", "children", "number of children"), cell_readers.whole(MOST_IN_A_CLASS), False, ""),
    Column("child", ("姓名", "幼儿姓名", "学生姓名", "儿童姓名", "child", "child name"), cell_readers.short, False, "模拟幼儿"),
    Column("id_number", ("身份证号", "身份证号码", "身份证件号", "身份证件号码", "证件号码", "证件号", "身份证", "id number"), cell_readers.id_number, False, ""),
    Column("born", ("出生日期", "出生年月日", "出生年月", "生日", "born", "birth date", "date of birth"), cell_readers.date, False, "2021-10-01"),
    Column("entered_on", ("入园日期", "入园时间", "入学日期", "entered on"), cell_readers.date, False, "2025-09-01"),
    Column("as_of", ("统计日期", "截止日期", "统计时间", "as of"), cell_readers.date, False, ""),
)  # fmt: skip
SHOWN_AS = {"name": "child", "class_id": "class_name"}
AGES: dict[str, tuple[int, int]] = {
    Level.NURSERY: (1, 4),
    Level.LOWER: (2, 5),
    Level.MIDDLE: (3, 6),
    Level.UPPER: (4, 8),
    Level.MIXED: (1, 8),
}


@dataclass
class Prepared:
    difference: Difference
    classes: list[dict[str, Any]] = field(default_factory=list)
    changed_classes: list[dict[str, Any]] = field(default_factory=list)
    children: list[dict[str, Any]] = field(default_factory=list)
    changed_children: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _FileClass:
    """A class in the file."""

    owner: Kindergarten
    name: str
    level: str
    school_year: int
    record: Record
    known: RollClass | None
    counted: int | None = None
    as_of: dt.date | None = None
    children: list[Record] = field(default_factory=list)


def prepare(session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int) -> Prepared:
    """Compare with the table.  Children who are not in the file stay on roll and are counted as absent."""
    today = city_time.today(now)
    lookup = KindergartenLookup(session, by)
    rows = [(record, lookup.find(records, record)) for record in records]
    there = _classes(session, {owner.id for _record, owner in rows if owner})
    file_classes: dict[tuple, _FileClass] = {}
    for record, owner in rows:
        if owner and not record.faulty:
            _collect(records, record, owner, file_classes, there, school_year_of(today), today)
    on_roll = _roll_entries(session, file_classes.values(), records)
    seen: dict[bytes, int] = {}
    for each in file_classes.values():
        _check_class(session, records, each, on_roll, seen)
    records.stop_at_faults()
    prepared = Prepared(Difference("roll", ignored=records.table.unknown))
    for each in file_classes.values():
        _compare_class(prepared, each, on_roll, today)
    return prepared


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> None:
    if prepared.classes:
        session.execute(insert(RollClass), prepared.classes)
    for row in prepared.changed_classes:
        session.execute(update(RollClass).where(RollClass.id == row["id"]).values(**row))
    for row in prepared.changed_children:
        session.execute(update(RollChild).where(RollChild.id == row["id"]).values(**row))
    if prepared.children:
        session.execute(insert(RollChild), prepared.children)
    session.expire_all()


def _collect(
    records: Records,
    record: Record,
    owner: Kindergarten,
    file_classes: dict[tuple, _FileClass],
    there: dict[tuple, RollClass],
    this_year: int,
    today: dt.date,
) -> None:
    """Add one row to its class: a count, or a child."""
    school_year = record["school_year"] or this_year
    key = (owner.id, school_year, record["class_name"])
    level = record["level"] or vocabulary.level_of_class(record["class_name"])
    known = there.get(key)
    if level is None and known is None and key not in file_classes:
        records.fault(record, "level", "level_of_class_unclear", value=record["class_name"])
        return
    level = level or (file_classes[key].level if key in file_classes else known.level)  # type: ignore[union-attr]
    each = file_classes.setdefault(key, _FileClass(owner, record["class_name"], level, school_year, record, known))
    counted, child = record["counted"], record["child"]
    if (counted is None) == (child is None):
        records.fault(record, "child" if counted is None else "counted", "count_or_child")
    elif level != each.level:
        records.fault(record, "level", "class_has_two_levels", first=each.record.line)
    elif counted is not None and each.counted is not None:
        records.fault(record, "class_name", "twice_in_file", first=each.record.line)
    elif (counted is not None and each.children) or (child is not None and each.counted is not None):
        records.fault(record, "class_name", "class_both_ways", first=each.record.line)
    elif counted is not None:
        each.counted, each.as_of = counted, record["as_of"]
    else:
        each.children.append(record)
        _check_child(records, record, each, today)


def _check_child(records: Records, record: Record, each: _FileClass, today: dt.date) -> None:
    """A child's dates must be possible, and the birth date must agree with the number."""
    number, born = record["id_number"], record["born"]
    if number and len(number) == 18 and number[:17].isdigit():
        carried = birth_date_in(number)
        if born is not None and born != carried:
            records.fault(record, "born", "birthday_contradicts_number")
        record.values["born"] = born = carried
    if born is not None:
        youngest, oldest = AGES[each.level]
        if not youngest <= each.school_year - born.year <= oldest:
            records.fault(record, "born", "age_does_not_fit", born=born.isoformat(), year=each.school_year)
    entered = record["entered_on"]
    if entered is not None and (entered > max(today, dt.date(each.school_year, 9, 1)) or (born and entered < born)):
        records.fault(record, "entered_on", "entered_impossible", value=entered.isoformat())


def _classes(session: Session, owners: set[uuid.UUID]) -> dict[tuple, RollClass]:
    found = session.scalars(select(RollClass).where(RollClass.kindergarten_id.in_(owners)))
    return {(row.kindergarten_id, row.school_year, row.name): row for row in found}


@dataclass
class _RollEntries:
    """Children on roll now: by the index of their number (anywhere), and by name and birthday within a class."""

    by_index: dict[bytes, tuple[RollChild, RollClass]]
    by_name: dict[tuple, RollChild]
    in_class: dict[uuid.UUID, int]


def _roll_entries(session: Session, file_classes: Iterable[_FileClass], records: Records) -> _RollEntries:
    file_classes = list(file_classes)
    classes = {each.known.id for each in file_classes if each.known and each.children}
    numbers = {index_of(c["id_number"]): c for each in file_classes for c in each.children if c["id_number"]}
    pairs = select(RollChild, RollClass).join(RollClass, RollClass.id == RollChild.class_id)
    pairs = pairs.where(RollChild.left_on.is_(None))
    by_index: dict[bytes, tuple[RollChild, RollClass]] = {}
    indexes = list(numbers)
    for start in range(0, len(indexes), 5000):
        for child, roll_class in session.execute(pairs.where(RollChild.id_index.in_(indexes[start : start + 5000]))):
            by_index[bytes(child.id_index or b"")] = (child, roll_class)
    by_name: dict[tuple, RollChild] = {}
    in_class: dict[uuid.UUID, int] = {}
    for child, _class in session.execute(pairs.where(RollChild.class_id.in_(classes))) if classes else ():
        in_class[child.class_id] = in_class.get(child.class_id, 0) + 1
        by_name[child.class_id, child.name, child.born] = child
    return _RollEntries(by_index, by_name, in_class)


def _check_class(
    session: Session, records: Records, each: _FileClass, on_roll: _RollEntries, seen: dict[bytes, int]
) -> None:
    if each.known and each.known.level != each.level:
        records.fault(each.record, "level", "class_has_another_level", group="error")
    if each.counted is not None and each.known and each.known.kept_as == "rows":
        has_children = select(RollChild.id).where(RollChild.class_id == each.known.id).limit(1)
        if session.scalar(has_children):
            records.fault(each.record, "counted", "class_has_children", group="error")
    if len(each.children) > MOST_IN_A_CLASS:
        records.fault(each.record, "class_name", "too_many_in_a_class", group="error", most=MOST_IN_A_CLASS)
    names: dict[tuple, int] = {}
    for record in each.children:
        if record["id_number"]:
            index = index_of(record["id_number"])
            first = seen.setdefault(index, record.line)
            found = on_roll.by_index.get(index)
            if found and found[1].kindergarten_id != each.owner.id:
                records.fault(record, "id_number", "on_roll_elsewhere")
        else:
            first = names.setdefault((record["child"], record["born"]), record.line)
        if first != record.line:
            records.fault(record, "id_number" if record["id_number"] else "child", "twice_in_file", first=first)


def _compare_class(prepared: Prepared, each: _FileClass, on_roll: _RollEntries, today: dt.date) -> None:
    kept_as = "count" if each.counted is not None else "rows"
    known, key = each.known, f"{each.owner.code}/{each.school_year}/{each.name}"
    class_id = known.id if known else uuid.uuid4()
    after: dict[str, Any] = {"level": each.level, "kept_as": kept_as, "counted": each.counted}
    if each.as_of:
        after["as_of"] = each.as_of
    before = {name: getattr(known, name) for name in after} if known else None
    fields = changed_fields(before, after)
    change = Change(key, f"{each.owner.name} {each.name}", each.record.line, fields)
    if known is None:
        prepared.difference.added.append(change)
        prepared.classes.append(
            {"as_of": today} | after
            | {"id": class_id, "kindergarten_id": each.owner.id, "school_year": each.school_year, "name": each.name}
        )  # fmt: skip
    elif fields:
        prepared.difference.changed.append(change)
        prepared.changed_classes.append({"as_of": today} | after | {"id": class_id})
    elif kept_as == "count":
        prepared.difference.unchanged += 1
    found = {_compare_child(prepared, each, record, class_id, on_roll, today) for record in each.children}
    if kept_as == "rows":
        prepared.difference.absent += on_roll.in_class.get(class_id, 0) - len(found - {None})


def _compare_child(
    prepared: Prepared, each: _FileClass, record: Record, class_id: uuid.UUID, on_roll: _RollEntries, today: dt.date
) -> uuid.UUID | None:
    """Record the changes of a child's row; return its existing row in this class, if any."""
    number = record["id_number"]
    index = index_of(number) if number else None
    found = on_roll.by_index.get(index) if index else None
    child = found[0] if found else on_roll.by_name.get((class_id, record["child"], record["born"]))
    after = {"name": record["child"], "id_number": number, "born": record["born"], "class_id": class_id}
    if record["entered_on"]:
        after["entered_on"] = record["entered_on"]
    before = {name: getattr(child, name) for name in after} if child else None
    fields = changed_fields(before, after)
    shown = {SHOWN_AS.get(name, name): _masked_changes(name, pair) for name, pair in fields.items()}
    title = f"{each.owner.name} {each.name} {mask(record['child'], 1, 0)}"
    change = Change(f"{each.owner.code}/{each.school_year}/{each.name}", title, record.line, shown)
    if child is None:
        prepared.difference.added.append(change)
        entered = record["entered_on"] or dt.date(each.school_year, 9, 1)
        prepared.children.append(
            after | {"id": uuid.uuid4(), "id_index": index, "entered_on": entered, "kept_as": "rows"}
        )
    elif fields:
        prepared.difference.changed.append(change)
        prepared.changed_children.append(after | {"id": child.id, "id_index": index})
    else:
        prepared.difference.unchanged += 1
    return child.id if child is not None and child.class_id == class_id else None


def _masked_changes(name: str, pair: tuple[Any, Any]) -> tuple[Any, Any]:
    """Masked names and numbers, without ids, because previews are shown on screens and in logs."""
    if name == "class_id":
        return (None, "✓")
    if name == "name":
        return tuple(mask(value, 1, 0) if value else None for value in pair)  # type: ignore[return-value]
    if name == "id_number":
        return tuple(mask(value, 4, 4) if value else None for value in pair)  # type: ignore[return-value]
    return pair
