"""Faults of a policy file with their places."""

import re
from dataclasses import dataclass, field
from typing import Any

from enrollment.ground.errors import Refused

_TABLE = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")


@dataclass(frozen=True)
class PolicyFault:
    """`code` has a text in the group `policy_fault`; `path` is a key such as `rule[2].tier`; `line` counts from 1."""

    code: str
    path: str
    line: int | None = None
    details: dict[str, Any] = field(default_factory=dict, hash=False)


class PolicyFaults(Refused):
    """A policy file cannot be used; `faults` lists all faults in the order of the lines."""

    def __init__(self, faults: list[PolicyFault]):
        self.faults = sorted(faults, key=lambda fault: (fault.line or 0, fault.path))
        super().__init__("policy_has_faults", field="text", count=len(faults))


class Lines:
    """Line numbers of the keys of a TOML text.  Tables of a list are numbered from 1."""

    def __init__(self, text: str):
        self._lines: dict[str, int] = {}
        counts: dict[str, int] = {}
        table = ""
        for number, line in enumerate(text.splitlines(), 1):
            if heading := _TABLE.match(line):
                table = heading[2]
                if heading[1] == "[[":
                    counts[table] = counts.get(table, 0) + 1
                    table = f"{table}[{counts[table]}]"
                self._lines.setdefault(table, number)
            elif key := _KEY.match(line):
                self._lines.setdefault(f"{table}.{key[1]}" if table else key[1], number)

    def line_of(self, path: str) -> int | None:
        """The line of a key, or of the nearest enclosing table; None if the text has neither."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path.rpartition(".")[0]
        return None
