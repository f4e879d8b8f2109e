"""The unit-optimal stable outcome, from the definition: all units propose from the top of their lists, in rounds.

In a round every refused unit makes its next proposal. Each pool with a new proposal considers all units that propose to it
now and refuses those that the pair rule does not admit. A unit that is refused here is refused in every stable outcome.
So when no unit is refused any more, each unit has the best place that it has in any stable outcome (Gale & Shapley 1962, Biró & Kiselgof 2015).
"""

import numpy as np

from allocation.arrays import Array
from allocation.checks.proposals import FAR, Proposals

_POOL_AT = 38  # above a standing


def best_ranks(proposals: Proposals) -> Array:
    """The rank of each unit in the stable outcome that is best for all units (0: no place)."""
    market, units = proposals.market, len(proposals.member)
    places, close = market.pools.places, market.pair_rule == "close"
    kept = _step_of_guarantee(proposals)
    mine = np.flatnonzero(
        proposals.step[proposals.proposal_wish] <= kept[proposals.proposal_unit]
    )  # no unit proposes after its guaranteed place
    unit, pool, standing = proposals.proposal_unit[mine], proposals.proposal_pool[mine], proposals.standing[mine]
    in_line = (pool.astype(np.int64) << _POOL_AT) + standing
    at, end = np.searchsorted(unit, np.arange(units)), np.searchsorted(unit, np.arange(units), side="right")
    nowhere = len(places)
    asks, stands = np.full(units, nowhere), np.full(units, FAR)
    limit = np.full(nowhere, FAR)
    newcomers = np.flatnonzero(at < end)
    while len(newcomers):
        asks[newcomers], stands[newcomers] = pool[at[newcomers]], in_line[at[newcomers]]
        asked = np.zeros(nowhere + 1, dtype=bool)
        asked[asks[newcomers]] = True
        asked[nowhere] = False
        line = np.flatnonzero(asked[asks])
        line = line[np.argsort(stands[line])]
        here = asks[line]
        through, size = _sums_by_pool(proposals.size[line], here), proposals.size[line]
        no = (through > places[here]) if close else (through - size >= places[here])
        no |= standing[at[line]] >= limit[here]
        refused = line[no]
        np.minimum.at(limit, here[no], standing[at[refused]])
        at[refused] += 1
        asks[refused] = nowhere
        newcomers = refused[at[refused] < end[refused]]
    rank = np.where(kept == FAR, 0, kept + 1)  # a unit with a guaranteed place keeps it if every pool refuses
    seated = np.flatnonzero(at < end)
    rank[seated] = proposals.step[proposals.proposal_wish[mine[at[seated]]]] + 1
    return rank


def _step_of_guarantee(proposals: Proposals) -> Array:
    """For each unit the place in its list of the guaranteed programme, ``FAR`` without one."""
    step = np.full(len(proposals.member), FAR)
    own = proposals.guaranteed[proposals.wish_unit] == proposals.wish_programme
    step[proposals.wish_unit[own]] = proposals.step[own]
    return step


def _sums_by_pool(size: Array, pool: Array) -> Array:
    """The number of children up to each unit in the order of its pool."""
    through = np.cumsum(size)
    first = np.flatnonzero(np.diff(pool, prepend=-1))
    return np.asarray(through - np.repeat((through - size)[first], np.diff(np.append(first, len(pool)))))
