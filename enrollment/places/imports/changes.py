"""The changes of an import, for the preview and for the record of the import."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Change:
    """One row that is new or different.  `fields` maps a field's code to (before, after); new rows have before None."""

    key: str
    title: str
    line: int | None
    fields: dict[str, tuple[Any, Any]]


@dataclass
class Difference:
    """`ignored` are unknown headers; `absent` is the number of our rows that the file does not contain."""

    kind: str
    added: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    removed: list[Change] = field(default_factory=list)
    unchanged: int = 0
    absent: int = 0
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.removed)

    @property
    def counts(self) -> dict[str, int]:
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "removed": len(self.removed),
            "unchanged": self.unchanged,
            "absent": self.absent,
        }

    def as_plain(self) -> dict[str, Any]:
        """The same as a JSON object."""
        changes = {part: [_plain(change) for change in getattr(self, part)] for part in ("added", "changed", "removed")}
        return {"kind": self.kind, "counts": self.counts, "ignored": self.ignored, "notes": self.notes} | changes


def _plain(change: Change) -> dict[str, Any]:
    fields = {
        name: {"before": as_text(before), "after": as_text(after)} for name, (before, after) in change.fields.items()
    }
    return {"key": change.key, "title": change.title, "row": change.line, "fields": fields}


def as_text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value.normalize()) if value else "0"
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def changed_fields(before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Fields of `after` that differ from `before`; for a new row (`before` None) all fields that are not empty."""
    if before is None:
        return {name: (None, value) for name, value in after.items() if value not in (None, [], "")}
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}
