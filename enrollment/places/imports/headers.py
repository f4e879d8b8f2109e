"""Recognition of the header row: Chinese or English headers, in any order, below title rows."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from enrollment.places.imports.faults import ImportFault, ImportFaults
from enrollment.places.imports.sheet_reader import Sheet

SEARCHED_ROWS = 20
_brackets = re.compile(r"[(\[【<].*?[)\]】>]")
_noise = re.compile(r"[\s*:_\-/、.]+")


@dataclass(frozen=True)
class Column:
    """`names` are accepted headers, the first one is printed in templates; `read` converts a cell."""

    key: str
    names: tuple[str, ...]
    read: Callable[[Any], Any]
    required: bool = False
    example: str = ""


@dataclass
class HeaderTable:
    """The rows below the header.  `place` maps a key to its column index; `unknown` are ignored headers."""

    columns: tuple[Column, ...]
    rows: list[tuple[int, list[Any]]]
    place: dict[str, int]
    headings: dict[str, str]
    errors: set[tuple[int, int]]
    unknown: list[str] = field(default_factory=list)

    def has(self, key: str) -> bool:
        return key in self.place


def normalise_header(header: Any) -> str:
    """`保教费（元/月）*` → `保教费`."""
    text = unicodedata.normalize("NFKC", str(header)).casefold()
    return _noise.sub("", _brackets.sub("", text)) or _noise.sub("", text)


def find_table(sheets: list[Sheet], columns: tuple[Column, ...]) -> HeaderTable:
    """The rows of the sheet with the best header row.

    Raises ImportFaults: `header_missing` when no row looks like a header, else one `column_missing` or `column_twice`
    for each column concerned.
    """
    known = {normalise_header(name): column.key for column in columns for name in column.names}
    best: tuple[int, Sheet, int] | None = None
    for sheet in sheets:
        for number, row in enumerate(sheet.rows[:SEARCHED_ROWS]):
            hits = len({known[normalise_header(cell)] for cell in row if normalise_header(cell) in known})
            if hits >= 2 and (best is None or hits > best[0] or (hits == best[0] and sheet is best[1])):
                best = (hits, sheet, number)
    if best is None:
        wanted = "、".join(column.names[0] for column in columns if column.required)
        raise ImportFaults([ImportFault("header_missing", details={"columns": wanted})])
    _hits, sheet, number = best
    return _table_under(sheet, number, columns, known)


def _table_under(sheet: Sheet, number: int, columns: tuple[Column, ...], known: dict[str, str]) -> HeaderTable:
    place: dict[str, int] = {}
    headings: dict[str, str] = {}
    unknown: list[str] = []
    faults: list[ImportFault] = []
    for index, cell in enumerate(sheet.rows[number]):
        text = " ".join(str(cell).split())
        key = known.get(normalise_header(cell))
        if key is None:
            unknown += [text] if text else []
        elif key in place:
            faults.append(ImportFault("column_twice", number + 1, index, text, {"first": headings[key]}))
        else:
            place[key], headings[key] = index, text
    for column in columns:
        if column.required and column.key not in place:
            faults.append(ImportFault("column_missing", number + 1, None, column.names[0], {"column": column.names[0]}))
    if faults:
        raise ImportFaults(faults)
    below = enumerate(sheet.rows[number + 1 :], start=number + 2)
    rows = [(line, row) for line, row in below if any(str(cell).strip() for cell in row)]
    if not rows:
        raise ImportFaults([ImportFault("no_rows", number + 1)])
    return HeaderTable(columns, rows, place, headings, sheet.errors, unknown)
