"""The one way a verb says no.  A code and its numbers; the words stand in `portal/text/words`."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """A rule of the domain forbids the act.  Nothing was written.

    `code` has words in the table `error`; `field` names the input that the person can mend, if one caused it;
    `details` are the numbers and names that the words need.
    """

    def __init__(self, code: str, field: str | None = None, **details):
        super().__init__(code)
        self.code = code
        self.field = field
        self.details = details

    def as_row(self) -> dict[str, Any]:
        """What a job's row keeps of it: codes, numbers and texts."""
        plain = {name: one if isinstance(one, int | str) else str(one) for name, one in self.details.items()}
        return {"refused": self.code, "details": plain}

    @classmethod
    def from_row(cls, row: Mapping[str, Any] | None) -> "Refused | None":
        """The refusal that a row keeps; None for another row."""
        return Refused(row["refused"], **row["details"]) if row and "refused" in row else None


class Stale(Refused):
    """Somebody else, or another tab, changed the row first."""

    def __init__(self, code: str = "changed_elsewhere", **details):
        super().__init__(code, **details)


class NotFound(Exception):
    """No such row among those that the actor may see."""
