"""Bound children 捆绑: a table of the effect of each member's event on the other members, and how a member leaves.

After binding, the children have the same list of wishes; the database refuses a commit with different lists.  A bond
counts in a draw only if every member takes part in it (`enrollment.draw.bond_participation`).
"""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy.orm import Session

from enrollment.applications import lifecycle, receipts, units
from enrollment.applications.application_rows import Application
from enrollment.applications.bonds import bond_notices
from enrollment.applications.notifications import notify_guardians_together
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role


class BondEvent(StrEnum):
    """What can happen to one member of a bond."""

    WISH = "wish"
    SEPARATE = "separate"
    WITHDRAW = "withdraw"
    REFUSE = "refuse"
    RETURN = "return"
    CORRECT = "correct"
    LEVEL = "level"
    HOLD = "hold"
    MISS = "miss"
    PLACE = "place"
    PLACE_ALONE = "place_alone"
    CONFIRM = "confirm"
    DECLINE = "decline"
    EXPIRE = "expire"
    NO_SHOW = "no_show"
    REVOKE = "revoke"


class BondEffect(StrEnum):
    """The effect of an event on the other members."""

    TOGETHER = "together"
    """It happens to every member."""
    LEAVES = "leaves"
    """The member leaves; the others keep their list, and stay bound if two or more are left."""
    ALONE = "alone"
    """It concerns this member only; the bond stays."""
    WAITS = "waits"
    """Acts that need every member have to wait until it is over."""
    REFUSED = "refused"
    """It is refused while the child is bound."""


EFFECTS = {
    BondEvent.WISH: BondEffect.TOGETHER,
    BondEvent.SEPARATE: BondEffect.LEAVES,
    BondEvent.WITHDRAW: BondEffect.LEAVES,
    BondEvent.REFUSE: BondEffect.LEAVES,
    BondEvent.RETURN: BondEffect.ALONE,
    BondEvent.CORRECT: BondEffect.ALONE,
    BondEvent.LEVEL: BondEffect.REFUSED,
    BondEvent.HOLD: BondEffect.WAITS,
    BondEvent.MISS: BondEffect.ALONE,
    BondEvent.PLACE: BondEffect.TOGETHER,
    BondEvent.PLACE_ALONE: BondEffect.LEAVES,
    BondEvent.CONFIRM: BondEffect.TOGETHER,
    BondEvent.DECLINE: BondEffect.TOGETHER,
    BondEvent.EXPIRE: BondEffect.TOGETHER,
    BondEvent.NO_SHOW: BondEffect.ALONE,
    BondEvent.REVOKE: BondEffect.ALONE,
}
"""The effect of each event; its texts for families are in the group `bond_rule`."""


def concerned(session: Session, application: Application, event: BondEvent) -> list[Application]:
    """The applications that an event of this one applies to: every member of its bond, or only itself."""
    together = EFFECTS[event] == BondEffect.TOGETHER
    return units.of(session, application) if together else [application]


def leave(session: Session, application: Application, event: BondEvent, *, by: Actor, now: dt.datetime) -> None:
    """Take one child out of its bond.  The others keep the list; their guardians get one message.

    The caller holds the family's locks.  A family's act writes a receipt for each handed-in child that stays.
    """
    if EFFECTS[event] != BondEffect.LEAVES:
        raise ValueError(f"{event} leaves the bond as it is")
    if application.unit is None:
        return
    others = units.others_of(session, application)
    _set_apart(session, [application] if len(others) > 1 else [application, *others], event, by, now)
    bond_notices.take_back(session, [application, *others], now=now)
    told = [application, *others] if event == BondEvent.SEPARATE else others
    for member in told:
        _renew(session, member, by=by, now=now)
    key = f"bond_{event}:{application.id}:{sum(member.version for member in told)}"
    notify_guardians_together(session, f"bond_{event}", [member.id for member in told], now=now, by=by, event=key)


def _set_apart(session: Session, members: Sequence[Application], event: BondEvent, by: Actor, now: dt.datetime) -> None:
    for member in members:
        member.unit = None
        audit.record(session, "separate", "application", member.id, by=by, now=now, event=event)
    session.flush()


def _renew(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> None:
    """Raise the version, so that pages opened before become stale; write a receipt with the remaining members."""
    application.version += 1
    application.changed_at = now
    session.flush()
    is_family = by.on_behalf is not None or by.is_any(Role.GUARDIAN)
    if is_family and application.stage in lifecycle.WITH_AUTHORITY:
        comparison = receipts.compare(session, application)
        if comparison.changed:
            receipts.write(session, application, comparison, by=by, now=now)
