"""The market of a round's waiting line as it stands: who waits, who holds a place and may still give it up."""

import datetime as dt
import uuid
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.arrays import Array
from allocation.market import Market
from enrollment.applications.application_rows import Application
from enrollment.chances import estimate_market, giving_up
from enrollment.chances.giving_up import FEWEST_ANSWERS, Count, Phases
from enrollment.draw import draws, market_files, replay_market, runs
from enrollment.draw.draws import Snapshot
from enrollment.draw.round_market import RoundMarket
from enrollment.offers import waitlist
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferState
from enrollment.season.round_rows import Round, RoundKind, RoundStage
from enrollment.season.rounds import get_round

FREE, UNANSWERED, EXPECTED_TO_ARRIVE, ARRIVED = range(4)
"""What a child holds: no place, a place to answer, one that its family took, one where it arrived."""


@dataclass(frozen=True)
class Horizon:
    """A date up to which places are supposed to be given up.

    `shares` has for each year (given up, of) as it is known; `part` is how much of the phase is still ahead, from 0 to 1.
    """

    step: str
    at: dt.datetime
    shares: tuple[tuple[int, int], ...]
    part: float = 1.0


@dataclass(frozen=True)
class WaitingMarket:
    """`applications`, `held` and `group` are by the child's row in the market; `group` is shared by children who answer
    together.  `first` has for each year (given up, of) of the answers to a result, `so_far` those of this round until now."""

    round_id: uuid.UUID
    run_id: uuid.UUID
    made_at: dt.datetime
    market: Market
    applications: tuple[uuid.UUID, ...]
    ranks: tuple[tuple[int, ...], ...]
    held: Array
    group: Array
    horizons: tuple[Horizon, ...]
    first: tuple[tuple[int, int], ...]
    so_far: Count
    years: tuple[int, ...]

    @property
    def answers(self) -> int:
        """How many answers the shares were counted from."""
        return sum(of for _, of in self.first)


def due_rounds(session: Session, *, now: dt.datetime) -> list[uuid.UUID]:
    """The published rounds with wishes whose waiting line still moves."""
    found = select(Round).where(Round.stage == RoundStage.PUBLISHED, Round.kind != RoundKind.CENTRAL)
    moving = []
    for round_ in session.scalars(found.order_by(Round.year, Round.number)):
        until = waitlist.ends_at(session, round_.year)
        if until is not None and now < until:
            moving.append(round_.id)
    return moving


def read(session: Session, round_id: uuid.UUID, *, now: dt.datetime) -> WaitingMarket | None:
    """None where nobody waits, or too few answers are known to say how many give up."""
    round_ = get_round(session, round_id)
    latest, first = runs.published(session, round_id), runs.first_published(session, round_id)
    if latest is None or first is None:
        return None
    known = giving_up.earlier_years(session, round_.year)
    current = giving_up.so_far(session, round_)
    shown = tuple(known) or ((current,) if current is not None and current.first.of >= FEWEST_ANSWERS else ())
    horizons = _horizons(round_, shown, waitlist.ends_at(session, round_.year), is_current=not known, now=now)
    if not horizons:
        return None
    frozen = market_files.read(market_files.unpack(session.get_one(Snapshot, first.snapshot_id).market))
    found = replay_market.taking_part(session, round_, frozen, now=now)
    standings = waitlist.standings(session, round_, now=now)
    if not any(standings[each.child].in_line for each in found.participants):
        return None
    tickets = draws.ticket_numbers(session, round_.year)
    market = estimate_market.encode(found).with_tickets([tickets[each.child] for each in found.participants])
    return WaitingMarket(
        round_id=round_id,
        run_id=latest.id,
        made_at=now,
        market=market,
        applications=tuple(standings[each.child].application_id for each in found.participants),
        ranks=tuple(each.own_ranks for each in found.participants),
        held=_held(session, round_.year, found),
        group=_groups(found),
        horizons=horizons,
        first=tuple((each.first.given_up, each.first.of) for each in shown),
        so_far=current.first if current is not None else Count(0, 0),
        years=tuple(each.year for each in shown),
    )


def _horizons(
    round_: Round, shown: tuple[Phases, ...], ends_at: dt.datetime | None, *, is_current: bool, now: dt.datetime
) -> tuple[Horizon, ...]:
    """Of a year without any before it, the later phase is told once it has run for a day."""
    found = []
    if shown and now < round_.confirm_by:
        found.append(
            Horizon("confirmation", round_.confirm_by, tuple((each.first.given_up, each.first.of) for each in shown))
        )
    if not shown or ends_at is None or ends_at <= max(now, round_.confirm_by):
        return tuple(found)
    later = tuple((each.later.given_up, each.later.of) for each in shown)
    begins = round_.confirm_by
    if not is_current:
        part = (ends_at - max(now, begins)) / (ends_at - begins)
        found.append(Horizon("arrival", ends_at, later, part))
    elif now >= begins + dt.timedelta(days=1) and later[0][1] >= FEWEST_ANSWERS:
        found.append(Horizon("arrival", ends_at, later, (ends_at - now) / (now - begins)))
    return tuple(found)


def _held(session: Session, year: int, market: RoundMarket) -> Array:
    query = select(Application.child_code, Offer.state).join(Application, Application.id == Offer.application_id)
    states = {
        OfferState.OFFERED: UNANSWERED,
        **dict.fromkeys(EXPECTED, EXPECTED_TO_ARRIVE),
        OfferState.ARRIVED: ARRIVED,
    }
    live = session.execute(query.where(Offer.year == year, Offer.state.in_(states)))
    of = {code: states[OfferState(state)] for code, state in live}
    return np.array([of.get(each.child, FREE) if each.current else FREE for each in market.participants], dtype=np.int8)


def _groups(market: RoundMarket) -> Array:
    number = {
        code: at for at, code in enumerate(dict.fromkeys(each.unit or each.child for each in market.participants))
    }
    return np.array([number[each.unit or each.child] for each in market.participants], dtype=np.int64)
