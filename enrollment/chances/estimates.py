"""The estimate of a round: when it is due, the simulation of many draws, and saving their cut-offs (lines).

The market is read in one transaction, simulated outside any, and the lines are saved in another.  A new estimate replaces
the last one.
"""

import datetime as dt
import hashlib
import itertools
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from allocation.market import Market
from allocation.simulation import simulate as simulate_market
from enrollment.chances import demand
from enrollment.chances.estimate_market import EstimateMarket
from enrollment.chances.estimate_rows import ChanceEstimate, packed
from enrollment.ground import bulk_copy, city_time, jobs
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import KINDS_WITH_WISHES, Round

KIND = "estimate_chances"
EVERY_DAY_AT = dt.time(4, 30)
"""The time in Chengdu at which the scheduler starts an estimate."""

DRAWS, FEWEST_DRAWS = 1000, 100
MOST_WORK = 2_000_000_000
"""The limit of wishes × draws of one estimate.  A city of 400,000 wishes is below it; larger markets get fewer draws."""

AT_ONCE = 100
"""Draws between two calls of `progress`, which stops a job that lost its lease."""

STILL_CHANGING = (RoundStage.OPEN, RoundStage.CLOSED)
"""Stages of a round before its market is frozen."""


def next_at(now: dt.datetime) -> dt.datetime:
    """When the scheduler makes the next estimate."""
    here = now.astimezone(city_time.CHENGDU)
    today = dt.datetime.combine(here.date(), EVERY_DAY_AT, city_time.CHENGDU)
    return today if here < today else today + dt.timedelta(days=1)


def request(session: Session, *, why: str, now: dt.datetime) -> uuid.UUID:
    """Enqueue an estimate now, besides the daily one; only once for each `why`."""
    return jobs.enqueue(session, KIND, key=f"{KIND}:{why}", now=now)


def due_rounds(session: Session, *, now: dt.datetime) -> list[uuid.UUID]:
    """The rounds that accept wishes now, and those that closed after their last estimate."""
    closed_since = and_(
        Round.stage == RoundStage.CLOSED,
        or_(ChanceEstimate.round_id.is_(None), ChanceEstimate.made_at < Round.closes_at),
    )
    found = (
        select(Round.id)
        .outerjoin(ChanceEstimate, ChanceEstimate.round_id == Round.id)
        .where(
            Round.kind.in_(KINDS_WITH_WISHES), Round.opens_at <= now, or_(Round.stage == RoundStage.OPEN, closed_since)
        )
        .order_by(Round.opens_at, Round.id)
    )
    return list(session.scalars(found))


def draws_for(market: Market) -> int:
    """How many draws an estimate of this market uses: `DRAWS`, or fewer for a very large market."""
    return max(FEWEST_DRAWS, min(DRAWS, MOST_WORK // max(len(market.programme), 1)))


@dataclass(frozen=True)
class SimulatedDraws:
    """The result of a simulation: the packed lines of each programme, in the market's order."""

    draws: int
    lines: tuple[bytes, ...]


def simulate(market: Market, progress: Callable[[int, int], None] | None = None) -> SimulatedDraws:
    """Simulate many draws.  Needs no transaction, uses one core so that pages stay fast; the same market gives the same bytes."""
    number, parts = draws_for(market), []
    for start in range(0, number, AT_ONCE):
        drawn = simulate_market(market, min(AT_ONCE, number - start), seed=1 + start // AT_ONCE, workers=1)
        parts.append(drawn.lines)
        if progress is not None:
            progress(min(start + AT_ONCE, number), number)
    lines = np.concatenate(parts)
    first = market.pools.start.tolist()
    return SimulatedDraws(number, tuple(packed(lines[:, a:b]) for a, b in itertools.pairwise(first)))


def save(session: Session, made: EstimateMarket, drawn: SimulatedDraws) -> dict[str, Any] | None:
    """Replace the round's estimate.  Returns its summary, or None if there is a newer one or the round is frozen."""
    # this lock does not block families who save wishes, which refer to the round
    round_ = session.get_one(Round, made.round_id, with_for_update={"key_share": True}, populate_existing=True)
    last = session.get(ChanceEstimate, made.round_id, populate_existing=True)
    if round_.stage not in STILL_CHANGING or (last is not None and last.made_at > made.made_at):
        return None
    told = {
        "families": made.families,
        "children": made.market.children,
        "draws": drawn.draws,
        "digest": hashlib.sha256(b"".join(drawn.lines)).hexdigest(),
    }
    session.execute(delete(ChanceEstimate).where(ChanceEstimate.round_id == made.round_id))
    session.add(ChanceEstimate(round_id=made.round_id, made_at=made.made_at, **told))
    session.flush()
    rows = (
        (made.round_id, programme_id, json.dumps(made.pools_of(at)), drawn.lines[at])
        for at, programme_id in enumerate(made.programmes)
    )
    bulk_copy.copy_rows(session, "chance_line", ("round_id", "programme_id", "pools", "lines"), rows)
    demand.save(session, made.round_id, list(made.demand), now=made.made_at)
    return told
