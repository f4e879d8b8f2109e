"""Rows as records: every cell is read by the reader of its column, every fault is recorded with its place."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from enrollment.ground.errors import Refused
from enrollment.places.imports.faults import CellError, FaultList, ImportFault, ImportFaults
from enrollment.places.imports.files.limits import refuse
from enrollment.places.imports.files.sheet_parser import BadCell, HiddenCells
from enrollment.places.imports.headers import FileTables, HeaderTable, UnreadSheet, is_unit, normalise_header

Progress = Callable[[int, int, str], None]
"""Called with rows done, rows in all, and the code of the step; it raises to stop the import."""

EVERY = 2000
"""Rows between two reports of progress."""

MOST_LISTED = 60_000
"""Rows of a list that is compared as a whole; the roll is read as a stream."""

EXAMPLES = 20
_sum = re.compile(
    r"(?:本页|本园|本班|各班|各园|全园|全区|全市|全县|年级|班级)?"
    r"(合计|总计|小计|共计|总数|汇总|累计|total|sum|subtotal|grandtotal)[:：]?[\d.,()（）所人个名班园全市区县]*",
    re.IGNORECASE,
)
_remark = re.compile(
    r"(注|备注|说明|填表说明|填报说明)\d{0,2}[:：.、]|(填表人|填报人|制表|审核人|单位负责人|统计负责人|报出日期|填表日期|联系人)"
)
_numbered_note = re.compile(r"[(]?\d{1,2}[.、)](?=[^\d.])")
_example = re.compile(r"(示例|例如|example)", re.IGNORECASE)


@dataclass
class FileReading:
    """What of a file was read and what was not, for the report.  `left_out` are examples of (place, reason, text), `hidden`
    are examples of the places of rows that were read although nobody sees them.
    """

    sheets: list[tuple[str, int]] = field(default_factory=list)
    unread: list[UnreadSheet] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    left_out_count: int = 0
    hidden: list[str] = field(default_factory=list)
    hidden_count: int = 0


@dataclass(slots=True)
class Place:
    """Where a row stands: `line` as the spreadsheet counts."""

    line: int
    table: HeaderTable
    faulty: bool = False


@dataclass(slots=True)
class Record(Place):
    """One row: `values` by key, None where the cell is empty or faulty."""

    values: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.values.get(key)

    def has(self, key: str) -> bool:
        """Whether the sheet of the row has this column."""
        return key in self.table.place


class Records:
    """The rows of a file.  Iterating reads them once, as a stream."""

    def __init__(self, tables: FileTables, progress: Progress | None = None):
        self.tables = tables
        self.faults = FaultList()
        self.reading = FileReading(unread=tables.unread, ignored=tables.unknown)
        self._progress = progress or (lambda _done, _of, _step: None)

    def __iter__(self) -> Iterator[Record]:
        done, of = 0, self.tables.length
        for table in self.tables.tables:
            first = done
            for line, cells in table.rows:
                if done % EVERY == 0:
                    self._progress(done, max(of, done), "reading")
                done += 1
                reason = _left_out(table, cells)
                if reason is None:
                    if type(cells) is HiddenCells:
                        self._note_hidden(table, line)
                    yield self._record(table, line, cells)
                elif reason:
                    self._leave_out(table, line, reason, cells)
            self.reading.sheets.append((table.sheet, done - first))

    def step(self, done: int, of: int, code: str) -> None:
        self._progress(done, of, code)

    def all(self) -> list[Record]:
        """Every row at once, for lists of kindergartens and their plans."""
        found: list[Record] = []
        for record in self:
            found.append(record)
            if len(found) > MOST_LISTED:
                raise refuse("too_many_rows", rows=self.tables.length, most=MOST_LISTED)
        return found

    def place_of(self, record: Place, key: str | None = None) -> str:
        return self._fault_at(record, key, "", {}).cell

    def fault(self, record: Place, key: str, code: str, *, group: str = "import_fault", **details: Any) -> None:
        """Record a fault of a row at the column of `key`, or at the row if the file has no such column."""
        record.faulty = True
        self.faults.add(self._fault_at(record, key, code, details, group))

    def _fault_at(
        self, record: Place, key: str | None, code: str, details: dict[str, Any], group: str = "import_fault"
    ) -> ImportFault:
        table = record.table
        heading = ""
        if key is not None:
            heading = table.headings.get(key) or next(c.names[0] for c in table.columns if c.key == key)
        sheet = table.sheet if self.tables.is_named else ""
        return ImportFault(code, record.line, table.place.get(key or ""), heading, details, group, sheet)

    def repetition(self, record: Place, key: str, code: str, first: Place) -> None:
        """Record that a row says again, or otherwise, what the row `first` says.  Lines begin anew on each sheet, so a row of
        another sheet is named with it.
        """
        sheet = {} if first.table is record.table else {"sheet": first.table.sheet}
        self.fault(record, key, code, first=first.line, **sheet)

    def refusal(self, record: Record, key: str, refused: Refused) -> None:
        """Record a refusal by a rule of the domain."""
        self.fault(record, key, refused.code, group="error", **refused.details)

    def stop_at_faults(self) -> None:
        if self.faults.total:
            raise ImportFaults(self.faults)

    def _record(self, table: HeaderTable, line: int, cells: list[Any]) -> Record:
        record = Record(line, table)
        values = record.values
        width = len(cells)
        for column, place in table.layout:
            cell = cells[place] if place < width else ""
            try:
                if cell is BadCell.FORMULA_ERROR:
                    raise CellError("formula_error")
                if cell is BadCell.WITHOUT_VALUE:
                    raise CellError("formula_without_value")
                value = column.read(cell) if cell != "" else None
                if value is None and column.required:
                    raise CellError("value_missing")
            except CellError as bad:
                value = None
                self.fault(record, column.key, bad.code, **bad.details)
            values[column.key] = value
        return record

    def _note_hidden(self, table: HeaderTable, line: int) -> None:
        reading = self.reading
        reading.hidden_count += 1
        if len(reading.hidden) < EXAMPLES:
            reading.hidden.append(self._line_of(table, line))

    def _line_of(self, table: HeaderTable, line: int) -> str:
        return f"{table.sheet}!{line}" if self.tables.is_named else str(line)

    def _leave_out(self, table: HeaderTable, line: int, reason: str, cells: list[Any]) -> None:
        reading = self.reading
        reading.left_out_count += 1
        if len(reading.left_out) < EXAMPLES:
            text = " ".join(
                dict.fromkeys(
                    f"{cell:g}" if isinstance(cell, float) else str(cell).strip() for cell in cells if cell != ""
                )
            )
            reading.left_out.append((self._line_of(table, line), reason, text[:60]))


def _left_out(table: HeaderTable, cells: list[Any]) -> str | None:
    """Why a row is none of the list (`sum`, `remark`, `example`, `header`), `""` for an empty one; None for a row.

    A row with a code of its own is a row, whatever its first cell says; but no class and no level is called a sum.
    """
    first = ""
    for cell in cells:
        first = str(cell).strip()
        if first:
            break
    else:
        return ""
    if len(table.headings) > 1 and _repeats_header(table, cells):
        return "header"
    if _is_sum(_cell_of(table, cells, "class_name")) or _is_sum(_cell_of(table, cells, "level")):
        return "sum"
    code = _cell_of(table, cells, "code")
    if code and code != first:
        return None
    if _is_sum(_cell_of(table, cells, "name")) or _is_sum(first):
        return "sum"
    compact = _compact(first)
    if _example.match(compact):
        return "example"
    is_note = _numbered_note.match(compact) and len({str(cell).strip() for cell in cells} - {""}) == 1
    return "remark" if is_note or _remark.match(compact) else None


def _cell_of(table: HeaderTable, cells: list[Any], key: str) -> str:
    place = table.place.get(key)
    return str(cells[place]).strip() if place is not None and place < len(cells) else ""


@lru_cache(maxsize=16_384)
def _is_sum(written: str) -> bool:
    return _sum.fullmatch(_compact(written)) is not None


def _compact(written: str) -> str:
    return "".join(unicodedata.normalize("NFKC", written).split())


def _repeats_header(table: HeaderTable, cells: list[Any]) -> bool:
    """Whether the cells are the headings again, or units such as （人） below them.  In another unit they begin another list."""
    same = 0
    for place, heading in table.normal_headings:
        cell = cells[place] if place < len(cells) else ""
        if normalise_header(cell) == heading:
            same += 1
        elif not is_unit(cell):
            return False
    if not same:
        return False
    return not any(
        column.other_unit(cells[place]) for column, place in table.layout if column.unit and place < len(cells)
    )
