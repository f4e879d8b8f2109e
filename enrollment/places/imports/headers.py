"""Recognition of header rows: Chinese or English headers, in any order, below title rows, in every sheet of the file."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from typing import Any

from enrollment.places.imports.faults import ImportFault, ImportFaults
from enrollment.places.imports.files.sheet_parser import RepeatedNumber, RepeatedText, Row
from enrollment.places.imports.files.sheet_reader import Sheet
from enrollment.places.imports.units import Unit, money_of_title, units_of_heading

SEARCHED_ROWS = 100
MOST_NAMED = 40
"""Headers that a sentence names at most."""

_brackets = re.compile(r"[(\[【<].*?[)\]】>]")
_unit = re.compile(r"\(.*\)")
_noise = re.compile(r"[\s*:_\-/、.\u200b\ufeff]+")


@dataclass(frozen=True)
class Column:
    """`names` are accepted headers, the first one is printed in templates; `read` converts a cell.  `choices` are what a
    template lets the clerk choose from.
    """

    key: str
    names: tuple[str, ...]
    read: Callable[[Any], Any]
    required: bool = False
    example: str = ""
    choices: tuple[str, ...] = ()

    @property
    def unit(self) -> Unit | None:
        """The unit of a column of numbers."""
        return getattr(self.read, "unit", None)

    def other_unit(self, heading: Any) -> str | None:
        """The unit in the brackets of a heading, or of a cell below it, in which the column cannot be read."""
        if self.unit is None:
            return None
        return next((text for text, told in units_of_heading(str(heading)) if self.unit.refuses(told)), None)


@dataclass
class HeaderTable:
    """The rows below the header of one sheet.  `place` maps a key to its column; `unknown` are ignored headers."""

    sheet: str
    columns: tuple[Column, ...]
    line: int
    rows: Iterator[Row]
    place: dict[str, int]
    headings: dict[str, str]
    length: int = 0
    unknown: list[str] = field(default_factory=list)

    @cached_property
    def layout(self) -> list[tuple[Column, int]]:
        """The columns that the sheet has, with their places."""
        return [(column, self.place[column.key]) for column in self.columns if column.key in self.place]

    @cached_property
    def normal_headings(self) -> list[tuple[int, str]]:
        """The headings, by their places, in the form in which they are compared."""
        return [(place, normalise_header(self.headings[key])) for key, place in self.place.items()]

    def has(self, key: str) -> bool:
        return key in self.place


@dataclass(frozen=True)
class UnreadSheet:
    """A sheet with content that is not read, and why: a code of the texts `import_unread`."""

    name: str
    reason: str
    column: str = ""


@dataclass
class FileTables:
    """The tables of a file's sheets, one at least.  `is_named` tells whether places need the name of their sheet."""

    columns: tuple[Column, ...]
    tables: list[HeaderTable]
    unread: list[UnreadSheet]

    @property
    def is_named(self) -> bool:
        return len(self.tables) > 1

    @property
    def length(self) -> int:
        return sum(table.length for table in self.tables)

    @property
    def unknown(self) -> list[str]:
        return list(dict.fromkeys(name for table in self.tables for name in table.unknown))

    def has(self, key: str) -> bool:
        return any(table.has(key) for table in self.tables)


def normalise_header(header: Any) -> str:
    """`保教费（元/月）*` → `保教费`."""
    text = unicodedata.normalize("NFKC", str(header)).casefold()
    return _noise.sub("", _brackets.sub("", text)) or _noise.sub("", text)


def is_unit(cell: Any) -> bool:
    """Whether a cell below a heading is its unit: （人）, (万元)."""
    written = str(cell).strip()
    return (
        written[:1] in ("(", "（")
        and _unit.fullmatch("".join(unicodedata.normalize("NFKC", written).split())) is not None
    )


def _other_units(
    columns: tuple[Column, ...], place: dict[str, int], headings: dict[str, str], *, titles: list[Row], told: list[Row]
) -> Iterator[ImportFault]:
    """Columns whose numbers stand in another unit: by their heading, by the cell below it, or by `单位：元` above it."""
    of_titles = [each for _line, cells in titles for cell in cells for each in money_of_title(str(cell))]
    for column in columns:
        unit, at = column.unit, place.get(column.key)
        if unit is None or at is None:
            continue
        found = [(line, text) for line, cells in told if at < len(cells) and (text := column.other_unit(cells[at]))]
        if not found and unit.is_money and not _tells_unit(told, at):
            found = [(told[0][0], text) for text, each in of_titles if unit.refuses(each)]
        for line, text in found[:1]:
            yield ImportFault(
                "heading_unit", line, at, headings[column.key], {"wanted": unit.wanted, "told": text[:30]}
            )


def _tells_unit(told: list[Row], column: int) -> bool:
    """Whether a heading, or the cell below it, has a unit of its own, which counts more than one above the table."""
    return any(
        any(True for _each in units_of_heading(str(cells[column]))) for _line, cells in told if column < len(cells)
    )


