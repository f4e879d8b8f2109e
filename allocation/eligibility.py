"""For each wish, the pools of the programme whose groups the child belongs to."""

import numpy as np

from allocation.arrays import Array, readonly
from allocation.compilation import jit
from allocation.market import Market


@jit
def eligible_pools(
    offsets: Array,
    programme: Array,
    child_group_start: Array,
    child_group: Array,
    pool_start: Array,
    group_start: Array,
    group: Array,
    known_groups: int,
) -> Array:
    """For each wish, bit ``j`` says that the child belongs to a group of the programme's pool ``j`` (uint16[wishes])."""
    mask = np.zeros(programme.shape[0], dtype=np.uint16)
    stamp = np.full(known_groups, -1, dtype=np.int32)
    for child in range(offsets.shape[0] - 1):
        for g in range(child_group_start[child], child_group_start[child + 1]):
            stamp[child_group[g]] = child
        for wish in range(offsets[child], offsets[child + 1]):
            first = pool_start[programme[wish]]
            for q in range(first, pool_start[programme[wish] + 1]):
                belongs = group_start[q] == group_start[q + 1]
                for g in range(group_start[q], group_start[q + 1]):
                    if stamp[group[g]] == child:
                        belongs = True
                        break
                if belongs:
                    mask[wish] |= np.uint16(1 << (q - first))
    return mask


def pool_masks(market: Market) -> Array | None:
    """For each wish the pools that are for the child, as bits; ``None`` if every programme has one pool for all."""
    pools = market.pools
    if pools.plain:
        return None
    start, group = market.group_start, market.group
    if start is None or group is None:
        start, group = readonly(np.zeros(market.children + 1), np.int64), readonly([], np.int32)
    known = 1 + max(int(group.max(initial=-1)), int(pools.group.max(initial=-1)))
    return eligible_pools(
        market.offsets, market.programme, start, group, pools.start, pools.group_start, pools.group, known
    )
