"""Which column is which: headers in Chinese or English, in any order, under a title row or two."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from enrollment.places.imports.faults import Fault, ImportFaults
from enrollment.places.imports.sheet_reader import Sheet

SEARCHED_ROWS = 20
_in_brackets = re.compile(r"[(\[【<].*?[)\]】>]")
_noise = re.compile(r"[\s*:_\-/、.]+")


@dataclass(frozen=True)
class Column:
    """`names` are the headers that mean it, the first one being what the template prints; `read` turns a cell into a value."""

    key: str
    names: tuple[str, ...]
    read: Callable[[Any], Any]
    required: bool = False
    example: str = ""


@dataclass
class Table:
    """The rows below the header.  `place` says in which column of the file a key stands; `unknown` are ignored headers."""

    columns: tuple[Column, ...]
    rows: list[tuple[int, list[Any]]]
    place: dict[str, int]
    headings: dict[str, str]
    errors: set[tuple[int, int]]
    unknown: list[str] = field(default_factory=list)

    def has(self, key: str) -> bool:
        return key in self.place


def plain(header: Any) -> str:
    """`保教费（元/月）*` → `保教费`."""
    text = unicodedata.normalize("NFKC", str(header)).casefold()
    return _noise.sub("", _in_brackets.sub("", text)) or _noise.sub("", text)


def find_table(sheets: list[Sheet], columns: tuple[Column, ...]) -> Table:
    """The first sheet whose header names what is needed.

    Raises ImportFaults: `header_missing` when no row looks like a header, else one `column_missing` or `column_twice`
    for each column concerned.
    """
    known = {plain(name): column.key for column in columns for name in column.names}
    best: tuple[int, Sheet, int] | None = None
    for sheet in sheets:
        for number, row in enumerate(sheet.rows[:SEARCHED_ROWS]):
            hits = len({known[plain(cell)] for cell in row if plain(cell) in known})
            if hits >= 2 and (best is None or hits > best[0] or (hits == best[0] and sheet is best[1])):
                best = (hits, sheet, number)
    if best is None:
        wanted = "、".join(column.names[0] for column in columns if column.required)
        raise ImportFaults([Fault("header_missing", details={"columns": wanted})])
    _hits, sheet, number = best
    return _table_under(sheet, number, columns, known)


def _table_under(sheet: Sheet, number: int, columns: tuple[Column, ...], known: dict[str, str]) -> Table:
    place: dict[str, int] = {}
    headings: dict[str, str] = {}
    unknown: list[str] = []
    faults: list[Fault] = []
    for index, cell in enumerate(sheet.rows[number]):
        text = " ".join(str(cell).split())
        key = known.get(plain(cell))
        if key is None:
            unknown += [text] if text else []
        elif key in place:
            faults.append(Fault("column_twice", number + 1, index, text, {"first": headings[key]}))
        else:
            place[key], headings[key] = index, text
    for column in columns:
        if column.required and column.key not in place:
            faults.append(Fault("column_missing", number + 1, None, column.names[0], {"column": column.names[0]}))
    if faults:
        raise ImportFaults(faults)
    below = enumerate(sheet.rows[number + 1 :], start=number + 2)
    rows = [(line, row) for line, row in below if any(str(cell).strip() for cell in row)]
    if not rows:
        raise ImportFaults([Fault("no_rows", number + 1)])
    return Table(columns, rows, place, headings, sheet.errors, unknown)
