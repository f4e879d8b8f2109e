"""The roll beside the national one 全国学前儿童学籍: the file to lay beside it, and what differs from a file of it.

The rules (全国学前儿童学籍管理办法) ask for a record within two months of entry and for transfers within ten working days.
The columns of both files are documented in `docs/reports.md`.
"""

import calendar
import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from enrollment.ground.errors import Refused
from enrollment.ground.identity import index_of, normalise_number
from enrollment.places import roll
from enrollment.places.imports.faults import ImportFaults
from enrollment.places.imports.files import sheet_reader
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_rows import BY_A_MOVE, RollChild, RollClass, on_roll_condition
from enrollment.reports.tables.report import PLACE, Column, Kind, Question, Report, Row, Width

RECORD_MONTHS = 2
MOST_ROWS = 1_000
"""A kindergarten has at most 360 children; a file of the national roll also has those who left."""


def record_by(entered_on: dt.date) -> dt.date:
    """The day by which the national roll must have a child: the same day two months later, or the last of that month."""
    month = entered_on.month - 1 + RECORD_MONTHS
    year, month = entered_on.year + month // 12, month % 12 + 1
    return dt.date(year, month, min(entered_on.day, calendar.monthrange(year, month)[1]))


def _rows_of(question: Question):
    return (
        select(PLACE, RollClass.level, RollClass.name, RollChild)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(RollClass.school_year == question.school_year, question.here())
        .order_by(Kindergarten.sort_key, RollClass.level, RollClass.name, RollChild.entered_on, RollChild.id)
    )


def _roll_file(question: Question) -> Iterable[Row]:
    """Children of the year's classes, also those who left; a move within the kindergarten is no leaving."""
    for place, level, name, child in question.session.execute(_rows_of(question)):
        if child.left_on == child.entered_on or child.leave_reason in BY_A_MOVE:
            continue
        yield (
            place, level, name, child.name, child.id_number, child.born, child.entered_on, record_by(child.entered_on),
            child.left_on, child.leave_reason,
        )  # fmt: skip


ROLL_FILE = Report(
    "roll_file",
    (
        Column("kindergarten", Kind.PLACE), Column("level", Kind.CODE, "level"), Column("class"),
        Column("child", names=True), Column("id_number", names=True), Column("born", Kind.DAY, names=True),
        Column("entered_on", Kind.DAY), Column("record_by", Kind.DAY), Column("left_on", Kind.DAY),
        Column("reason", Kind.CODE, "leave_reason"),
    ),
    _roll_file,
    widest=Width.KINDERGARTEN,
)  # fmt: skip


class Difference(StrEnum):
    """What the two rolls say differently about a child."""

    MISSING_THERE = "missing_there"
    MISSING_HERE = "missing_here"
    NAME = "name"
    BORN = "born"
    NO_NUMBER = "no_number"


@dataclass(frozen=True)
class NationalRow:
    """A child in a file of the national roll."""

    name: str
    id_number: str
    born: dt.date | None = None


COLUMNS = {"name": ("姓名", "name"), "id_number": ("证件号码", "id_number"), "born": ("出生日期", "born")}
"""The heads of the columns of a file of the national roll; the birth date may be missing."""


def read_file(content: bytes) -> list[NationalRow]:
    """The rows of a file of the national roll, whose first line has the heads `COLUMNS`.

    Refuses `national_file_unreadable`, `national_file_heads`, `national_file_row` with the number of the line,
    `national_file_rows`.
    """
    try:
        sheet = next((each for each in sheet_reader.read(content) if not each.is_hidden), None)
        lines = list(itertools.islice(sheet.rows(), MOST_ROWS + 2)) if sheet else []
    except ImportFaults as fault:
        raise Refused("national_file_unreadable", field="file") from fault
    table = [(number, ["" if cell is None else str(cell) for cell in cells]) for number, cells in lines]
    heads = [cell.strip().lower() for cell in table[0][1]] if table else []
    at = {code: next((heads.index(each) for each in words if each in heads), None) for code, words in COLUMNS.items()}
    if at["name"] is None or at["id_number"] is None:
        raise Refused("national_file_heads", field="file")
    if len(table) - 1 > MOST_ROWS:
        raise Refused("national_file_rows", field="file", most=MOST_ROWS)
    return [_national_row(number, line, at) for number, line in table[1:] if any(map(str.strip, line))]


def _national_row(number: int, line: Sequence[str], at: dict[str, int | None]) -> NationalRow:
    def cell(code: str) -> str:
        place = at[code]
        return line[place].strip() if place is not None and place < len(line) else ""

    name, id_number, born = cell("name"), normalise_number(cell("id_number")), cell("born")
    try:
        day = dt.date.fromisoformat(born.replace("/", "-")[:10]) if born else None
    except ValueError as fault:
        raise Refused("national_file_row", field="file", n=number) from fault
    if not name or not id_number:
        raise Refused("national_file_row", field="file", n=number)
    return NationalRow(name, id_number, day)


def differences(question: Question, national: Iterable[NationalRow]) -> Report:
    """The report of what differs today between the roll of the question's kindergarten and a file of the national one."""
    there = {index_of(row.id_number): row for row in national}
    return Report(
        "roll_differences",
        (
            Column("child", names=True), Column("class"), Column("difference", Kind.CODE, "roll_difference"),
            Column("here", names=True), Column("there", names=True), Column("entered_on", Kind.DAY),
            Column("record_by", Kind.DAY), Column("clock", Kind.CODE, "roll_clock"),
        ),
        lambda asked: _differences(asked, dict(there)),
        widest=Width.KINDERGARTEN,
    )  # fmt: skip


def _differences(question: Question, there: dict[bytes, NationalRow]) -> Iterable[Row]:
    day = roll.day_within(question.school_year, question.now)
    for _place, _level, name, child in question.session.execute(_rows_of(question).where(on_roll_condition(day))):
        due = record_by(child.entered_on)
        clock = "late" if due < day else "open"
        if child.id_index is None:
            yield child.name, name, Difference.NO_NUMBER, None, None, child.entered_on, due, clock
            continue
        other = there.pop(child.id_index, None)
        if other is None:
            yield child.name, name, Difference.MISSING_THERE, None, None, child.entered_on, due, clock
            continue
        if "".join(other.name.split()) != "".join(child.name.split()):
            yield child.name, name, Difference.NAME, child.name, other.name, child.entered_on, due, None
        if other.born is not None and other.born != child.born:
            here = child.born.isoformat() if child.born else None
            yield child.name, name, Difference.BORN, here, other.born.isoformat(), child.entered_on, due, None
    for row in there.values():
        yield row.name, None, Difference.MISSING_HERE, None, row.name, None, None, None
