"""Concurrent siblings: class levels are allocated from the oldest down; a younger child gets the sibling tier."""

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit
from allocation.market import Market
from allocation.units import Units
from allocation.validation import child_levels


def by_level(market: Market, units: Units) -> list[Array]:
    """The unit leaders of each class level, the oldest level first (int32 arrays); all in one array if no child has an elder."""
    if units.elder is None:
        return [units.order]
    levels = child_levels(market)[units.order]
    return [units.order[levels == level] for level in np.unique(levels)[::-1]]


@jit
def raise_tiers(
    order: Array,
    offsets: Array,
    programme: Array,
    tier: Array,
    elder: Array,
    leader: Array,
    at: Array,
    kindergarten: Array,
    sibling_tier: Array,
) -> None:
    """Give each unit in ``order`` the sibling tier where its elder has been placed, unless its own is better."""
    for unit in order:
        if elder[unit] < 0:
            continue
        older = leader[elder[unit]]
        wish = at[older]
        if wish == offsets[older + 1]:
            continue
        home = kindergarten[programme[wish]]
        for ours in range(offsets[unit], offsets[unit + 1]):
            p = programme[ours]
            if kindergarten[p] == home and sibling_tier[p] >= 0:
                tier[ours] = min(tier[ours], np.uint8(sibling_tier[p]))
