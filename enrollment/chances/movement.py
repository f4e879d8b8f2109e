"""The movement of a waiting line by date: many replays with the engine, each with other families who give a place up.

How many give up is not known; each replay takes the share of one counted year, with the uncertainty of its count (a beta
distribution, Jeffreys).  Families who answer together give up together.  A waiting family that is supposed to decline is
passed over, and this replay says nothing about its own chance.  Tickets, priorities and wishes are those of the draw.

The market is read in one transaction, replayed outside any, and the counts are saved in another.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import delete
from sqlalchemy.orm import Session

from allocation.arrays import Array
from allocation.simulation import Chance
from allocation.solve import solve
from enrollment.chances.family_chances import Odds
from enrollment.chances.movement_market import EXPECTED_TO_ARRIVE, FREE, UNANSWERED, Horizon, WaitingMarket
from enrollment.chances.movement_rows import CHANCES, ESTIMATES, MovementChance, MovementEstimate
from enrollment.draw import runs
from enrollment.ground import bulk_copy, jobs
from enrollment.season.round_rows import Round

KIND = "estimate_movement"
REPLAYS, FEWEST_REPLAYS = 400, 100
MOST_WORK = 60_000_000
"""The limit of wishes × replays of one estimate; larger markets get fewer replays."""

SILENT = 0.95
"""The largest share of the families without an answer that is supposed to stay silent."""

AT_ONCE = 20
"""Replays between two calls of `progress`."""


@dataclass(frozen=True)
class ReplayCounts:
    """By date: `took_part` int32[dates, n] and `placed` int32[dates, m], how often a child got each wish."""

    took_part: Array
    placed: Array


@dataclass(frozen=True)
class Movement:
    """What a family is told: for each wish, by its number, the chances up to each of `dates` (step, date)."""

    made_at: dt.datetime
    dates: tuple[tuple[str, dt.datetime], ...]
    years: tuple[int, ...]
    year: int
    chances: dict[int, tuple[Odds | None, ...]]

    def of(self, rank: int, now: dt.datetime) -> list[tuple[dt.datetime, Odds]]:
        """The chances of a wish by date; a date that has passed says nothing any more."""
        by_date = zip(self.dates, self.chances.get(rank, ()), strict=False)
        return [(at, odds) for (_step, at), odds in by_date if odds is not None and now < at]

    @property
    def from_this_year(self) -> bool:
        """Whether no earlier year is known, and the answers of this one so far were counted."""
        return self.years == (self.year,)


def request(session: Session, *, why: str, now: dt.datetime) -> uuid.UUID:
    """Enqueue an estimate of all rounds now, besides the daily one; only once for each `why`."""
    return jobs.enqueue(session, KIND, key=f"{KIND}:{why}", now=now)


def replay(made: WaitingMarket, progress: Callable[[int, int], None] | None = None) -> ReplayCounts:
    """Replay many times.  Needs no transaction; the same market gives the same counts."""
    market, number = made.market, replays_for(made)
    dates, rng = len(made.horizons), np.random.default_rng(1)
    took_part = np.zeros((dates, market.children), dtype=np.int32)
    placed = np.zeros((dates, len(market.programme)), dtype=np.int32)
    for turn in range(number):
        year = int(rng.integers(len(made.first)))
        gone = (made.held == FREE) & _together(made, rng, _share(rng, made.first[year]))
        for at, horizon in enumerate(made.horizons):
            gone = gone | _given_up(made, horizon, year, rng)
            took_part[at] += ~gone
            _count(made, ~gone, placed[at])
        if progress is not None and (turn + 1) % AT_ONCE == 0:
            progress(turn + 1, number)
    return ReplayCounts(took_part, placed)


def replays_for(made: WaitingMarket) -> int:
    """How many replays an estimate of this market uses."""
    return max(FEWEST_REPLAYS, min(REPLAYS, MOST_WORK // max(len(made.market.programme), 1)))


def _share(rng: np.random.Generator, counted: tuple[int, int]) -> float:
    given_up, of = counted
    return float(rng.beta(given_up + 0.5, of - given_up + 0.5))


def _together(made: WaitingMarket, rng: np.random.Generator, share: float) -> Array:
    """bool[n]: who gives up, each with this probability, children who answer together alike."""
    return (rng.random(int(made.group.max()) + 1) < share)[made.group]


def _given_up(made: WaitingMarket, horizon: Horizon, year: int, rng: np.random.Generator) -> Array:
    share = _share(rng, horizon.shares[year])
    unanswered = made.held == UNANSWERED
    if horizon.step == "confirmation":
        return unanswered & _together(made, rng, _share_of_the_rest(made, share, int(unanswered.sum())))
    still = unanswered | (made.held == EXPECTED_TO_ARRIVE)
    return still & _together(made, rng, 1 - (1 - share) ** horizon.part)


def _share_of_the_rest(made: WaitingMarket, share: float, unanswered: int) -> float:
    """How many of those who have still to answer give up, if `share` of all do: the later the answer, the more of them."""
    expected = share * (made.so_far.of + unanswered) - made.so_far.given_up
    return min(max(share, expected / max(unanswered, 1)), SILENT)


def _count(made: WaitingMarket, kept: Array, placed: Array) -> None:
    """Solve the market of those who are left, and count the wish that each child got."""
    rows = np.flatnonzero(kept)
    outcome = solve(made.market.of_children(kept))
    got = outcome.rank > 0
    placed[made.market.offsets[rows[got]] + outcome.rank[got] - 1] += 1


def save(session: Session, made: WaitingMarket, counted: ReplayCounts) -> int | None:
    """Replace the estimate of the round.  Returns how many children wait, or None if a newer run or estimate is there."""
    session.get_one(Round, made.round_id, with_for_update={"key_share": True}, populate_existing=True)
    latest = runs.published(session, made.round_id)
    last = session.get(MovementEstimate, made.round_id, populate_existing=True)
    if latest is None or latest.id != made.run_id or (last is not None and last.made_at > made.made_at):
        return None
    forget(session, made.round_id)
    session.add(
        MovementEstimate(
            round_id=made.round_id,
            run_id=made.run_id,
            made_at=made.made_at,
            dates=[{"step": each.step, "at": each.at.isoformat()} for each in made.horizons],
            years=list(made.years),
            answers=made.answers,
        )
    )
    session.flush()
    rows = list(_rows(made, counted))
    bulk_copy.copy_rows(session, "movement_chance", ("application_id", "round_id", "replays", "placed"), rows)
    return len(rows)


def forget(session: Session, round_id: uuid.UUID) -> None:
    """Delete the estimate of a round, and with it what was counted for each child."""
    session.execute(delete(MovementChance).where(MovementChance.round_id == round_id))
    session.execute(delete(MovementEstimate).where(MovementEstimate.round_id == round_id))
    session.expire_all()


def _rows(
    made: WaitingMarket, counted: ReplayCounts
) -> Iterator[tuple[uuid.UUID, uuid.UUID, str, dict[str, list[int]]]]:
    market = made.market
    current = market.current if market.current is not None else np.full(market.children, -1)
    for row, application_id in enumerate(made.applications):
        first, last = int(market.offsets[row]), int(market.offsets[row + 1])
        wished = market.programme[first:last].tolist()
        better = wished.index(current[row]) if current[row] in wished else len(wished)
        if better:
            placed = {
                str(made.ranks[row][at]): [int(of_date[first + at]) for of_date in counted.placed]
                for at in range(better)
            }
            yield application_id, made.round_id, json.dumps(counted.took_part[:, row].tolist()), placed


def of_application(session: Session, application_id: uuid.UUID, round_: Round) -> Movement | None:
    """The stored movement of a waiting child in this round; None where there is none."""
    mine = next((each for each in CHANCES.of(session, application_id) if each.round_id == round_.id), None)
    made = ESTIMATES.one(session, round_.id) if mine is not None else None
    if mine is None or made is None:
        return None
    return Movement(
        made_at=made.made_at,
        dates=tuple((each["step"], dt.datetime.fromisoformat(each["at"])) for each in made.dates),
        years=tuple(made.years),
        year=round_.year,
        chances={
            int(rank): tuple(
                Odds(Chance(hits, of)) if of else None for hits, of in zip(placed, mine.replays, strict=True)
            )
            for rank, placed in mine.placed.items()
        },
    )
