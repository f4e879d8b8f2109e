"""A roll as a file tells it: classes with their children, classes with a number, or whole levels with a number."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from enrollment.ground.identity import birth_date_in, index_of
from enrollment.places.areas import MOST_CHILDREN
from enrollment.places.imports import vocabulary
from enrollment.places.imports.date_readers import MonthOnly
from enrollment.places.imports.faults import CellError, ImportFault, ImportFaults
from enrollment.places.imports.kindergarten_lookup import KindergartenLookup
from enrollment.places.imports.records import Place, Record, Records
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_checks import AGES, class_name_key, tidy_class_name
from enrollment.places.roll_rows import MOST_IN_A_CLASS, RollClass, school_year_of

ClassKey = tuple[uuid.UUID, int, str]
"""Kindergarten, school year, key of the class's name: a blank or a capital makes no other class."""


def class_key(kindergarten_id: uuid.UUID, school_year: int, name: str) -> ClassKey:
    return (kindergarten_id, school_year, class_name_key(tidy_class_name(name)))


@dataclass(slots=True, eq=False)
class FileChild(Place):
    """A child's row.  `index` is the blind index of its number; `born` may be a `MonthOnly`."""

    name: str = ""
    number: str | None = None
    index: bytes | None = None
    born: dt.date | None = None
    entered_on: dt.date | None = None


@dataclass(slots=True, eq=False)
class FileClass(Place):
    """A class in the file, or a whole level with its number (`is_level`)."""

    owner: Kindergarten = field(kw_only=True)
    name: str = field(kw_only=True)
    level: str = field(kw_only=True)
    school_year: int = field(kw_only=True)
    is_level: bool = False
    counted: int | None = None
    as_of: dt.date | None = None
    children: list[FileChild] = field(default_factory=list)

    @property
    def key(self) -> ClassKey:
        return class_key(self.owner.id, self.school_year, self.name)

    @property
    def code(self) -> str:
        return f"{self.owner.code}/{self.school_year}/{self.name}"

    @property
    def title(self) -> str:
        return f"{self.owner.name} {self.name}"


def read(
    records: Records, lookup: KindergartenLookup, there: Mapping[ClassKey, RollClass], *, today: dt.date
) -> dict[ClassKey, FileClass]:
    """The classes of a file.  Faults are recorded; `there` tells the levels of classes that are known."""
    tables = records.tables
    for keys, name in ((("class_name", "level"), "班级"), (("child", "counted"), "姓名")):
        if not any(tables.has(key) for key in keys):
            table = tables.tables[0]
            details = {"column": name, "read": "、".join([*table.headings.values(), *table.unknown])}
            raise ImportFaults([ImportFault("column_missing", table.line, None, name, details)])
    classes: dict[ClassKey, FileClass] = {}
    this_year = school_year_of(today)
    for record in records:
        owner = lookup.find(records, record)
        if owner is not None and not record.faulty:
            if record["counted"] is not None and not lookup.decides:
                records.fault(record, "counted", "count_needs_the_area")
            else:
                _collect(records, record, owner, classes, there, this_year, today)
    _check_children_once(records, classes)
    _check_levels_once(records, classes)
    return classes


@lru_cache(maxsize=4096)
def level_of_word(name: str) -> str | None:
    """The level that a class's name is the word of: 小班, 小班（3-4岁）."""
    try:
        return vocabulary.level(name)
    except CellError:
        return None


