"""What a page says of the children bound to one: their names as far as this guardian cares for them, and whether it counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from enrollment.applications import deadlines, units
from enrollment.applications.applications import Application
from enrollment.draw import bond_participation
from enrollment.season.rounds import Round
from portal.web.unit_of_work import actor, clock, db


@dataclass(frozen=True)
class BondStanding:
    """A bond in the round that is open, or else was open last.

    `others` and `missing` are names, for this child and the rest; `is_open` says that the missing may still be handed in.
    """

    others: str
    missing: str
    counts: bool
    apart: bool
    round: Round
    is_open: bool


def bond_of(application: Application) -> BondStanding | None:
    """The standing of this application's bond; None for a separate child, and before the first round."""
    times = deadlines.of(db(), application, now=clock())
    round_ = times.open or times.last
    found = bond_participation.participation(db(), application, round_) if round_ else None
    if found is None or round_ is None:
        return None
    others = [member for member in found.members if member.id != application.id]
    return BondStanding(
        names_of(others), names_of(found.missing), found.counts, found.apart, round_, times.open is not None
    )


def names_of(members: Sequence[Application]) -> str:
    """The children's names; those that only the other guardian cares for are not named."""
    mine = {each.id for each in units.in_care(db(), members, by=actor())}
    named = [member.child.name for member in members if member.id in mine]
    if len(named) < len(members):
        named.append(_("另一位监护人照管的孩子"))
    return _("、").join(named)
