"""Faults of an imported file with place, code and parameters.  All faults are reported together."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LETTERS = 26
MOST_LISTED = 200_000
"""Faults that are kept with their place; further ones are counted."""

EXAMPLES = 5
NOTHING: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class ImportFault:
    """`row` counts from 1 as in the spreadsheet; None means the whole file.  `heading` is the header in the file.  `code` has
    a text in the table `group`.  `sheet` is empty where the file has one sheet.
    """

    code: str
    row: int | None = None
    column: int | None = None
    heading: str = ""
    details: dict[str, Any] = field(default_factory=lambda: NOTHING)
    group: str = "import_fault"
    sheet: str = ""

    @property
    def cell(self) -> str:
        """The place as `C7`, `7`, `锦江区!C7` or an empty text."""
        letters = column_letters(self.column) if self.column is not None else ""
        place = f"{letters}{self.row or ''}"
        return f"{self.sheet}!{place}" if self.sheet and place else place


@dataclass
class FaultGroup:
    """Faults of one kind in one column."""

    code: str
    heading: str
    group: str
    count: int = 0
    examples: list[ImportFault] = field(default_factory=list)


def column_letters(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters, rest = "", index + 1
    while rest:
        rest, letter = divmod(rest - 1, LETTERS)
        letters = chr(ord("A") + letter) + letters
    return letters


class FaultList:
    """The faults found so far: the first `MOST_LISTED` with their place, all of them by kind."""

    def __init__(self, faults: Iterable[ImportFault] = ()):
        self.listed: list[ImportFault] = []
        self.total = 0
        self._groups: dict[tuple[str, str, str], FaultGroup] = {}
        for fault in faults:
            self.add(fault)

    def add(self, fault: ImportFault) -> None:
        self.total += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(fault)
        key = (fault.group, fault.code, fault.heading)
        group = self._groups.setdefault(key, FaultGroup(fault.code, fault.heading, fault.group))
        group.count += 1
        if len(group.examples) < EXAMPLES:
            group.examples.append(fault)

    @property
    def groups(self) -> list[FaultGroup]:
        """The kinds of faults, the most frequent first."""
        return sorted(self._groups.values(), key=lambda group: -group.count)


class ImportFaults(Exception):
    """The file cannot be imported; nothing was written."""

    def __init__(self, faults: Iterable[ImportFault] | FaultList):
        self.list = faults if isinstance(faults, FaultList) else FaultList(faults)
        super().__init__(f"{self.list.total} faults")
        sheets = {name: number for number, name in enumerate(Counter(fault.sheet for fault in self.list.listed))}
        self.list.listed.sort(key=lambda fault: (sheets[fault.sheet], fault.row or 0, fault.column or 0))

    @property
    def faults(self) -> list[ImportFault]:
        return self.list.listed


class CellError(Exception):
    """The value of one cell cannot be read."""

    def __init__(self, code: str, **details: Any):
        super().__init__(code)
        self.code = code
        self.details = details
