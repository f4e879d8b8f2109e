"""Reading of CSV files as a stream: UTF-8, GB 18030 or UTF-16, separated by commas, semicolons or tabs."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from enrollment.places.imports.files.limits import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, refuse
from enrollment.places.imports.files.sheet_parser import Row

SEPARATORS = ",\t;，"
BEGINNING = 4000

_told_separator = re.compile("\ufeff?sep=(.)\r?\n", re.IGNORECASE)
"""The first line of some lists, for spreadsheet programs."""

_several_characters = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2}){2,}")
"""Two Chinese characters of UTF-8 in a row; text in GB 18030 is hardly ever valid UTF-8 and looks like that."""


class TextTable:
    """The rows of a CSV file.  Raises ImportFaults `file_not_text` or `file_mixed_encodings`."""

    def __init__(self, content: bytes):
        if _first_line_not_in_utf8(content) is not None:
            content = content.removeprefix(codecs.BOM_UTF8)  # some programs write it before any encoding
        self._content = content
        self.encoding = _encoding_of(content)
        with self._open() as file:
            start = file.read(BEGINNING)
        told = _told_separator.match(start)
        self._first_row = 2 if told else 1
        self._separator = told[1] if told else _separator_of(start)

    def _open(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(self._content), encoding=self.encoding, newline="")

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty.  A quotation mark without its pair is refused: it would swallow the rows after it."""
        cells = number = 0
        try:
            for number, row in enumerate(csv.reader(self._open(), delimiter=self._separator, strict=True), start=1):
                if number < self._first_row:
                    continue
                cells += len(row)
                if number > MOST_ROWS:
                    raise refuse("too_many_rows", rows=self.count_rows(), most=MOST_ROWS)
                if len(row) > MOST_COLUMNS and any(row[MOST_COLUMNS:]):
                    raise refuse("too_many_columns", columns=len(row), most=MOST_COLUMNS)
                if cells > MOST_CELLS:
                    raise refuse("too_many_cells", most=MOST_CELLS)
                if any(row):
                    yield number, list(row)
        except csv.Error as fault:
            if str(fault).startswith("field larger than"):
                raise refuse("cell_too_long", row=number + 1, most=csv.field_size_limit()) from fault
            raise refuse("file_quote_open", row=number + 1) from fault

    def count_rows(self) -> int:
        return self._content.count(b"\n") + 1


def _separator_of(start: str) -> str:
    """The one that stands in most lines: the texts of a list may hold more commas than the list has columns."""
    lines = [line for line in start.splitlines() if line.strip()]
    return max(SEPARATORS, key=lambda each: (sum(each in line for line in lines), start.count(each)))


def _encoding_of(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decodable(content, "utf-16")
    if b"\0" in content:
        raise refuse("file_not_text")
    other = _first_line_not_in_utf8(content)
    if other is None:
        return "utf-8-sig"
    if _several_characters.search(b"\n".join(_lines_in_utf8(content))):
        raise refuse("file_mixed_encodings", row=other)
    return _decodable(content, "gb18030")


def _decodable(content: bytes, encoding: str) -> str:
    try:
        for _piece in io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline=""):
            pass
    except UnicodeError as fault:
        raise refuse("file_not_text") from fault
    return encoding


def _first_line_not_in_utf8(content: bytes) -> int | None:
    try:
        content.decode()
    except UnicodeDecodeError as fault:
        return content.count(b"\n", 0, fault.start) + 1
    return None


def _lines_in_utf8(content: bytes) -> Iterator[bytes]:
    """Lines with other characters than ASCII that are valid UTF-8, the first ten thousand."""
    return islice((line for line in content.split(b"\n") if not line.isascii() and _is_utf8(line)), 10_000)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
