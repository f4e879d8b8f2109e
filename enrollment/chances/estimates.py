"""Making the estimate of a round: when it is due, many draws of the market as it stands, and keeping their lines.

The market is gathered in one transaction, drawn outside any, and kept in another; the newest estimate replaces the last.
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
from allocation.simulate import draw_many
from enrollment.chances.estimate_market import Applied
from enrollment.chances.estimate_rows import ChanceEstimate, packed
from enrollment.ground import bulk_copy, city_time, jobs
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import WITH_WISHES, Round

KIND = "estimate_chances"
EVERY_DAY_AT = dt.time(4, 30)
"""Chengdu's time at which the clock starts an estimate."""

DRAWS, FEWEST_DRAWS = 1000, 100
MOST_WORK = 2_000_000_000
"""Wishes × draws of one estimate: the whole city's, some 400,000 wishes, are drawn a thousand times; a country's less often."""

AT_ONCE = 100
"""Draws between two looks at whether the work is still ours."""

STILL_CHANGING = (RoundStage.OPEN, RoundStage.CLOSED)
"""Stages of a round in which its list is not frozen yet."""


def next_at(now: dt.datetime) -> dt.datetime:
    """When the clock makes the next one."""
    here = now.astimezone(city_time.CHENGDU)
    today = dt.datetime.combine(here.date(), EVERY_DAY_AT, city_time.CHENGDU)
    return today if here < today else today + dt.timedelta(days=1)


def ask(session: Session, *, why: str, now: dt.datetime) -> uuid.UUID:
    """Let an estimate be made now, besides the clock's: once for each `why`."""
    return jobs.enqueue(session, KIND, key=f"{KIND}:{why}", now=now)


def due(session: Session, *, now: dt.datetime) -> list[uuid.UUID]:
    """The rounds that take wishes now, and those that closed after their last estimate."""
    closed_since = and_(
        Round.stage == RoundStage.CLOSED,
        or_(ChanceEstimate.round_id.is_(None), ChanceEstimate.made_at < Round.closes_at),
    )
    found = (
        select(Round.id)
        .outerjoin(ChanceEstimate, ChanceEstimate.round_id == Round.id)
        .where(Round.kind.in_(WITH_WISHES), Round.opens_at <= now, or_(Round.stage == RoundStage.OPEN, closed_since))
        .order_by(Round.opens_at, Round.id)
    )
    return list(session.scalars(found))


def draws_for(market: Market) -> int:
    """How many draws an estimate of this market takes: as many as `DRAWS`, fewer where that would be too much work."""
    return max(FEWEST_DRAWS, min(DRAWS, MOST_WORK // max(len(market.programme), 1)))


@dataclass(frozen=True)
class Drawn:
    """What many draws gave: the packed lines of each programme, in the market's order."""

    draws: int
    lines: tuple[bytes, ...]


def draw(market: Market, progress: Callable[[int, int], None] | None = None) -> Drawn:
    """Draw many times, in no transaction.  On one core, so that pages stay quick; the same market gives the same bytes."""
    number, parts = draws_for(market), []
    for start in range(0, number, AT_ONCE):
        drawn = draw_many(market, min(AT_ONCE, number - start), seed=1 + start // AT_ONCE, workers=1)
        parts.append(drawn.lines)
        if progress is not None:
            progress(min(start + AT_ONCE, number), number)
    lines = np.concatenate(parts)
    first = market.pools.start.tolist()
    return Drawn(number, tuple(packed(lines[:, a:b]) for a, b in itertools.pairwise(first)))


def keep(session: Session, made: Applied, drawn: Drawn) -> dict[str, Any] | None:
    """Replace the round's estimate; what the job tells of it, or None when a newer one is there or the round is frozen."""
    # the lock lets families go on saving wishes, which refer to the round
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
    bulk_copy.copy_in(session, "chance_line", ("round_id", "programme_id", "pools", "lines"), rows)
    return told
