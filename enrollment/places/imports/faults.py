"""What is wrong with a file: where, what, and the numbers that its words need.  All of it is told at once."""

from dataclasses import dataclass, field
from typing import Any

LETTERS = 26


@dataclass(frozen=True)
class ImportFault:
    """`row` counts as the spreadsheet does, from 1; None speaks of the whole file.  `heading` is the column as the file
    names it.  `code` has words in the table `group`.
    """

    code: str
    row: int | None = None
    column: int | None = None
    heading: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    group: str = "import_fault"

    @property
    def cell(self) -> str:
        """`C7`, `7` or nothing."""
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
    """The file cannot be taken in; nothing was written."""

    def __init__(self, faults: list[ImportFault]):
        super().__init__(f"{len(faults)} faults")
        self.faults = sorted(faults, key=lambda fault: (fault.row or 0, fault.column or 0))


class CellError(Exception):
    """The value of one cell cannot be read."""

    def __init__(self, code: str, **details: Any):
        super().__init__(code)
        self.code = code
        self.details = details
