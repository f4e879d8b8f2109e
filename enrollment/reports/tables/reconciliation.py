"""The roll beside the national one 全国学前儿童学籍: the file to lay beside it, and what differs from a file of it.

The rules (全国学前儿童学籍管理办法) ask for a record within two months of entry and for transfers within ten working days.
The columns of both files are documented in `docs/reports.md`.
"""

import calendar
import datetime as dt
import itertools
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.identity import index_of, normalise_number
from enrollment.places import roll
from enrollment.places.imports.faults import ImportFaults
from enrollment.places.imports.files import sheet_reader
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_changes import transfers
from enrollment.places.roll_rows import BY_A_MOVE, RollChild, RollClass, on_roll_condition
from enrollment.reports.tables.comparison_rows import Comparison, Difference
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


class DifferenceKind(StrEnum):
    """What the two rolls say differently about a child."""

    MISSING_THERE = "missing_there"
    MISSING_HERE = "missing_here"
    NAME = "name"
    BORN = "born"
    NO_NUMBER = "no_number"
    TRANSFER = "transfer"


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


@dataclass(frozen=True)
class Found:
    """A difference; `child` is None where the child is in the file alone, whose name is then `there`."""

    kind: DifferenceKind
    class_name: str | None
    child: RollChild | None
    here: str | None = None
    there: str | None = None


def compare(question: Question, national: Sequence[NationalRow]) -> Report:
    """Lay the roll of the question's kindergarten beside a file of the national one.

    Keeps since when each child's entry differs; the report shows it.  Open transfers stand in it with their own clock.
    """
    day = roll.day_within(question.school_year, question.now)
    found, here = _found(question, {index_of(row.id_number): row for row in national}, day)
    since = _keep(question, found, here=here, there=len(national))
    rows = [*(_row(each, since, day) for each in found), *_open_transfers(question, day)]
    return replace(DIFFERENCES, rows=lambda _asked: rows)


def _found(question: Question, there: dict[bytes, NationalRow], day: dt.date) -> tuple[list[Found], int]:
    """The differences, and how many children are on roll."""
    found: list[Found] = []
    on_roll = question.session.execute(_rows_of(question).where(on_roll_condition(day))).all()
    for _place, _level, name, child in on_roll:
        if child.id_index is None:
            found.append(Found(DifferenceKind.NO_NUMBER, name, child))
            continue
        other = there.pop(child.id_index, None)
        if other is None:
            found.append(Found(DifferenceKind.MISSING_THERE, name, child))
            continue
        if "".join(other.name.split()) != "".join(child.name.split()):
            found.append(Found(DifferenceKind.NAME, name, child, child.name, other.name))
        if other.born is not None and other.born != child.born:
            born = child.born.isoformat() if child.born else None
            found.append(Found(DifferenceKind.BORN, name, child, born, other.born.isoformat()))
    found += [Found(DifferenceKind.MISSING_HERE, None, None, None, row.name) for row in there.values()]
    return found, len(on_roll)


def _keep(question: Question, found: Sequence[Found], *, here: int, there: int) -> dict[tuple[uuid.UUID, str], dt.date]:
    """Replace what the comparison before found; a difference that is still there keeps its first day."""
    session, place, year = question.session, question.kindergarten_id, question.school_year
    if place is None:
        raise NotFound("kindergarten")
    now_found = {(each.child.id, each.kind.value) for each in found if each.child is not None}
    kept = {
        (each.roll_child_id, each.kind): each.since
        for each in session.scalars(select(Difference).where(Difference.kindergarten_id == place))
    }
    gone = tuple_(Difference.roll_child_id, Difference.kind).in_(list(kept.keys() - now_found))
    session.execute(delete(Difference).where(Difference.kindergarten_id == place, gone))
    for child, kind in sorted(now_found - kept.keys(), key=str):
        fresh = insert(Difference).values(
            roll_child_id=child, kind=kind, kindergarten_id=place, school_year=year, since=question.day
        )
        session.execute(fresh.on_conflict_do_nothing())
        kept[child, kind] = question.day
    values = {
        "here": here, "there": there, "compared_by": question.by.account_id, "compared_at": question.now,
        "missing_here": sum(each.kind == DifferenceKind.MISSING_HERE for each in found),
    }  # fmt: skip
    newest = insert(Comparison).values(kindergarten_id=place, school_year=year, **values)
    session.execute(newest.on_conflict_do_update(index_elements=["kindergarten_id", "school_year"], set_=values))
    return kept


def _row(each: Found, since: dict[tuple[uuid.UUID, str], dt.date], day: dt.date) -> Row:
    if each.child is None:
        return (each.there, None, each.kind, None, each.there, None, None, None, None)
    entered, due = each.child.entered_on, record_by(each.child.entered_on)
    has_clock = each.kind in (DifferenceKind.NO_NUMBER, DifferenceKind.MISSING_THERE)
    clock = ("late" if due < day else "open") if has_clock else None
    first = since.get((each.child.id, each.kind.value))
    return (each.child.name, each.class_name, each.kind, each.here, each.there, entered, due, clock, first)


def _open_transfers(question: Question, day: dt.date) -> Iterable[Row]:
    """Transfers from or to the kindergarten that are not finished; the law gives them ten working days."""
    lines = transfers.listing(question.session, by=question.by, kindergarten_id=question.kindergarten_id)
    for each in lines:
        due = each.transfer.due_on
        yield (
            each.child.name, each.old_class.name, DifferenceKind.TRANSFER, each.from_kindergarten.name, each.to_kindergarten.name,
            each.child.entered_on, due, "late" if due < day else "open", today(each.transfer.asked_at),
        )  # fmt: skip


DIFFERENCES = Report(
    "roll_differences",
    (
        Column("child", names=True), Column("class"), Column("difference", Kind.CODE, "roll_difference"),
        Column("here", names=True), Column("there", names=True), Column("entered_on", Kind.DAY),
        Column("record_by", Kind.DAY), Column("clock", Kind.CODE, "roll_clock"), Column("differs_since", Kind.DAY),
    ),
    lambda _asked: (),
    widest=Width.KINDERGARTEN,
)  # fmt: skip
"""Its rows come from a comparison."""
