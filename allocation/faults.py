"""Faults of an input: one line each, with the place in the input, so that somebody can correct it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_LISTED = 100  # of one column, and in one message; the others are counted


@dataclass(frozen=True, order=True)
class Fault:
    """One fault.

    ``row`` counts the lines of a file from 1, the header; in arrays and frames it is the index from 0; -1 is the whole
    table. ``more`` further rows have the same fault and are not listed.
    """

    file: str
    row: int
    column: str
    message: str
    more: int = field(default=0, compare=False)

    def __str__(self) -> str:
        where = self.file if self.row < 0 else f"{self.file}, row {self.row}"
        return f"{where}, column {self.column}: {self.message}" if self.column else f"{where}: {self.message}"


class MarketFault(ValueError):
    """The input is not a market, a result or a bundle.

    ``faults`` lists what was found, at most :data:`MOST_LISTED` of one column; ``count`` is the number of all.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.lines()))

    @property
    def count(self) -> int:
        """The number of all faults, listed or not."""
        return len(self.faults) + sum(fault.more for fault in self.faults)

    def lines(self) -> list[str]:
        """One line for each fault, at most :data:`MOST_LISTED`, then how many more there are."""
        shown = [str(fault) for fault in self.faults[:MOST_LISTED]]
        return shown if self.count == len(shown) else [*shown, f"and {self.count - len(shown):,} more"]


def row_faults(
    table: str, bad: npt.ArrayLike, column: str, message: str | Callable[[int], str], first_row: int = 0
) -> Iterator[Fault]:
    """One fault for each row where ``bad`` is true; ``message`` may be a function of the index.

    Row 0 of ``bad`` is row ``first_row`` of the table. Past :data:`MOST_LISTED` rows the others are only counted.
    """
    import numpy as np  # not above: a command sets up its process before numpy is imported

    rows = np.flatnonzero(bad)
    for place, row in enumerate(rows[:MOST_LISTED].tolist(), start=1):
        text = message if isinstance(message, str) else message(row)
        yield Fault(table, row + first_row, column, text, more=len(rows) - place if place == MOST_LISTED else 0)


def limit_faults(faults: Iterable[Fault]) -> list[Fault]:
    """The first :data:`MOST_LISTED` faults of each column; the last of them counts the rest."""
    kept: list[Fault] = []
    listed: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], int] = {}
    for fault in faults:
        kind = fault.file, fault.column
        listed[kind] += 1
        if listed[kind] <= MOST_LISTED:
            last[kind] = len(kept)
            kept.append(fault)
        else:
            before = kept[last[kind]]
            kept[last[kind]] = replace(before, more=before.more + 1 + fault.more)
    return kept
