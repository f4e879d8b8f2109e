"""The lines of a policy file with their faults."""

from collections.abc import Iterable
from dataclasses import dataclass

from enrollment.season.policy_faults import PolicyFault
from portal.text.policy_rules import fault_words

NEARBY = 2


@dataclass(frozen=True)
class SourceLine:
    """`gap` is true if lines before this one are left out."""

    number: int
    text: str
    faults: tuple[str, ...]
    gap: bool


def source_lines(text: str, faults: Iterable[PolicyFault]) -> list[SourceLine]:
    """The lines with faults and the lines near them."""
    faults_of_line: dict[int, list[str]] = {}
    for fault in faults:
        if fault.line:
            faults_of_line.setdefault(fault.line, []).append(fault_words(fault))
    shown, last = [], 0
    for number, line in enumerate(text.splitlines(), 1):
        if any(abs(number - faulty) <= NEARBY for faulty in faults_of_line):
            shown.append(SourceLine(number, line, tuple(faults_of_line.get(number, ())), gap=number > last + 1))
            last = number
    return shown
