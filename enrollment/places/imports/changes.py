"""The changes of an import, for the preview and for the record of the import."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from enrollment.places.imports.records import FileReading

MOST_SHOWN = 300
"""Changes of one part that are kept to be shown; all of them are counted and written."""

MOST_CONFLICTS = 500
EXAMPLES = 8
PARTS = ("added", "changed", "removed")


Overwrite = Collection[str] | None
"""Keys of the conflicts in which the file wins; None: in all of them."""


class ChangedSinceCheck(Exception):
    """The city's data changed since the check, so the file would make other changes than those that were confirmed."""


@dataclass(frozen=True)
class Change:
    """One row that is new or different.  `fields` maps a field's code to (before, after); new rows have before None."""

    key: str
    title: str
    line: int | None
    fields: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Conflict:
    """A change of the file against something that a person entered since the last import, or against what goes on.  `reason` is a code of the texts
    `import_conflict`, and `details` are the values in that text.
    """

    key: str
    title: str
    line: int
    reason: str
    fields: dict[str, tuple[Any, Any]]
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class Remark:
    """Something that does not stop the import but should be seen: a code of the texts `import_note`."""

    code: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class Difference:
    """`absent` is the number of our rows that the file does not contain.  Of each part the first changes are kept.

    `conflicts` were left out unless their key is among the decisions of the person who imports.
    """

    kind: str
    reading: FileReading = field(default_factory=FileReading)
    added: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    removed: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    unchanged: int = 0
    absent: int = 0
    kept: int = 0
    remarks: dict[str, Remark] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)
    _digest: Any = field(default_factory=hashlib.sha256, repr=False)

    def add(self, part: str, change: Change, *, decided: bool = False) -> None:
        """Count a change of one of `PARTS`, and keep it if it is among the first.  `decided`: it was a conflict, which the
        digest tells already, so that it does not depend on what was decided.
        """
        self.tally[part] += 1
        listed: list[Change] = getattr(self, part)
        if len(listed) < MOST_SHOWN:
            listed.append(change)
        if not decided:
            self._digest.update(repr((part, change.key, change.title, sorted(change.fields.items()))).encode())

    def ask(self, conflict: Conflict) -> None:
        """A change against what a person entered, or against what goes on, which the person who imports decides on."""
        self.tally["conflicts"] += 1
        if len(self.conflicts) < MOST_CONFLICTS:
            self.conflicts.append(conflict)
        told = (conflict.key, conflict.reason, sorted(conflict.fields.items()), sorted(conflict.details.items()))
        self._digest.update(repr(told).encode())

    def remark(self, code: str, example: str = "") -> None:
        remark = self.remarks.setdefault(code, Remark(code))
        remark.count += 1
        if example and len(remark.examples) < EXAMPLES:
            remark.examples.append(example)

    @property
    def digest(self) -> str:
        """Equal for equal changes and conflicts: what is written is what was shown."""
        return str(self._digest.hexdigest())

    @property
    def ignored(self) -> list[str]:
        """Headers that are not used."""
        return self.reading.ignored

    @property
    def is_empty(self) -> bool:
        return not any(self.tally[part] for part in PARTS)

    @property
    def counts(self) -> dict[str, int]:
        return {part: self.tally[part] for part in PARTS} | {
            "unchanged": self.unchanged,
            "absent": self.absent,
            "kept": self.kept,
        }

    def as_plain(self) -> dict[str, Any]:
        """The same as a JSON object."""
        changes = {part: [_plain(change) for change in getattr(self, part)] for part in PARTS}
        conflicts = [_plain(each) | {"reason": each.reason, "details": each.details} for each in self.conflicts]
        remarks = [{"code": r.code, "count": r.count, "examples": r.examples} for r in self.remarks.values()]
        reading = {
            "sheets": [{"name": name, "rows": rows} for name, rows in self.reading.sheets],
            "unread": [{"name": s.name, "reason": s.reason, "column": s.column} for s in self.reading.unread],
            "ignored": self.reading.ignored,
            "left_out": [{"place": p, "reason": r, "text": t} for p, r, t in self.reading.left_out],
            "left_out_count": self.reading.left_out_count,
            "hidden": self.reading.hidden,
            "hidden_count": self.reading.hidden_count,
        }
        asked = {"conflicts": conflicts, "conflict_count": self.tally["conflicts"], "digest": self.digest}
        return {"kind": self.kind, "counts": self.counts, "remarks": remarks} | reading | changes | asked


def _plain(change: Change | Conflict) -> dict[str, Any]:
    fields = {
        name: {"before": as_text(before), "after": as_text(after)} for name, (before, after) in change.fields.items()
    }
    return {"key": change.key, "title": change.title, "row": change.line, "fields": fields}


def as_text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def changed_fields(before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Fields of `after` that differ from `before`; for a new row (`before` None) all fields that are not empty."""
    if before is None:
        return {name: (None, value) for name, value in after.items() if value not in (None, [], "")}
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}
