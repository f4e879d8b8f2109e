"""Faults of an imported file with place, code and parameters.  All faults are reported together."""

from dataclasses import dataclass, field
from typing import Any

LETTERS = 26


@dataclass(frozen=True)
class ImportFault:
    """`row` counts from 1 as in the spreadsheet; None means the whole file.  `heading` is the header in the file.  `code` has
    a text in the table `group`.
    """

    code: str
    row: int | None = None
    column: int | None = None
    heading: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    group: str = "import_fault"

    @property
    def cell(self) -> str:
        """The place as `C7`, `7` or an empty text."""
        letters = column_letters(self.column) if self.column is not None else ""
        return f"{letters}{self.row or ''}"


def column_letters(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters, rest = "", index + 1
    while rest:
        rest, letter = divmod(rest - 1, LETTERS)
        letters = chr(ord("A") + letter) + letters
    return letters


class ImportFaults(Exception):
    """The file cannot be imported; nothing was written."""

    def __init__(self, faults: list[ImportFault]):
        super().__init__(f"{len(faults)} faults")
        self.faults = sorted(faults, key=lambda fault: (fault.row or 0, fault.column or 0))


class CellError(Exception):
    """The value of one cell cannot be read."""

    def __init__(self, code: str, **details: Any):
        super().__init__(code)
        self.code = code
        self.details = details
