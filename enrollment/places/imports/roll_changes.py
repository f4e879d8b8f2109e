"""Rows of the roll: those that are kept, those of a file, and what an import writes."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from enrollment.ground.vault import mask
from enrollment.places.imports.cell_readers import person_name
from enrollment.places.imports.changes import Difference
from enrollment.places.imports.date_readers import MonthOnly
from enrollment.places.imports.roll_file import FileChild, FileClass


@dataclass(slots=True)
class ChildRow:
    """A row of the table `roll_child`."""

    id: uuid.UUID
    class_id: uuid.UUID
    name: str
    number: str | None
    index: bytes | None
    born: dt.date | None
    entered_on: dt.date


@dataclass(slots=True)
class KnownChild:
    """A child's row that is kept.  `left_on` is None while the child is on roll; `since` is the day on which its earlier
    row ended, before which this one cannot begin."""

    row: ChildRow
    owner_id: uuid.UUID
    school_year: int
    left_on: dt.date | None
    since: dt.date | None = None


@dataclass
class Prepared:
    """The changes of an import.  New children are kept as the file's rows: a city has 250,000."""

    difference: Difference
    classes: list[dict[str, Any]] = field(default_factory=list)
    changed_classes: list[dict[str, Any]] = field(default_factory=list)
    removed_classes: list[uuid.UUID] = field(default_factory=list)
    children: list[tuple[FileChild, FileClass, uuid.UUID]] = field(default_factory=list)
    changed_children: list[ChildRow] = field(default_factory=list)


def day_of(told: dt.date | None) -> dt.date | None:
    return dt.date(told.year, told.month, told.day) if isinstance(told, MonthOnly) else told


def entered_on(child: FileChild, each: FileClass) -> dt.date:
    return day_of(child.entered_on) or dt.date(each.school_year, 9, 1)


def is_month_of(told: dt.date | None, kept: dt.date) -> bool:
    """Whether a file tells no more than the month of a day that is kept."""
    return isinstance(told, MonthOnly) and (told.year, told.month) == (kept.year, kept.month)


def same_birth(told: dt.date | None, kept: dt.date | None) -> bool:
    if isinstance(told, MonthOnly):
        return kept is not None and is_month_of(told, kept)
    return told == kept or told is None


def born_of(told: dt.date | None, kept: dt.date | None) -> dt.date | None:
    """A month does not replace a day of the same month, and an empty cell replaces nothing."""
    return kept if told is None or (isinstance(told, MonthOnly) and same_birth(told, kept)) else day_of(told)


def changes(before: ChildRow, after: ChildRow) -> dict[str, tuple[Any, Any]]:
    fields: dict[str, tuple[Any, Any]] = {}
    if before.class_id != after.class_id:
        fields["class_name"] = (None, "✓")
    if person_name(before.name) != after.name:
        fields["child"] = (before.name, after.name)
    if before.index != after.index:
        fields["id_number"] = (before.number, after.number)
    if before.born != after.born:
        fields["born"] = (before.born, after.born)
    if before.entered_on != after.entered_on:
        fields["entered_on"] = (before.entered_on, after.entered_on)
    return fields


def masked(fields: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Masked names and numbers, because reports are shown on screens."""
    shown = dict(fields)
    if "child" in fields:
        shown["child"] = tuple(mask(value, 1, 0) or None for value in fields["child"])  # type: ignore[assignment]
    if "id_number" in fields:
        shown["id_number"] = tuple(mask(value, 4, 4) or None for value in fields["id_number"])  # type: ignore[assignment]
    return shown
