"""How many families give a place up: counted in earlier years, else in the answers of the round so far.

There are two phases: until the answers to a result are due (`confirmation`), and from then to the last arrival day
(`arrival`).  Places that a child left for a better wish are not counted.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from enrollment.offers.offer_rows import Offer, OfferState
from enrollment.season.round_rows import Round, RoundKind

EARLIER_YEARS = 3
FEWEST_ANSWERS = 50
"""With fewer answers nothing is told about a phase."""

SETTLED = dt.timedelta(days=2)
"""Silence ends an offer some hours after it was due; it belongs to the first phase."""

GIVEN_UP = (OfferState.DECLINED, OfferState.EXPIRED, OfferState.NO_SHOW, OfferState.REVOKED)


@dataclass(frozen=True)
class Count:
    """How many of `of` places were given up."""

    given_up: int
    of: int


@dataclass(frozen=True)
class Phases:
    """The counts of one year: `first` of the answers to a result, `later` of the places that were kept then."""

    year: int
    first: Count
    later: Count


def earlier_years(session: Session, year: int) -> list[Phases]:
    """The newest years before this one with enough answers, at most `EARLIER_YEARS`, the newest first."""
    found = _counted(session, and_(Round.year < year, Round.year >= year - EARLIER_YEARS, Round.kind == RoundKind.MAIN))
    return [each for each in found if each.first.of >= FEWEST_ANSWERS]


def so_far(session: Session, round_: Round) -> Phases | None:
    """The answers to this round's offers until now; those that are still due are not counted."""
    found = _counted(session, and_(Round.id == round_.id, Offer.state != OfferState.OFFERED))
    return found[0] if found else None


def _counted(session: Session, condition: ColumnElement[bool]) -> list[Phases]:
    early = Offer.ended_at <= Round.confirm_by + SETTLED
    gone = Offer.state.in_(GIVEN_UP)
    query = (
        select(
            Round.year,
            func.count().label("of"),
            func.count().filter(gone, early).label("early"),
            func.count().filter(gone).label("gone"),
        )
        .select_from(Offer)
        .join(Round, Round.id == Offer.round_id)
        .where(condition, Offer.state != OfferState.SUPERSEDED)
        .group_by(Round.year)
        .order_by(Round.year.desc())
    )
    return [
        Phases(row.year, Count(row.early, row.of), Count(row.gone - row.early, row.of - row.early))
        for row in session.execute(query)
    ]
