"""What is wrong with an input, one line each, said so that somebody can mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong. ``row`` counts file lines from 1 (the header); in arrays it is the index; -1 is the whole table."""

    file: str
    row: int
    column: str
    message: str

    def __str__(self) -> str:
        where = self.file if self.row < 0 else f"{self.file}, row {self.row}"
        return f"{where}, column {self.column}: {self.message}" if self.column else f"{where}: {self.message}"


class MarketFault(ValueError):
    """The input is not a market. ``faults`` lists everything found, in file and row order."""

    def __init__(self, faults):
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class Unsupported(MarketFault):
    """The input is well-formed but asks for something this engine refuses to guess."""
