"""The draw forgets whom it was about, and after ten years that it was.

What a run gave stays checkable without these rows: its public file has every ticket, wish and reason by code, and once
the applications are gone nobody can tell any more whose code it was.
"""

import uuid
from collections import Counter
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.chances.estimate_rows import ChanceEstimate, ChanceLine
from enrollment.chances.estimates import STILL_CHANGING
from enrollment.draw.draws import Draw, Snapshot, Ticket
from enrollment.draw.run_rows import CutOff, Placement, Run, WishReason
from enrollment.ground import upkeep
from enrollment.ground.retention import Moment
from enrollment.maintenance.family_retention import all_of, seasons_over_before
from enrollment.offers.arrivals import ArrivalCheck
from enrollment.offers.offers import CentralProposal, Offer, OfferMove
from enrollment.season.round_rows import Round


def of_applications(session: Session, year: int, ids: Collection[uuid.UUID]) -> Counter[str]:
    """Delete offers, placements, reasons and tickets of these applications.  The door for their year is open."""
    theirs = select(Offer.id).where(Offer.application_id.in_(ids))
    children = select(Application.child_id).where(Application.id.in_(ids))
    gone = all_of(session, CentralProposal, CentralProposal.application_id.in_(ids))
    gone += all_of(session, ArrivalCheck, ArrivalCheck.offer_id.in_(theirs))
    gone += all_of(session, OfferMove, OfferMove.offer_id.in_(theirs))
    gone += all_of(session, Offer, Offer.application_id.in_(ids))
    gone += all_of(session, Placement, Placement.application_id.in_(ids))
    gone += all_of(session, WishReason, WishReason.application_id.in_(ids))
    return gone + all_of(session, Ticket, Ticket.year == year, Ticket.child_id.in_(children))


def estimates(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete the chances of rounds whose list is frozen: their own draw is what counts now."""
    frozen = select(Round.id).where(Round.stage.not_in(STILL_CHANGING))
    gone = all_of(session, ChanceLine, ChanceLine.round_id.in_(frozen))
    return gone + all_of(session, ChanceEstimate, ChanceEstimate.round_id.in_(frozen))


def results(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete what was committed to, drawn and computed in a season that ended ten years ago; one season at a time."""
    for year in seasons_over_before(session, moment.years_ago(10)):
        rounds = select(Round.id).where(Round.year == year)
        if session.scalar(select(Snapshot.id).where(Snapshot.round_id.in_(rounds)).limit(1)) is None:
            continue
        runs = select(Run.id).where(Run.round_id.in_(rounds))
        upkeep.open_door(session, "decade", now=moment.now)
        gone = all_of(session, CutOff, CutOff.run_id.in_(runs))
        gone += all_of(session, Run, Run.round_id.in_(rounds))
        gone += all_of(session, Draw, Draw.year == year)
        return gone + all_of(session, Snapshot, Snapshot.round_id.in_(rounds))
    return Counter()
