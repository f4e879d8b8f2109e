"""Import of the roll: a row for each child, a number for each class, or a number for each level."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from enrollment.ground import bulk_copy, city_time, vault
from enrollment.ground.accounts import Actor
from enrollment.places.areas import MOST_CHILDREN
from enrollment.places.imports import cell_readers, date_readers, roll_comparison, roll_file, units, vocabulary
from enrollment.places.imports.changes import Difference, Overwrite
from enrollment.places.imports.headers import Column
from enrollment.places.imports.kindergarten_lookup import CODE, NAME, KindergartenLookup
from enrollment.places.imports.records import Records
from enrollment.places.imports.roll_changes import ChildRow, Prepared, day_of, entered_on
from enrollment.places.imports.roll_file import FileChild, FileClass
from enrollment.places.roll_change_rows import CountSource, CountState, RollCount
from enrollment.places.roll_rows import RollClass, school_from

COLUMNS = (
    CODE,
    NAME,
    Column("class_name", ("班级", "班级名称", "班名", "所在班级", "class", "class name"), cell_readers.short, False, "小一班"),
    Column("level", ("年级段", "年级", "班别", "年龄段", "年级名称", "level", "class level"), vocabulary.level, False, "小班", choices=("托班", "小班", "中班", "大班", "混龄班")),
    Column("classes", ("班数", "班级数", "班数(个)", "classes", "number of classes"), cell_readers.Whole(60, units.CLASSES), False, ""),
    Column("school_year", ("学年", "学年度", "school year"), date_readers.year, False, "2025"),
    Column("counted", ("在园人数", "人数", "幼儿人数", "班级人数", "在园幼儿数", "在园幼儿人数", "在园", "在园数", "children", "number of children"), cell_readers.Whole(MOST_CHILDREN, units.PEOPLE), False, ""),
    Column("child", ("姓名", "幼儿姓名", "学生姓名", "儿童姓名", "child", "child name"), cell_readers.person, False, "模拟幼儿"),
    Column("id_number", ("身份证号", "身份证号码", "身份证件号", "身份证件号码", "证件号码", "证件号", "身份证", "id number"), cell_readers.id_number, False, ""),
    Column("born", ("出生日期", "出生年月日", "出生年月", "生日", "born", "birth date", "date of birth"), date_readers.day_or_month, False, "2021-10-01"),
    Column("entered_on", ("入园日期", "入园时间", "入学日期", "入学年月", "entered on"), date_readers.day_or_month, False, "2025-09-01"),
    Column("as_of", ("统计日期", "截止日期", "统计时间", "as of"), date_readers.date, False, ""),
)  # fmt: skip
CHILD_COLUMNS = ("id", "class_id", "kept_as", "name", "id_number", "id_index", "born", "school_from", "entered_on")
CHANGED_COLUMNS = {
    "id": "uuid", "class_id": "uuid", "name": "bytea", "id_number": "bytea", "id_index": "bytea", "born": "bytea",
    "school_from": "integer",    "entered_on": "date",
}  # fmt: skip


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare with the table.  Children who are not in the file stay on roll and are counted as absent."""
    today = city_time.today(now)
    lookup = KindergartenLookup(session, by)
    there = roll_comparison.classes_in_scope(session, by)
    classes = roll_file.read(records, lookup, there, today=today)
    prepared = Prepared(Difference("roll", reading=records.reading))
    records.step(0, 0, "comparing")
    roll_comparison.compare(session, records, prepared, classes, there, today=today, overwrite=overwrite)
    records.stop_at_faults()
    return prepared


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> None:
    """COPY what is new, and change what is different by one statement: the roll of a city is written in seconds."""
    if prepared.removed_classes:
        session.execute(delete(RollClass).where(RollClass.id.in_(prepared.removed_classes)))
    if prepared.classes:
        columns = ("id", "kindergarten_id", "school_year", "level", "name", "kept_as", "counted", "as_of")
        bulk_copy.copy_rows(session, "roll_class", columns, ([row[c] for c in columns] for row in prepared.classes))
    for row in prepared.changed_classes:
        _change_class(session, row, by=by, now=now, reason=reason)
    if prepared.changed_children:
        rows = (_changed_row(child) for child in prepared.changed_children)
        bulk_copy.copy_to_temporary_table(session, "changed_child", CHANGED_COLUMNS, rows)
        session.execute(
            text(
                "UPDATE roll_child r SET class_id = c.class_id, name = c.name, id_number = c.id_number,"
                " id_index = c.id_index, born = c.born, school_from = c.school_from, entered_on = c.entered_on FROM changed_child c WHERE r.id = c.id"
            )
        )
    if prepared.children:
        bulk_copy.copy_rows(session, "roll_child", CHILD_COLUMNS, _new_rows(prepared.children))
    session.expire_all()


def _change_class(session: Session, row: dict[str, Any], *, by: Actor, now: dt.datetime, reason: str) -> None:
    """A number becomes an entry beside the earlier ones; whatever else changes is written into the class."""
    before = session.get_one(RollClass, row["id"]).counted
    by_entry = before is not None and row["counted"] is not None
    values = {name: value for name, value in row.items() if not (by_entry and name in ("counted", "as_of"))}
    session.execute(update(RollClass).where(RollClass.id == row["id"]).values(**values))
    if by_entry:
        session.add(
            RollCount(
                class_id=row["id"],
                day=row["as_of"],
                children=row["counted"],
                source=CountSource.IMPORT,
                reason=reason,
                state=CountState.IN_FORCE,
                made_by=by.account_id,
                made_at=now,
            )
        )
        session.flush()


def _new_rows(children: list[tuple[FileChild, FileClass, uuid.UUID]]) -> Iterator[tuple[Any, ...]]:
    for child, each, class_id in children:
        row = uuid.uuid4()
        yield (
            row, class_id, "rows", _sealed(child.name, "name", row), _sealed(child.number, "id_number", row),
            child.index, *_born(day_of(child.born), row), entered_on(child, each),
        )  # fmt: skip


def _changed_row(child: ChildRow) -> tuple[Any, ...]:
    return (
        child.id, child.class_id, _sealed(child.name, "name", child.id), _sealed(child.number, "id_number", child.id),
        child.index, *_born(child.born, child.id), child.entered_on,
    )  # fmt: skip


def _born(day: dt.date | None, row: uuid.UUID) -> tuple[bytes | None, int | None]:
    return _sealed(None if day is None else day.isoformat(), "born", row), school_from(day)


def _sealed(value: str | None, column: str, row: uuid.UUID) -> bytes | None:
    return None if value is None else vault.seal(value, f"roll_child.{column}", row)
