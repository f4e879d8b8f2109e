"""The clerk's own file with its faults marked, and the list of all faults."""

import datetime as dt
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import xlsxwriter

from enrollment.places.imports.faults import ImportFault, ImportFaults
from enrollment.places.imports.files import sheet_reader
from enrollment.places.imports.files.sheet_parser import BadCell
from enrollment.places.spreadsheets import to_csv, write_text

MOST_COPIED = 30_000
"""Rows of the copy; of a longer list only the rows with faults are copied, the first so many."""

MOST_COMMENTS = 1000
DATE_FORMAT = "yyyy-mm-dd"

Words = Callable[[ImportFault], str]
"""The text of a fault in the reader's language."""


def fault_list(faults: ImportFaults, words: Words, headings: tuple[str, str, str]) -> bytes:
    """A CSV file with every fault that is kept with its place; `headings` name place, column and what to do."""
    return to_csv(headings, ([fault.cell, fault.heading, words(fault)] for fault in faults.faults))


def marked(content: bytes, faults: ImportFaults, words: Words, heading: str) -> bytes | None:
    """A workbook with the sheets of the file: faulty cells are coloured and commented, and a last column, named
    `heading`, says what to do.  None if no fault has a row, so that there is nothing to mark.
    """
    by_row = _by_row(faults, words)
    if not by_row:
        return None
    sheets = sheet_reader.read(content)
    is_long = sum(sheet.length for sheet in sheets) > MOST_COPIED
    with_faults = {sheet for sheet, _row in by_row}
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    formats = {
        "fault": book.add_format({"bg_color": "#FBE3E0", "border": 1, "border_color": "#B3261E"}),
        "words": book.add_format({"font_color": "#B3261E", "text_wrap": True}),
        "heading": book.add_format({"bold": True, "font_color": "#B3261E"}),
        "date": book.add_format({"num_format": DATE_FORMAT}),
    }
    comments = left = 0
    for sheet in sheets:
        name = sheet.name if with_faults != {""} else ""
        if sheet.is_hidden or name not in with_faults:
            continue
        copy = book.add_worksheet(sheet.name[:31] or "Sheet1")
        copy.freeze_panes(1, 0)
        width = 0
        first_fault = min(row for in_sheet, row in by_row if in_sheet == name)
        for number, cells in sheet.rows():
            here = by_row.get((name, number), [])
            if (is_long and not here and number >= first_fault) or left >= MOST_COPIED:
                continue
            left += 1
            line = number - 1
            width = max(width, len(cells))
            _copy_row(copy, line, cells, formats["date"])
            for column, said in here:
                if column is not None:
                    _write(copy, line, column, cells[column] if column < len(cells) else "", formats["fault"])
                    if comments < MOST_COMMENTS:
                        copy.write_comment(line, column, said)
                        comments += 1
            if here:
                write_text(copy, line, width, "\n".join(said for _column, said in here), formats["words"])
            copy.set_column(width, width, 50)
        write_text(copy, 0, width, heading, formats["heading"])
    book.close()
    return target.getvalue()


def _by_row(faults: ImportFaults, words: Words) -> Mapping[tuple[str, int], list[tuple[int | None, str]]]:
    found: dict[tuple[str, int], list[tuple[int | None, str]]] = {}
    for fault in faults.faults:
        if fault.row is not None:
            heading = f"{fault.heading}：" if fault.heading else ""
            found.setdefault((fault.sheet, fault.row), []).append((fault.column, heading + words(fault)))
    return found


def _copy_row(copy: Any, line: int, cells: list[Any], date: Any) -> None:
    for column, cell in _filled(cells):
        _write(copy, line, column, cell, date if isinstance(cell, dt.datetime) else None)


def _filled(cells: list[Any]) -> Iterator[tuple[int, Any]]:
    return ((column, cell) for column, cell in enumerate(cells) if cell != "")


def _write(copy: Any, line: int, column: int, cell: Any, form: Any) -> None:
    if isinstance(cell, bool):
        copy.write_boolean(line, column, cell, form)
    elif isinstance(cell, float | int):
        copy.write_number(line, column, cell, form)
    elif isinstance(cell, dt.datetime):
        write_text(copy, line, column, f"{cell:%Y-%m-%d}", form)
    elif cell == "" or isinstance(cell, BadCell):
        copy.write_blank(line, column, None, form)
    else:
        write_text(copy, line, column, str(cell), form)
