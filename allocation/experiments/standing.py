"""Who stands before whom in a pool, after the draw: complaints, chances missed, and the nearest place left.

The key of a child in a pool is ``outsider << 36 | tier << 32 | ticket``, lower is better.
"""

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit

OUTSIDER_AT, TIER_AT = 36, 32


@jit
def key_of(is_outsider: bool, tier: int, ticket: int) -> np.uint64:
    """The key of a child in a pool."""
    return (np.uint64(is_outsider) << np.uint64(36)) | (np.uint64(tier) << np.uint64(32)) | np.uint64(ticket)


@jit
def belongs(mask: Array | None, wish: int, pool_in_programme: int) -> bool:
    """Whether the child of this wish is of the pool's groups."""
    if mask is None:
        return True
    return bool((mask[wish] >> np.uint16(pool_in_programme)) & np.uint16(1))


@jit
def worst_keys(
    offsets: Array, programme: Array, mask: Array | None, pool_start: Array, own: Array, pool: Array, tier: Array, ticket: Array, worst: Array
) -> None:  # fmt: skip
    """Write the key of the last admitted child of each pool (uint64[pools]; 0: nobody)."""
    worst[:] = 0
    for child in range(own.shape[0]):
        if own[child] < 0:
            continue
        wish = offsets[child] + own[child]
        outsider = not belongs(mask, wish, pool[child] - pool_start[programme[wish]])
        key = key_of(outsider, tier[child], ticket[child])
        worst[pool[child]] = max(worst[pool[child]], key)


@jit
def wanted_more(
    offsets: Array, programme: Array, tier: Array, mask: Array | None, pool_start: Array, locked: Array, leader: Array, position: Array, ticket: Array, line: Array, found: Array
) -> None:  # fmt: skip
    """Mark (``found``) the children with a better wish than their place (``position`` in the list, -1 none) whose key in one
    of its pools is before ``line``: of the last admitted, a justified complaint; of the best refused, a chance missed.
    """
    for child in range(leader.shape[0]):
        unit = leader[child]
        found[child] = 0
        last = offsets[child + 1] if position[child] < 0 else offsets[child] + position[child]
        for step in range(last - offsets[child]):
            wish = offsets[unit] + step
            first = pool_start[programme[wish]]
            for q in range(first, pool_start[programme[wish] + 1]):
                inside = belongs(mask, wish, q - first)
                if locked[q] and not inside:
                    continue
                if key_of(not inside, tier[wish], ticket[child]) < line[q]:
                    found[child] = 1
                    break
            if found[child]:
                break


@jit
def place_nearest(
    order: Array, offsets: Array, programme: Array, metres: Array, own: Array, left: Array, office: Array
) -> None:
    """Give each child without a place, in ``order``, the nearest programme of its list with a place left.

    ``left`` (int32[programmes]) is reduced; ``office`` int32[n] gets the position in the list, -1 where there is none.
    Distances that are not known (-1) come last.
    """
    office[:] = -1
    for child in order:
        if own[child] >= 0:
            continue
        best = np.int64(-1)
        nearest = np.int64(1 << 40)
        for wish in range(offsets[child], offsets[child + 1]):
            away = np.int64(metres[wish])
            if away < 0:
                away = np.int64(1 << 39) + wish - offsets[child]
            if left[programme[wish]] > 0 and away < nearest:
                best, nearest = np.int64(wish), away
        if best >= 0:
            office[child] = best - offsets[child]
            left[programme[best]] -= 1
