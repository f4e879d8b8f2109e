"""Reading of sheets: xlsx with calamine, csv in UTF-8, GB 18030 or UTF-16."""

import csv
import io
from dataclasses import dataclass, field
from typing import Any

import python_calamine

from enrollment.places.imports import safe_workbook
from enrollment.places.imports.safe_workbook import MOST_BYTES, MOST_CELLS, MOST_COLUMNS, MOST_ROWS, refuse

ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
ENCODINGS = ("utf-8-sig", "gb18030")
SEPARATORS = ",\t;，"


@dataclass
class Sheet:
    """`rows[0]` is the spreadsheet's row 1.  Merged cells are filled with their value.  `errors` are cells (row from 1,
    column from 0) whose formula failed.
    """

    rows: list[list[Any]]
    errors: set[tuple[int, int]] = field(default_factory=set)


def read(content: bytes) -> list[Sheet]:
    """The sheets of a file that have content.  Raises ImportFaults if it is unsupported, damaged or too large."""
    if len(content) > MOST_BYTES:
        raise refuse("file_too_large", most=MOST_BYTES // 1024 // 1024)
    if not content.strip():
        raise refuse("file_empty")
    if content.startswith(OLD_EXCEL):
        raise refuse("file_is_old_excel")
    sheets = _from_xlsx(content) if content.startswith(ZIP) else [_from_csv(content)]
    sheets = [sheet for sheet in sheets if any(any(cell != "" for cell in row) for row in sheet.rows)]
    if not sheets:
        raise refuse("file_empty")
    return sheets


def _from_xlsx(content: bytes) -> list[Sheet]:
    copy, errors = safe_workbook.safe_copy(content)
    try:
        book = python_calamine.load_workbook(io.BytesIO(copy))
        visible = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == python_calamine.SheetVisibleEnum.Visible
            and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        return [_fill_merged_cells(book.get_sheet_by_name(name), errors) for name in visible]
    except python_calamine.CalamineError as fault:
        raise refuse("file_damaged") from fault


def _fill_merged_cells(sheet, errors: set[tuple[int, int]]) -> Sheet:
    rows = sheet.to_python(skip_empty_area=False)
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if top >= len(rows) or left >= len(rows[top]):
            continue
        value = rows[top][left]
        for row in rows[top : bottom + 1]:
            row[left : right + 1] = [value] * len(row[left : right + 1])
    return Sheet(rows, errors)


def _from_csv(content: bytes) -> Sheet:
    text = _decode(content)
    rows: list[list[Any]] = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=False):
            cells += len(row)
            if len(rows) >= MOST_ROWS:
                raise refuse("too_many_rows", rows=text.count("\n"), most=MOST_ROWS)
            if len(row) > MOST_COLUMNS:
                raise refuse("too_many_columns", columns=len(row), most=MOST_COLUMNS)
            if cells > MOST_CELLS:
                raise refuse("too_many_cells", most=MOST_CELLS)
            rows.append(list(row))
    except csv.Error as fault:
        raise refuse("file_damaged") from fault
    return Sheet(rows)


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise refuse("file_not_text")


def _separator(text: str) -> str:
    """The separator that is most frequent in the first lines."""
    beginning = text[:4000]
    return max(SEPARATORS, key=beginning.count)
