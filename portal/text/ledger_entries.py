"""Entries of the places ledger in words."""

from flask_babel import gettext as _

from enrollment.places import ledger
from enrollment.places.place_plans import Entry
from portal.text.words import word


def field(entry: Entry) -> str:
    """A number's name; a pool is named by its code."""
    if entry.field.startswith("pool:"):
        return _("预留学位 %(code)s", code=entry.field.removeprefix("pool:"))
    return word("plan_number", entry.field)


def change(entry: Entry) -> str:
    """`25 → 50`, states in words."""
    return f"{_value(entry.field, entry.before)} → {_value(entry.field, entry.after)}"


def _value(field: str, value: str | None) -> str:
    if value is None:
        return "—"
    return word("programme_state", value) if field == "state" else value


def reason(entry: Entry) -> str:
    """The reason as it was entered; a reason code of the ledger in words."""
    if entry.reason == ledger.STANDS:
        return _("按现有数字同意")
    if entry.reason.startswith(ledger.IMPORTED):
        return _("导入 %(name)s", name=entry.reason.removeprefix(ledger.IMPORTED))
    return entry.reason
