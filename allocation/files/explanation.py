"""Explanation: for one child, what became of each wish and why."""

from collections.abc import Iterator
from pathlib import Path

from allocation.by_code import WishReason
from allocation.faults import Fault, MarketFault
from allocation.files.archive import read_files
from allocation.files.layout import RESULT_COLUMNS
from allocation.outcome import Outcome

_NAME = "reasons.csv"


def explain(subject: Outcome | str | Path, child: str) -> list[WishReason]:
    """The wishes of one child, best first, each with its reason; ``str()`` of one is a sentence.

    ``subject`` is an outcome, a result folder, or a bundle (a zip file or a folder); ``child`` is the child's code, in
    an outcome without codes the child's number. Raises :class:`~allocation.faults.MarketFault` if there is no such
    child, or if the file with the reasons cannot be read.
    """
    if isinstance(subject, Outcome):
        try:
            return subject.by_code.reasons(child)
        except KeyError:
            raise MarketFault([Fault(_NAME, -1, "child", f"{child} is not a child of this market")]) from None
    wishes = [(number, row) for number, row in _rows(Path(subject)) if row["child"] == child]
    if not wishes:
        raise MarketFault([Fault(_NAME, -1, "child", f"{child} has no wish in this result")])
    return [_read(number, row) for number, row in wishes]


def _read(number: int, row: dict[str, str]) -> WishReason:
    try:
        return WishReason.from_row(row)
    except ValueError as error:
        raise MarketFault([Fault(_NAME, number, "", str(error))]) from None


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row of the file with its number."""
    found = read_files(path, [_NAME, f"result/{_NAME}"])
    if not found:
        raise MarketFault([Fault(str(path), -1, "", f"{_NAME} is missing")])
    try:
        text = next(iter(found.values())).decode()
    except UnicodeDecodeError:
        raise MarketFault([Fault(_NAME, -1, "", "not UTF-8")]) from None
    header, *lines = text.removesuffix("\n").split("\n")  # not splitlines(), which also splits at other characters
    columns = RESULT_COLUMNS[_NAME]
    if tuple(header.split(",")) != columns:
        raise MarketFault([Fault(_NAME, 1, "", f"the columns are not {','.join(columns)}")])
    for number, line in enumerate(lines, start=2):
        cells = line.split(",")
        if len(cells) != len(columns):
            raise MarketFault([Fault(_NAME, number, "", f"{len(cells)} fields where {len(columns)} are needed")])
        yield number, dict(zip(columns, cells, strict=True))
