"""Rows as records: every cell is read by the reader of its column, every fault is recorded with its place."""

from dataclasses import dataclass, field
from typing import Any

from enrollment.ground.errors import Refused
from enrollment.places.imports.faults import CellError, ImportFault, ImportFaults
from enrollment.places.imports.headers import HeaderTable

SUMS = ("合计", "总计", "小计", "共计", "注:", "注：", "备注", "说明", "填表人", "制表", "total")


@dataclass
class Record:
    """One row: `line` as the spreadsheet counts; `values` by key, None where the cell is empty or faulty."""

    line: int
    values: dict[str, Any]
    faulty: bool = False

    def __getitem__(self, key: str) -> Any:
        return self.values.get(key)


@dataclass
class Records:
    table: HeaderTable
    rows: list[Record] = field(default_factory=list)
    faults: list[ImportFault] = field(default_factory=list)

    def __iter__(self):
        return iter(self.rows)

    def fault(self, record: Record, key: str, code: str, *, group: str = "import_fault", **details: Any) -> None:
        """Record a fault of a row at the column of `key`, or at the row if the file has no such column."""
        place = self.table.place.get(key)
        heading = self.table.headings.get(key) or next(c.names[0] for c in self.table.columns if c.key == key)
        record.faulty = True
        self.faults.append(ImportFault(code, record.line, place, heading, details, group))

    def refusal(self, record: Record, key: str, refused: Refused) -> None:
        """Record a refusal by a rule of the domain."""
        self.fault(record, key, refused.code, group="error", **refused.details)

    def stop_at_faults(self) -> None:
        if self.faults:
            raise ImportFaults(self.faults)


def read(table: HeaderTable) -> Records:
    """Read every cell.  Rows with sums or remarks are skipped."""
    records = Records(table)
    for line, cells in table.rows:
        first = next(str(cell).strip() for cell in cells if str(cell).strip())
        if not first.casefold().startswith(SUMS):
            records.rows.append(_record(records, line, cells))
    return records


def _record(records: Records, line: int, cells: list[Any]) -> Record:
    record = Record(line, {})
    for column in records.table.columns:
        place = records.table.place.get(column.key)
        if place is None:
            continue
        cell = cells[place] if place < len(cells) else ""
        try:
            if (line, place) in records.table.errors:
                raise CellError("formula_error")
            value = column.read(cell)
            if value is None and column.required:
                raise CellError("value_missing")
        except CellError as bad:
            value = None
            records.fault(record, column.key, bad.code, **bad.details)
        record.values[column.key] = value
    return record
