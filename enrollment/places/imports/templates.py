"""Templates to download: a sheet to fill in, with required marks, lists to choose from and an example, and explanations."""

import io
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from enrollment.places.imports.headers import Column
from enrollment.places.imports.importer import MODULES
from enrollment.places.spreadsheets import write_text

SHEET, EXPLAINED, LISTS = "填写", "填写说明", "选项"
FILLED_ROWS = 5000
"""Rows in which a list of choices is offered."""

EXAMPLE = "示例"
"""The first cell of the example begins with it, so the import leaves the row out."""


@dataclass(frozen=True)
class Texts:
    """`headings` name column, needed, example, meaning; `required` explains the mark, `invalid` a value that is no choice,
    `example` the row of the example.
    """

    headings: tuple[str, str, str, str]
    required: str
    invalid: str
    example: str


def template(kind: str, explanations: dict[str, str], texts: Texts) -> bytes:
    """An xlsx file.  `explanations` tells each column's key in words."""
    columns = MODULES[kind].COLUMNS
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    _fill_in_sheet(book, columns, texts)
    _explanations(book, columns, explanations, texts)
    _choices(book, columns)
    book.close()
    return content.getvalue()


def _fill_in_sheet(book: Any, columns: tuple[Column, ...], texts: Texts) -> None:
    plain = book.add_format({"bold": True, "bg_color": "#E6F1F3", "border": 1})
    needed = book.add_format({"bold": True, "bg_color": "#F9DCD8", "border": 1})
    as_text = book.add_format({"num_format": "@"})
    grey = book.add_format({"italic": True, "font_color": "#5B6770", "num_format": "@"})
    sheet = book.add_worksheet(SHEET)
    sheet.freeze_panes(1, 0)
    for index, column in enumerate(columns):
        title = f"{column.names[0]}*" if column.required else column.names[0]
        write_text(sheet, 0, index, title, needed if column.required else plain)
        if column.required:
            sheet.write_comment(0, index, texts.required)
        sheet.set_column(index, index, max(12, 2 * len(title) + 2), as_text)
        example = f"{EXAMPLE} {column.example}" if index == 0 else column.example
        write_text(sheet, 1, index, example, grey)
        if column.choices:
            rule = {
                "validate": "list", "source": f"={LISTS}!${_letters(index)}$2:${_letters(index)}${len(column.choices) + 1}",
                "error_type": "warning", "error_title": column.names[0], "error_message": texts.invalid[:255],
            }  # fmt: skip
            sheet.data_validation(2, index, FILLED_ROWS, index, rule)
    sheet.write_comment(1, 0, texts.example)


def _explanations(book: Any, columns: tuple[Column, ...], explanations: dict[str, str], texts: Texts) -> None:
    bold = book.add_format({"bold": True, "bg_color": "#E6F1F3", "border": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    notes = book.add_worksheet(EXPLAINED)
    notes.set_column(0, 2, 18)
    notes.set_column(3, 3, 70)
    for index, heading in enumerate(texts.headings):
        write_text(notes, 0, index, heading, bold)
    for line, column in enumerate(columns, start=1):
        meaning = explanations[column.key]
        if column.choices:
            meaning = f"{meaning}\n{'、'.join(column.choices)}"
        for index, cell in enumerate((column.names[0], "✓" if column.required else "", column.example, meaning)):
            write_text(notes, line, index, cell, wrapped)


def _choices(book: Any, columns: tuple[Column, ...]) -> None:
    """The lists to choose from, each in the column of its own; names of areas among them."""
    sheet = book.add_worksheet(LISTS)
    for index, column in enumerate(columns):
        for line, choice in enumerate((column.names[0], *column.choices) if column.choices else ()):
            write_text(sheet, line, index, choice)
    sheet.hide()


def _letters(index: int) -> str:
    return chr(ord("A") + index)