def _collect(
    records: Records,
    record: Record,
    owner: Kindergarten,
    classes: dict[ClassKey, FileClass],
    there: Mapping[ClassKey, RollClass],
    this_year: int,
    today: dt.date,
) -> None:
    """Add one row to its class: a number, or a child."""
    school_year = record["school_year"] or this_year
    written, told = record["class_name"], record["level"]
    word = level_of_word(written) if written else told
    if written is None and told is None:
        records.fault(record, "class_name", "value_missing")
        return
    name = vocabulary.level_word(word) if word else tidy_class_name(written)
    key = class_key(owner.id, school_year, name)
    each = classes.get(key)
    level = told or word or vocabulary.level_of_class(name)
    if level is None:
        level = each.level if each else there[key].level if key in there else None
    if level is None:
        records.fault(record, "level", "level_of_class_unclear", value=name)
        return
    if each is None:
        each = FileClass(record.line, record.table, owner=owner, name=name, level=level, school_year=school_year)
        classes[key] = each
    counted, child = record["counted"], record["child"]
    if (counted is None) == (child is None):
        records.fault(record, "child" if counted is None else "counted", "count_or_child")
    elif level != each.level:
        records.repetition(record, "level", "class_has_two_levels", each)
    elif counted is not None and each.counted is not None:
        records.repetition(record, "class_name", "twice_in_file", each)
    elif (counted is not None and each.children) or (child is not None and each.counted is not None):
        records.repetition(record, "class_name", "class_both_ways", each)
    elif counted is not None:
        _count(records, record, each, counted, is_level=word is not None)
    else:
        _add_child(records, record, each, today)


def _count(records: Records, record: Record, each: FileClass, counted: int, *, is_level: bool) -> None:
    """The number of a class, or of a level with several classes (班数)."""
    each.counted, each.as_of, each.is_level = counted, record["as_of"], is_level
    classes = record["classes"]
    most = MOST_IN_A_CLASS if not is_level else MOST_CHILDREN if classes is None else MOST_IN_A_CLASS * classes
    if counted > most:
        records.fault(record, "counted", "number_out_of_range", value=counted, least=0, most=most)


def _add_child(records: Records, record: Record, each: FileClass, today: dt.date) -> None:
    """A child's dates must be possible, and the birth date must agree with the number."""
    number, born = record["id_number"], record["born"]
    if number and len(number) == 18 and number[:17].isdecimal():
        carried = birth_date_in(number)
        if born is not None and (born.replace(day=carried.day) if isinstance(born, MonthOnly) else born) != carried:
            records.fault(record, "born", "birthday_contradicts_number")
        born = carried
    if born is not None:
        youngest, oldest = AGES[each.level]
        if not youngest <= each.school_year - born.year <= oldest:
            records.fault(record, "born", "age_does_not_fit", born=born.isoformat(), year=each.school_year)
    entered = record["entered_on"]
    if entered is not None and (entered > max(today, dt.date(each.school_year, 9, 1)) or (born and entered < born)):
        records.fault(record, "entered_on", "entered_impossible", value=entered.isoformat())
    index = index_of(number) if number else None
    each.children.append(
        FileChild(record.line, record.table, record.faulty, record["child"], number, index, born, entered)
    )


def _check_children_once(records: Records, classes: Mapping[ClassKey, FileClass]) -> None:
    """A number stands in the file once; without numbers, a name with a birth date stands in a class once."""
    numbers: dict[bytes, FileChild] = {}
    for each in classes.values():
        if len(each.children) > MOST_IN_A_CLASS:
            records.fault(each, "class_name", "too_many_in_a_class", group="error", most=MOST_IN_A_CLASS)
        names: dict[tuple, FileChild] = {}
        for child in each.children:
            if child.index is not None:
                first = numbers.setdefault(child.index, child)
            else:
                first = names.setdefault((child.name, child.born), child)
            if first is not child:
                records.repetition(child, "id_number" if child.index else "child", "twice_in_file", first)


def _check_levels_once(records: Records, classes: Mapping[ClassKey, FileClass]) -> None:
    """A level is told by its number or by its classes, never both: its children would count twice."""
    by_class = {(each.owner.id, each.school_year, each.level): each for each in classes.values() if not each.is_level}
    for each in classes.values():
        first = by_class.get((each.owner.id, each.school_year, each.level)) if each.is_level else None
        if first is not None:
            records.repetition(each, "counted", "level_and_classes", first)
