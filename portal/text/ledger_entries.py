"""Entries of the places ledger in words."""

from collections.abc import Iterable

from flask_babel import gettext as _

from enrollment.places import ledger
from enrollment.places.ledger import PlanProposal
from enrollment.places.ledger_rows import LICENCE, NO_LICENCE
from enrollment.places.place_plans import HistoryEntry
from enrollment.season.facts import Ground
from portal.text.policy_rules import listed
from portal.text.words import word

POOL = "pool:"
"""The ledger's fields of a pool: `pool:<code>` for its places, `pool:<code>:<part>` for the rest."""


def field(entry: HistoryEntry) -> str:
    """A number's name; a pool is named by its code."""
    if entry.field.startswith(POOL):
        code, _colon, part = entry.field.removeprefix(POOL).partition(":")
        reserve = _("预留学位 %(code)s", code=_ground(code))
        return f"{reserve} · {word('pool_part', part)}" if part else reserve
    return word("plan_number", entry.field)


def change(entry: HistoryEntry) -> str:
    """`25 → 50`, states in words."""
    return f"{_value(entry.field, entry.before)} → {_value(entry.field, entry.after)}"


def _value(field: str, value: str | None) -> str:
    if value is None or (field == LICENCE and value == NO_LICENCE):
        return "—"
    if field == "state":
        return word("programme_state", value)
    if field.startswith(POOL) and field.endswith(":groups"):
        return grounds(value.split())
    if field.startswith(POOL) and field.endswith(":unclaimed"):
        return word("pool_left", value)
    return value


def grounds(codes: Iterable[str]) -> str:
    """The groups of a pool in words."""
    return listed(map(_ground, codes))


def _ground(code: str) -> str:
    """A ground in words; the code itself if it is not a ground."""
    return word("ground", code) if code in tuple(Ground) else code


def reason(entry: HistoryEntry | PlanProposal) -> str:
    """The reason as it was entered; a reason code of the ledger in words."""
    return _as_words(entry.reason)


def remark(proposal: PlanProposal) -> str:
    """What stands with the decision of a proposal: as it was entered, a reason code of the ledger in words."""
    return _as_words(proposal.remark or "")


def _as_words(entered: str) -> str:
    if entered == ledger.REASON_APPROVED:
        return _("按现有数字同意")
    if entered == ledger.REASON_FROM_ROLL:
        return _("按在园名册更正")
    if entered == ledger.REASON_CLASS_LOSS:
        return _("区里已签字少了班")
    if entered.startswith(ledger.REASON_IMPORTED):
        return _("导入 %(name)s", name=entered.removeprefix(ledger.REASON_IMPORTED))
    return entered
