"""Strict reading of the tables of a policy file: unknown keys, wrong types and values out of range are faults."""

from collections.abc import Iterable
from typing import Any

from enrollment.season.policy_faults import Lines, PolicyFault

TYPE_NAMES = {bool: "true_or_false", int: "number", str: "text", list: "list", dict: "table"}


class PolicyTable:
    """One table of the file.  A missing or wrong value is recorded as a fault and a default is returned, so that one pass
    finds all faults."""

    def __init__(self, content: dict[str, Any], path: str, lines: Lines, faults: list[PolicyFault]):
        self.content, self.path, self.lines, self.faults = content, path, lines, faults

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def fault(self, code: str, key: str = "", /, **details) -> None:
        path = self.at(key) if key else self.path
        self.faults.append(PolicyFault(code, path, self.lines.line_of(path), details))

    def only(self, known: Iterable[str]) -> None:
        """Record a fault for every other key, because it is probably misspelt."""
        names = sorted(map(str, known))
        for key in self.content:
            if key not in names:
                self.fault("unknown_key", key, key=key, known=names)

    def get(self, key: str, kind: type, default: Any = None, *, required: bool = False) -> Any:
        if key not in self.content:
            if required:
                self.fault("missing_key", key, key=key)
            return default
        value = self.content[key]
        if type(value) is not kind:
            self.fault("wrong_type", key, key=key, expected=TYPE_NAMES[kind])
            return default
        return value

    def number(self, key: str, low: int, high: int, default: int | None = None, *, required: bool = False) -> Any:
        value = self.get(key, int, default, required=required)
        if value is not None and not low <= value <= high:
            self.fault("out_of_range", key, key=key, value=value, low=low, high=high)
            return default
        return value

    def code(self, key: str, known: Iterable[str], *, required: bool = False, default: str = "") -> str:
        value = self.get(key, str, default, required=required)
        known = list(map(str, known))
        if key in self.content and isinstance(value, str) and value not in known and value != default:
            self.fault("unknown_code", key, key=key, value=value, known=known)
            return default
        return value

    def codes(self, key: str, known: Iterable[str] | None = None, *, required: bool = False) -> tuple[str, ...]:
        """A list of known codes without duplicates."""
        return self.checked_codes(self.get(key, list, [], required=required), key, known, required)

    def checked_codes(self, values: list, key: str, known: Iterable[str] | None, required: bool) -> tuple[str, ...]:
        known = None if known is None else list(map(str, known))
        good: list[str] = []
        for value in values:
            if not isinstance(value, str):
                self.fault("wrong_type", key, key=key, expected="list_of_codes")
            elif known is not None and value not in known:
                self.fault("unknown_code", key, key=key, value=value, known=known)
            elif value in good:
                self.fault("said_twice", key, key=key, value=value)
            else:
                good.append(value)
        if required and key in self.content and not values:
            self.fault("empty_list", key, key=key)
        return tuple(good)

    def table(self, key: str, *, required: bool = False) -> "PolicyTable":
        content = self.get(key, dict, {}, required=required)
        return PolicyTable(content, self.at(key), self.lines, self.faults)

    def tables(self, key: str, *, required: bool = False) -> list["PolicyTable"]:
        """The tables of a list, numbered from 1."""
        rows = self.get(key, list, [], required=required)
        found = []
        for number, row in enumerate(rows, 1):
            path = f"{self.at(key)}[{number}]"
            if isinstance(row, dict):
                found.append(PolicyTable(row, path, self.lines, self.faults))
            else:
                self.faults.append(
                    PolicyFault("wrong_type", path, self.lines.line_of(key), {"key": key, "expected": "table"})
                )
        return found
