"""Exceptions of service functions: a code with its parameters.  The texts are in `portal/text/words`."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """A rule of the domain forbids the act.  Nothing was written.

    `code` has a text in the table `error`; `field` names the input that caused it, if any; `details` are the parameters
    of the text.
    """

    def __init__(self, code: str, field: str | None = None, **details):
        super().__init__(code)
        self.code = code
        self.field = field
        self.details = details

    def as_row(self) -> dict[str, Any]:
        """As JSON for the row of a job."""
        plain = {name: one if isinstance(one, int | str) else str(one) for name, one in self.details.items()}
        return {"refused": self.code, "details": plain}

    @classmethod
    def from_row(cls, row: Mapping[str, Any] | None) -> "Refused | None":
        """The refusal in the result of a job; None if there is none."""
        return Refused(row["refused"], **row["details"]) if row and "refused" in row else None


class Stale(Refused):
    """The row was changed by another person or in another tab since it was read."""

    def __init__(self, code: str = "changed_elsewhere", **details):
        super().__init__(code, **details)


class NotFound(Exception):
    """The row does not exist within the scope of the actor."""
