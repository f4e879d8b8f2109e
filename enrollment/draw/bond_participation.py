"""Whether a bond counts in a round, and if not, why: the same rule as the market's, for the pages of one family."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import units
from enrollment.applications.application_rows import WISHES
from enrollment.applications.applications import Application
from enrollment.draw import participants
from enrollment.offers.offer_rows import LIVE, OFFERS, Offer, OfferState
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round


@dataclass(frozen=True)
class BondParticipation:
    """A bond in a round.  `missing` do not take part as things stand; `apart` holds when members hold different places."""

    members: tuple[Application, ...]
    missing: tuple[Application, ...]
    apart: bool

    @property
    def counts(self) -> bool:
        """Whether the children are drawn together."""
        return not self.missing and not self.apart


def participation(session: Session, application: Application, round_: Round) -> BondParticipation | None:
    """How the bond of this application stands in a round; None for a separate child.

    Until the round is frozen everybody takes part who has handed in; afterwards only who was reviewed.
    """
    members = units.of(session, application)
    if len(members) < 2:
        return None
    ids = [member.id for member in members]
    present = _present(session, members, round_)
    missing = tuple(member for member in members if member.id not in present)
    return BondParticipation(tuple(members), missing, not missing and _hold_different_places(session, ids))


def _present(session: Session, members: Collection[Application], round_: Round) -> set[uuid.UUID]:
    """The ids of the members who take part: the rule of `participants_query`."""
    wishes = {each.id: WISHES.ahead(session, each.id) for each in members}
    offers = {each.id: OFFERS.ahead(session, each.id) for each in members}
    if any(found is None for found in (*wishes.values(), *offers.values())):
        ids = [member.id for member in members]
        found = participants.participants_query(round_, _stages(round_)).where(Application.id.in_(ids))
        return set(session.scalars(found))
    return {
        each.id
        for each in members
        if each.year == round_.year
        and each.stage in _stages(round_)
        and any((wish.round_id, wish.rank) == (round_.id, 1) for wish in wishes[each.id] or ())
        and all(offer.state != OfferState.ARRIVED for offer in offers[each.id] or ())
    }


def _stages(round_: Round) -> Collection[str]:
    changing = round_.stage in (RoundStage.PLANNED, RoundStage.OPEN, RoundStage.CLOSED)
    return participants.HANDED_IN if changing else participants.TAKES_PART


def _hold_different_places(session: Session, ids: Collection) -> bool:
    known = [OFFERS.ahead(session, each) for each in ids]
    if all(found is not None for found in known):
        offers = [offer for found in known for offer in found or ()]
        holding = [offer for offer in offers if offer.state in LIVE and offer.state != OfferState.ARRIVED]
        return (
            len({next((one.programme_id for one in holding if one.application_id == each), None) for each in ids}) > 1
        )
    held = select(Offer.application_id, Offer.programme_id).where(
        Offer.application_id.in_(ids), Offer.state.in_(LIVE), Offer.state != OfferState.ARRIVED
    )
    places = {application_id: programme_id for application_id, programme_id in session.execute(held)}
    return len({places.get(each) for each in ids}) > 1