def _has_own_values(rows: list[Row], column: int) -> bool:
    """Whether a column below the second part of a merged header has more than the merged cells of the column before it."""
    found = ((cells[column], cells[column - 1]) for _line, cells in rows if column < len(cells))
    return any(
        cell != "" and not isinstance(cell, RepeatedNumber | RepeatedText) and cell is not left for cell, left in found
    )


def find_tables(sheets: list[Sheet], columns: tuple[Column, ...]) -> FileTables:
    """Every sheet whose header has the columns that are needed; the others are named.

    Raises ImportFaults when no sheet can be read: `only_hidden` when the list stands on hidden sheets, `header_missing` when no row
    looks like a header, else the faults of the header that looks most like one.
    """
    known = {normalise_header(name): column.key for column in columns for name in column.names}
    tables: list[HeaderTable] = []
    unread: list[UnreadSheet] = []
    refused: list[tuple[int, list[ImportFault]]] = []
    several = len(sheets) > 1
    read_rows: list[Row] = []
    for sheet in sheets:
        rows = sheet.rows()
        head = list(islice(rows, SEARCHED_ROWS))
        read_rows += head[:1]
        found = _header_row(head, known)
        if not head:
            continue
        if found is None:
            unread.append(UnreadSheet(sheet.name, "no_header"))
            continue
        hits, index = found
        table, faults = _table(sheet, head, index, rows, columns, known)
        if sheet.is_hidden:
            unread.append(UnreadSheet(sheet.name, "hidden"))
        elif faults:
            refused.append((hits, [_in_sheet(fault, sheet.name if several else "") for fault in faults]))
            column = next((fault.heading for fault in faults if fault.code == "column_missing"), "")
            unread.append(UnreadSheet(sheet.name, faults[0].code, column))
        else:
            tables.append(table)
    if tables:
        return FileTables(columns, tables, unread)
    if refused:
        raise ImportFaults(max(refused, key=lambda each: each[0])[1])
    if hidden := [sheet.name for sheet in unread if sheet.reason == "hidden"]:
        raise ImportFaults([ImportFault("only_hidden", details={"sheets": "、".join(hidden[:MOST_NAMED])})])
    if not read_rows:
        raise ImportFaults([ImportFault("file_empty")])
    wanted = "、".join(column.names[0] for column in columns if column.required) or "、".join(
        column.names[0] for column in columns[:4]
    )
    details = {"columns": wanted, "read": _named(read_rows[0][1]), "rows": SEARCHED_ROWS}
    raise ImportFaults([ImportFault("header_missing", details=details)])


def _in_sheet(fault: ImportFault, sheet: str) -> ImportFault:
    return ImportFault(fault.code, fault.row, fault.column, fault.heading, fault.details, fault.group, sheet)


def _named(cells: list[Any]) -> str:
    """The headers that were read, for a sentence."""
    texts = list(dict.fromkeys(text for cell in cells if (text := " ".join(str(cell).split()))))
    return "、".join(text[:20] for text in texts[:MOST_NAMED]) + ("…" if len(texts) > MOST_NAMED else "")


def _header_row(head: list[Row], known: dict[str, str]) -> tuple[int, int] | None:
    """(Number of known headers, index in `head`) of the row that looks most like a header, if any does."""
    best: tuple[int, int] | None = None
    for index, (_line, cells) in enumerate(head):
        hits = len({known[name] for cell in cells if (name := normalise_header(cell)) in known})
        if hits >= 2 and (best is None or hits > best[0]):
            best = (hits, index)
    return best


def _table(
    sheet: Sheet, head: list[Row], index: int, rest: Iterator[Row], columns: tuple[Column, ...], known: dict[str, str]
) -> tuple[HeaderTable, list[ImportFault]]:
    line, cells = head[index]
    place: dict[str, int] = {}
    headings: dict[str, str] = {}
    unknown: list[str] = []
    faults: list[ImportFault] = []
    for column_index, cell in enumerate(cells):
        text = " ".join(str(cell).split())
        key = known.get(normalise_header(cell))
        if key is None:
            unknown += [text] if text else []
        elif key in place:
            if isinstance(cell, RepeatedText):
                if _has_own_values(head[index + 1 :], column_index):
                    faults.append(ImportFault("header_split", line, column_index, text, {"column": text}))
            else:
                faults.append(ImportFault("column_twice", line, column_index, text, {"first": headings[key]}))
        else:
            place[key], headings[key] = column_index, text
    for column in columns:
        if column.required and column.key not in place:
            details = {"column": column.names[0], "read": _named(cells)}
            faults.append(ImportFault("column_missing", line, None, column.names[0], details))
    below = [row for row in head[index + 1 :] if any(str(cell).strip() for cell in row[1])]
    told = [(line, cells)]
    if below and all(is_unit(cell) for cell in below[0][1] if str(cell).strip()):
        told.append(below.pop(0))
    faults += _other_units(columns, place, headings, titles=head[:index], told=told)
    first = next(rest, None) if not below else None
    if first is not None:
        below = [first]
    if not below and not faults:
        faults.append(ImportFault("no_rows", line))
    rows = chain(below, rest)
    table = HeaderTable(sheet.name, columns, line, rows, place, headings, sheet.length, unknown)
    return table, faults
