"""A complete outcome from placements alone: cut-offs, overhang and tiers are computed from the definitions.

So the cut-offs, overhang and tiers of a wrong placement are consistent with it, and a check can find only the placement
itself.
"""

import numpy as np

from allocation.market import Market
from allocation.outcome import ALL, LINE, NONE, Cutoffs, Outcome
from tests.engine.definitions import Rule


def told(market: Market, rank, pool) -> Outcome:
    """The outcome that gives each child the wish of this rank (0 for none) in this pool. No siblings."""
    rank, pool = np.asarray(rank, dtype=np.int32), np.asarray(pool, dtype=np.int32)
    programme = np.where(pool >= 0, market.pools.programme[pool], -1).astype(np.int32)
    taken = np.bincount(programme[programme >= 0], minlength=market.programmes)
    rule = Rule(market)
    tier = market.tier.copy()
    for unit in rule.units:
        wishes = [range(market.offsets[c], market.offsets[c + 1]) for c in unit]
        for same in zip(*wishes, strict=True):
            tier[list(same)] = max(market.tier[w] for w in same)
    return Outcome(
        market, programme, rank, pool, lines(rule, rank, pool), np.maximum(taken - market.places, 0).astype(np.int32),
        unit_tier=tier, proposals=0,
    )  # fmt: skip


def lines(rule: Rule, rank, pool) -> Cutoffs:
    """The cut-off of each pool: its worst unit without a guaranteed place, if it refused a unit."""
    rows = []
    for q, places in enumerate(rule.places):
        seated, refused = [], 0
        for unit, tries in zip(rule.units, rule.tries, strict=True):
            for step, p, standing, _ in tries:
                mine = (rank[unit[0]], pool[unit[0]]) == (step, p)
                if p == q and mine:
                    seated.append(standing)
                elif p == q and (rank[unit[0]] == 0 or (step, p) < (rank[unit[0]], pool[unit[0]])):
                    refused += 1
        ordinary = [standing for standing in seated if standing[0]]
        filled = int(np.count_nonzero(pool == q))
        if places and refused and ordinary:
            _, outsider, tier, ticket = max(ordinary)
            rows.append((filled, LINE, not outsider, tier, ticket))
        else:
            rows.append((filled, ALL if places and not refused else NONE, 0, 0, 0))
    types = (np.int32, np.uint8, np.uint8, np.uint8, np.uint32)
    return Cutoffs(*(np.array(column, dtype=kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)))
