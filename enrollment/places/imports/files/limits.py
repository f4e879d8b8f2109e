"""How much of a file is read, and the refusal of a file as a whole."""

from typing import Any

from enrollment.ground.files.upload_limits import LIMITS
from enrollment.places.imports.faults import ImportFault, ImportFaults

MOST_BYTES = LIMITS["table"].largest
MOST_UNPACKED = 256 * 1024 * 1024
"""Bytes of one part of a workbook after unpacking."""

MOST_PARTS = 500
MOST_ROWS = 600_000
"""The roll of the whole city is 565,000 children."""

MOST_COLUMNS = 200
MOST_CELLS = 12_000_000
LONGEST_CELL = 32_767
"""Characters of a cell, the limit of spreadsheets."""

LONG_CELL = 4096
MOST_LONG_TEXT = 16_000_000
"""Characters in all cells that are longer than `LONG_CELL`: each is normalised, however often a workbook refers to it."""

MEGABYTE = 1024 * 1024


def refuse(code: str, **details: Any) -> ImportFaults:
    """A fault of the file as a whole."""
    return ImportFaults([ImportFault(code, details=details)])


def too_large_unpacked() -> ImportFaults:
    return refuse("file_unpacks_too_large", most=MOST_UNPACKED // MEGABYTE)
