"""Sanitising of an xlsx file before it is read.

A workbook is a zip of XML.  Every part that we need is unpacked under a limit and packed again, so what was measured is
what the reader gets: a size that lies, a part that is there twice, or a bomb of a thousand to one never reach it.
"""

import io
import re
import zipfile
import zlib

from enrollment.ground.files.upload_limits import LIMITS
from enrollment.places.imports.faults import ImportFault, ImportFaults

MOST_BYTES = LIMITS["table"].largest
MOST_UNPACKED = 160 * 1024 * 1024
MOST_PARTS = 500
MOST_ROWS = 100_000
MOST_COLUMNS = 100
MOST_CELLS = 2_000_000
STEP = 1024 * 1024

_needed = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/worksheets/[^/]+\.xml|xl/sharedStrings\.xml|xl/styles\.xml",
    re.IGNORECASE,
)
_cell = re.compile(rb"<(?:\w+:)?c\b([^>]*)>")
_place = re.compile(rb'\br="([A-Za-z]{1,8})(\d{1,12})"')
_error = re.compile(rb'\bt="e"')
_shared = re.compile(rb"<(?:\w+:)?si\b[^>]*>(.*?)</(?:\w+:)?si>", re.DOTALL)
LONGEST_CELL = 32_767 * 4
"""Bytes of the text of a cell: the limit of spreadsheets in characters."""


def refuse(code: str, **details) -> ImportFaults:
    return ImportFaults([ImportFault(code, details=details)])


def safe_copy(content: bytes) -> tuple[bytes, set[tuple[int, int]]]:
    """The same workbook with nothing but its sheets, and the (row, column) of cells that show a formula's error.

    Raises ImportFaults `file_damaged`, `file_unpacks_too_large`, `too_many_rows`, `too_many_columns`, `too_many_cells`.
    """
    try:
        parts = _unpack(content)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as fault:
        raise refuse("file_damaged") from fault
    errors: set[tuple[int, int]] = set()
    sheets = [body for name, body in parts.items() if name.lower().startswith("xl/worksheets/")]
    for name, body in parts.items():
        if name.lower() == "xl/sharedstrings.xml":
            _refuse_long_texts(body, sum(sheet.count(b"<c ") + sheet.count(b":c ") for sheet in sheets))
    for name, body in parts.items():
        if name.lower().startswith("xl/worksheets/"):
            errors |= _measure_sheet(body)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as copy:
        for name, body in parts.items():
            copy.writestr(name, body)
    return packed.getvalue(), errors


def _unpack(content: bytes) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    left = MOST_UNPACKED
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if len(archive.infolist()) > MOST_PARTS:
            raise refuse("file_unpacks_too_large", most=MOST_UNPACKED // STEP)
        for info in archive.infolist():
            if not _needed.fullmatch(info.filename) or info.filename in parts:
                continue
            pieces = []
            with archive.open(info) as part:
                while piece := part.read(STEP):
                    left -= len(piece)
                    if left < 0:
                        raise refuse("file_unpacks_too_large", most=MOST_UNPACKED // STEP)
                    pieces.append(piece)
            parts[info.filename] = b"".join(pieces)
    return parts


def _refuse_long_texts(shared: bytes, cells: int) -> None:
    """Refuse long shared texts: every cell may refer to the same text, and the reader copies it each time."""
    longest = max((len(text) for text in _shared.findall(shared)), default=0)
    if longest > LONGEST_CELL or (longest > 4096 and longest * cells > 4 * MOST_UNPACKED):
        raise refuse("file_unpacks_too_large", most=MOST_UNPACKED // STEP)


def _measure_sheet(sheet: bytes) -> set[tuple[int, int]]:
    """Check the positions of cells with content.  One cell in the last corner would cost the reader gigabytes."""
    errors: set[tuple[int, int]] = set()
    last_row = last_column = cells = 0
    for found in _cell.finditer(sheet):
        attributes = found.group(1)
        if attributes.endswith(b"/"):
            continue
        cells += 1
        place = _place.search(attributes)
        if place is None:
            continue
        row, column = int(place.group(2)), _column_number(place.group(1))
        last_row, last_column = max(last_row, row), max(last_column, column)
        if _error.search(attributes):
            errors.add((row, column - 1))
    if last_row > MOST_ROWS:
        raise refuse("too_many_rows", rows=last_row, most=MOST_ROWS)
    if last_column > MOST_COLUMNS:
        raise refuse("too_many_columns", columns=last_column, most=MOST_COLUMNS)
    if max(cells, last_row * last_column) > MOST_CELLS:
        raise refuse("too_many_cells", most=MOST_CELLS)
    return errors


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
