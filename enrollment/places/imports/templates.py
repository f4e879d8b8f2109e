"""Templates to download: an empty sheet and a sheet that explains each column."""

import io

import xlsxwriter

from enrollment.places.imports.importer import MODULES
from enrollment.places.spreadsheets import write_text

SHEET, EXPLAINED = "填写", "填写说明"


def template(kind: str, explanations: dict[str, str], headings: tuple[str, str, str, str]) -> bytes:
    """An xlsx file.  `explanations` tells each column's key in words; `headings` name column, needed, example, meaning."""
    columns = MODULES[kind].COLUMNS
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True, "bg_color": "#E6F1F3", "border": 1})
    as_text = book.add_format({"num_format": "@"})
    sheet = book.add_worksheet(SHEET)
    sheet.freeze_panes(1, 0)
    for index, column in enumerate(columns):
        write_text(sheet, 0, index, column.names[0], bold)
        sheet.set_column(index, index, max(12, 2 * len(column.names[0]) + 2), as_text)
    notes = book.add_worksheet(EXPLAINED)
    notes.set_column(0, 2, 18)
    notes.set_column(3, 3, 70)
    for index, heading in enumerate(headings):
        write_text(notes, 0, index, heading, bold)
    for line, column in enumerate(columns, start=1):
        cells = (column.names[0], "✓" if column.required else "", column.example, explanations[column.key])
        for index, cell in enumerate(cells):
            write_text(notes, line, index, cell)
    book.close()
    return content.getvalue()
