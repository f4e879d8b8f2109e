"""The unit-optimal stable outcome, from the definition: all units propose from the top of their lists.

A pool considers all units that propose to it now and refuses those that the pair rule does not admit; a refused unit makes
its next proposal. A unit that is refused here is refused in every stable outcome, in whatever order the proposals are made.
So when no unit is refused any more, each unit has the best place that it has in any stable outcome (Gale & Shapley 1962,
Biró & Kiselgof 2015).

Refused units wait in a work-list, so the work grows with the number of proposals and not with the length of a chain in
which one unit displaces the next.
"""

from typing import NamedTuple

import numpy as np

from allocation.arrays import Array
from allocation.checks.proposals import FAR, Proposals
from allocation.compilation import jit


class Optimum(NamedTuple):
    """``rank`` (int64[units]) in the stable outcome that is best for all units (0: no place); the ``steps`` this took.

    A step is a proposal or a refusal; there are at most two for each possible proposal.
    """

    rank: Array
    steps: int


def best_ranks(proposals: Proposals) -> Optimum:
    """The rank of each unit in the stable outcome that is best for all units."""
    market, units = proposals.market, len(proposals.member)
    kept = _step_of_guarantee(proposals)
    mine = proposals.step[proposals.proposal_wish] <= kept[proposals.proposal_unit]
    wish, unit, pool, standing = (
        column if mine.all() else column[mine]  # nobody proposes after a guaranteed place
        for column in (proposals.proposal_wish, proposals.proposal_unit, proposals.proposal_pool, proposals.standing)
    )
    begins = np.concatenate(([0], np.cumsum(np.bincount(unit, minlength=units))))
    room = np.concatenate(([0], np.cumsum(np.bincount(pool, minlength=len(market.pools.places)))))
    at, end = begins[:-1].copy(), begins[1:]
    steps = _propose(
        at, end, pool, standing, proposals.size, room[:-1], market.pools.places,
        market.pair_rule == "close",
    )  # fmt: skip
    rank = np.where(kept == FAR, 0, kept + 1)  # a unit with a guaranteed place keeps it if every pool refuses
    seated = np.flatnonzero(at < end)
    rank[seated] = proposals.step[wish[at[seated]]] + 1
    return Optimum(rank, int(steps))


@jit
def _propose(
    at: Array, end: Array, pool: Array, standing: Array, size: Array, room: Array, places: Array, close: bool
) -> int:
    """Advance ``at``, the proposal that each unit stands at, until no pool refuses it; the number of steps.

    A pool keeps its admitted units as a heap with the worst standing on top, in ``line`` and ``who`` from ``room[pool]`` on;
    at and after its ``limit`` it refuses everybody.
    """
    line, who = np.empty(len(pool), dtype=np.int64), np.empty(len(pool), dtype=np.int64)
    count, held = np.zeros(len(places), dtype=np.int64), np.zeros(len(places), dtype=np.int64)
    limit = np.full(len(places), FAR)
    waiting = np.arange(len(at) - 1, -1, -1)
    left, steps = len(waiting), 0
    while left > 0:
        left -= 1
        unit = waiting[left]
        while at[unit] < end[unit] and standing[at[unit]] >= limit[pool[at[unit]]]:
            at[unit] += 1
            steps += 1
        if at[unit] == end[unit]:
            continue
        steps += 1
        q = pool[at[unit]]
        _join(line, who, room[q], count[q], standing[at[unit]], unit)
        count[q] += 1
        held[q] += size[unit]
        while count[q] > 0:
            last = who[room[q]]
            if (held[q] <= places[q]) if close else (held[q] - size[last] < places[q]):
                break
            limit[q] = line[room[q]]
            _leave(line, who, room[q], count[q])
            count[q] -= 1
            held[q] -= size[last]
            at[last] += 1
            steps += 1
            waiting[left] = last
            left += 1
    return steps


@jit
def _join(line: Array, who: Array, base: int, count: int, standing: int, unit: int) -> None:
    """Add a unit to the heap of ``count`` units from ``base`` on; the greatest standing is its first."""
    hole = count
    while hole > 0:
        above = (hole - 1) // 2
        if line[base + above] >= standing:
            break
        line[base + hole], who[base + hole] = line[base + above], who[base + above]
        hole = above
    line[base + hole], who[base + hole] = standing, unit


@jit
def _leave(line: Array, who: Array, base: int, count: int) -> None:
    """Take the unit with the greatest standing out of the heap of ``count`` units from ``base`` on."""
    standing, unit = line[base + count - 1], who[base + count - 1]
    hole, below = 0, 1
    while below < count - 1:
        if below + 1 < count - 1 and line[base + below + 1] > line[base + below]:
            below += 1
        if line[base + below] <= standing:
            break
        line[base + hole], who[base + hole] = line[base + below], who[base + below]
        hole, below = below, 2 * below + 1
    line[base + hole], who[base + hole] = standing, unit


def _step_of_guarantee(proposals: Proposals) -> Array:
    """For each unit the place in its list of the guaranteed programme, ``FAR`` without one."""
    step = np.full(len(proposals.member), FAR)
    own = proposals.wish_own
    step[proposals.wish_unit[own]] = proposals.step[own]
    return step
