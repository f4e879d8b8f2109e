"""Spreadsheets for download.  A cell is text or a number, never a formula, whatever a user typed."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter

NOT_IN_A_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
NEGATIVE = re.compile(r"-\d+(\.\d+)?")
"""A number is no formula, and a reader of the file needs it as a number."""


REWRITTEN = re.compile(r"0\d+|\d{12,}|\d{1,2}[-/.]\d{1,2}([-/.]\d{1,4})?|\d+[eE]\d+")
"""Texts that a spreadsheet program takes for a number or a day when it opens a CSV file: 0510 becomes 510, 1-2 a day of January.
A CSV file has no kinds of cells to forbid it (ADR 72); a workbook has, and holds them as text."""


def is_rewritten(cell: Any) -> bool:
    """Whether a spreadsheet program changes this cell of a CSV file."""
    return isinstance(cell, str) and REWRITTEN.fullmatch(cell) is not None


def write_text(sheet, row: int, column: int, value: str, form=None) -> None:
    sheet.write_string(row, column, value, form)


def to_xlsx(
    title: str, head: Sequence[str], rows: Iterable[Sequence[Any]], *, notes: Sequence[str] = (), about: str = "说明"
) -> bytes:
    """A workbook with one sheet; numbers stay numbers, other values become text.  `notes` are lines of a second sheet,
    which is named `about`."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True, "bg_color": "#E6F1F3", "border": 1})
    sheet = book.add_worksheet(NOT_IN_A_SHEET_NAME.sub(" ", title)[:31])
    sheet.freeze_panes(1, 0)
    for index, name in enumerate(head):
        write_text(sheet, 0, index, name, bold)
        sheet.set_column(index, index, max(10, 2 * len(name) + 2))
    for line, row in enumerate(rows, start=1):
        for index, value in enumerate(row):
            if isinstance(value, int | float) and not isinstance(value, bool):
                sheet.write_number(line, index, value)
            elif value is not None:
                write_text(sheet, line, index, str(value))
    if notes:
        beside = book.add_worksheet(about[:31])
        beside.set_column(0, 0, 90)
        for line, note in enumerate(notes):
            write_text(beside, line, 0, note)
        sheet.set_footer("&L" + notes[-1].replace("&", "&&")[:200])
    book.close()
    return content.getvalue()


def to_csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """CSV in UTF-8 with a byte order mark; a cell that would be a formula is prefixed with an apostrophe."""
    content = io.StringIO()
    writer = csv.writer(content)
    writer.writerow([escape_formula(cell) for cell in head])
    writer.writerows([[escape_formula(cell) for cell in row] for row in rows])
    return content.getvalue().encode("utf-8-sig")


def escape_formula(cell: Any) -> Any:
    if isinstance(cell, str) and cell.startswith(DANGEROUS) and not NEGATIVE.fullmatch(cell):
        return "'" + cell
    return "" if cell is None else cell
