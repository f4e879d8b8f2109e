"""The XML of a sheet and of the shared texts, as it comes in pieces."""

import datetime as dt
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from xml.parsers import expat

from enrollment.places.imports.files.limits import (
    LONG_CELL,
    LONGEST_CELL,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_LONG_TEXT,
    MOST_ROWS,
    refuse,
    too_large_unpacked,
)

LAST_DAY = 2_958_465
"""The serial number of the year 9999."""

Row = tuple[int, list[Any]]
"""A row's number from 1 and its cells."""


class BadCell(Enum):
    """A cell whose formula has no usable value."""

    FORMULA_ERROR = "formula_error"
    WITHOUT_VALUE = "formula_without_value"

    def __str__(self) -> str:
        return ""


PLAIN_NAMES = frozenset(("c", "v", "t", "is", "f", "row"))
"""Elements as spreadsheet programs write them, without a prefix."""


class RepeatedText(str):
    """The text of a merged cell, in a place that is not its first one."""

    __slots__ = ()


class RepeatedNumber(float):
    """The number of a merged cell, in a place that is not its first one."""

    __slots__ = ()


class DayNumber1904(float):
    """A number of a workbook whose days count from 1904."""

    __slots__ = ()


class HiddenCells(list[Any]):
    """The cells of a row that nobody sees, for example behind a filter."""

    __slots__ = ()


FIRST_DAY_OF_1904 = dt.datetime(1904, 1, 1)


def new_parser() -> Any:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_declaration: Any) -> None:
    raise refuse("file_damaged")


def local_name(name: str) -> str:
    return name.rpartition(":")[2]


def column_number(letters: str) -> int:
    """A → 0, Z → 25, AA → 26."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


class SharedTexts:
    """The shared texts of a workbook, without their phonetic readings."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._is_kept = self._is_reading = False
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        local = local_name(name)
        if local == "si":
            self._pieces = []
        elif local == "rPh":
            self._is_reading = True
        elif local == "t":
            self._is_kept = not self._is_reading

    def _text(self, text: str) -> None:
        if self._is_kept:
            self._pieces.append(text)

    def _end(self, name: str) -> None:
        local = local_name(name)
        if local == "t":
            self._is_kept = False
        elif local == "rPh":
            self._is_reading = False
        elif local == "si":
            text = "".join(self._pieces)
            if len(text) > LONGEST_CELL * 4:
                raise too_large_unpacked()
            self.found.append(text)


@dataclass
class SheetParser:
    strings: list[str]
    dates: frozenset[str]
    first_day: dt.datetime
    merged: dict[int, list[tuple[int, int, int]]]
    _ready: list[Row] = field(default_factory=list)
    _covering: list[tuple[int, int, int, int, Any]] = field(default_factory=list)
    _cells: list[Any] = field(default_factory=list)
    _row: int = 0
    _column: int = -1
    _kind: str = "n"
    _style: str = ""
    _formula: bool = False
    _value: bool = False
    _kept: bool = False
    _reading: bool = False
    _text: list[str] = field(default_factory=list)
    _count: int = 0
    _rows: int = 0
    _long: int = 0

    def __post_init__(self) -> None:
        self._columns: dict[str, int] = {}
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def feed(self, piece: bytes) -> list[Row]:
        self.parser.Parse(piece, False)
        ready, self._ready = self._ready, []
        return ready

    def close(self) -> list[Row]:
        self.parser.Parse(b"", True)
        return self._ready

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name if name in PLAIN_NAMES else local_name(name)
        if local == "c":
            place = attributes.get("r")
            self._column = self._column_of(place) if place else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._formula = self._value = False
            self._text = []
        elif local == "v":
            self._value = self._kept = True
        elif local == "row":
            number = attributes.get("r")
            self._row = int(number) if number else self._row + 1
            hidden = attributes.get("hidden", "0") in ("1", "true")
            self._cells, self._column = HiddenCells() if hidden else [], -1
        elif local == "t":
            self._kept = not self._reading
            self._value = True
        elif local == "f":
            self._formula = True
        elif local == "rPh":
            self._reading = True

    def _characters(self, text: str) -> None:
        if self._kept:
            self._text.append(text)

    def _end(self, name: str) -> None:
        local = name if name in PLAIN_NAMES else local_name(name)
        if local == "v" or local == "t":
            self._kept = False
        elif local == "c":
            if self._value or self._formula:
                self._put(self._converted("".join(self._text)))
        elif local == "row":
            self._finish_row()
        elif local == "rPh":
            self._reading = False

    def _column_of(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        number = self._columns.get(letters)
        if number is None:
            number = self._columns[letters] = column_number(letters)
        return number

    def _converted(self, text: str) -> Any:
        kind = self._kind
        if kind == "s":
            return self.strings[int(text)]
        if kind == "e":
            return BadCell.FORMULA_ERROR
        if kind == "n":
            if not text:
                return BadCell.WITHOUT_VALUE if self._formula else ""
            number = float(text)
            if self._style in self.dates and 1 <= number <= LAST_DAY:
                return self.first_day + dt.timedelta(seconds=round(number * 86_400))
            return DayNumber1904(number) if self.first_day == FIRST_DAY_OF_1904 else number
        if kind == "b":
            return text == "1" or text == "true"
        if kind == "d":
            return dt.datetime.fromisoformat(text.removesuffix("Z"))
        return text if self._value or not self._formula else BadCell.WITHOUT_VALUE

    def _put(self, value: Any) -> None:
        if value == "":
            return
        column = self._column
        if column >= MOST_COLUMNS:
            raise refuse("too_many_columns", columns=column + 1, most=MOST_COLUMNS)
        cells = self._cells
        if column >= len(cells):
            cells.extend([""] * (column + 1 - len(cells)))
        cells[column] = value
        self._count += 1
        if self._count > MOST_CELLS:
            raise refuse("too_many_cells", most=MOST_CELLS)
        if isinstance(value, str) and len(value) > LONG_CELL:
            self._long += len(value)
            if self._long > MOST_LONG_TEXT:
                raise too_large_unpacked()

    def _finish_row(self) -> None:
        if self._row in self.merged or self._covering:
            self._fill_merged()
        if not self._cells:
            return
        self._rows += 1  # those with content: a stray cell in the last row of a sheet is no long list
        if self._rows > MOST_ROWS:
            raise refuse("too_many_rows", rows=self._row, most=MOST_ROWS)
        self._ready.append((self._row, self._cells))

    def _fill_merged(self) -> None:
        row, cells = self._row, self._cells
        for left, bottom, right in self.merged.get(row, ()):
            self._covering.append((row, bottom, left, right, cells[left] if left < len(cells) else ""))
        self._covering = [each for each in self._covering if each[1] >= row]
        for top, _bottom, left, right, value in self._covering:
            if value != "" and right < MOST_COLUMNS:
                cells.extend([""] * (right + 1 - len(cells)))
                cells[left : right + 1] = [_repeated(value)] * (right + 1 - left)
                if top == row:
                    cells[left] = value


def _repeated(value: Any) -> Any:
    """The value, marked as one that stands in the file once: a number in it is not the number of each row."""
    if isinstance(value, str):
        return RepeatedText(value)
    return RepeatedNumber(value) if type(value) is float or isinstance(value, DayNumber1904) else value
