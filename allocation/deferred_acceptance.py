"""Deferred acceptance (Gale & Shapley 1962): units propose to pools, and cut-offs only become stricter.

Each unit proposes in the order of its list, inside a programme to one pool after the other. A pool keeps its best units
and refuses the others; a refused unit makes its next proposal. The outcome does not depend on the order of proposals,
and every unit gets the best place that it has in any stable outcome. With bound units the pools follow the score-limit rules of Biró & Kiselgof (2015).

The key of a unit in a pool (its *standing*) is one 64-bit number, lower is better::

    bit 63  no guaranteed place here      bits 58-61  tier
    bit 62  not of the pool's groups      bits 26-57  ticket      bits 0-25  the unit itself
"""

from typing import Any

import numpy as np

from allocation.arrays import Array, Int
from allocation.compilation import jit
from allocation.units import over_full

NO_LIMIT = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
STANDS_OVER = 16  # added to the pool's number of a guaranteed unit for which no pool has room

_ONE = np.uint64(1)
_UNIT_MASK = np.uint64((1 << 26) - 1)
_TICKET_AT = np.uint64(26)
_TIER_AT = np.uint64(58)
_OUTSIDER = np.uint64(1 << 62)
_ORDINARY = np.uint64(1 << 63)
_TIER_MASK = np.uint64(15)
_TICKET_MASK = np.uint64(0xFFFF_FFFF)


@jit
def standing(tier: int, ticket: int, unit: Int) -> np.uint64:
    """The key of an ordinary unit that belongs to the pool's groups."""
    return _ORDINARY | (np.uint64(tier) << _TIER_AT) | (np.uint64(ticket) << _TICKET_AT) | np.uint64(unit)


@jit
def read_standing(key: np.uint64) -> tuple[bool, bool, np.uint64, np.uint64]:
    """``(guaranteed, eligible, tier, ticket)`` of a key."""
    tier = (key >> _TIER_AT) & _TIER_MASK
    ticket = (key >> _TICKET_AT) & _TICKET_MASK
    return key & _ORDINARY == 0, key & _OUTSIDER == 0, tier, ticket


@jit
def push(heap: Array, base: int, count: int, key: np.uint64) -> None:
    """Add ``key`` to the max-heap ``heap[base:base + count]``."""
    at = count
    while at > 0:
        above = (at - 1) >> 1
        if heap[base + above] >= key:
            break
        heap[base + at] = heap[base + above]
        at = above
    heap[base + at] = key


@jit
def replace_worst(heap: Array, base: Any, count: int, key: np.uint64) -> None:
    """Put ``key`` in the place of the worst in ``heap[base:base + count]``."""
    base, at, below, last = np.uint64(base), np.uint64(0), np.uint64(1), np.uint64(max(count - 1, 0))
    while below < last:
        left, right = heap[base + below], heap[base + below + _ONE]
        below += np.uint64(right > left)  # no branch: the branch would be unpredictable
        worse = max(left, right)
        if worse <= key:
            break
        heap[base + at] = worse
        at = below
        below += below + _ONE
    if below == last and heap[base + below] > key:
        heap[base + at] = heap[base + below]
        at = below
    heap[base + at] = key


@jit
def next_pool(first: int, after: int, last: int, mask: np.uint16, places: Array, locked: Array) -> int:
    """The first pool from ``after`` on that has places and may be asked by a unit with ``mask``; ``last`` if none."""
    pool = after
    while pool < last:
        if places[pool] > 0 and (not locked[pool] or (mask >> np.uint16(pool - first)) & np.uint16(1)):
            break
        pool += 1
    return pool


@jit
def last_pool(first: int, last: int, mask: np.uint16, places: Array, locked: Array) -> int:
    """The last pool that such a unit may ask; the programme's last pool if there is none."""
    for pool in range(last - 1, first - 1, -1):
        if next_pool(first, pool, pool + 1, mask, places, locked) == pool:
            return pool
    return last - 1


@jit
def heap_starts(programme: Array, pool_start: Array, places: Array) -> Array:
    """Where the heap of each pool begins (int64[pools + 1]). A heap holds at most its places, or all who can propose, plus one."""
    asked = np.zeros(pool_start.shape[0] - 1, dtype=np.int64)
    for wish in range(programme.shape[0]):
        asked[programme[wish]] += 1
    start = np.zeros(places.shape[0] + 1, dtype=np.int64)
    for p in range(asked.shape[0]):
        for pool in range(pool_start[p], pool_start[p + 1]):
            start[pool + 1] = start[pool] + min(np.int64(places[pool]), asked[p]) + 1
    return start


@jit
def match_singles(
    order: Array,
    offsets: Array,
    programme: Array,
    tier: Array,
    ticket: Array,
    places: Array,
    base: Array,
    heap: Array,
    held: Array,
    limit: Array,
    at: Array,
    wish_ticket: Array | None = None,
) -> int:
    """The plain rule: one pool for each programme, one child for each unit. Updates the state; returns the number of proposals.

    ``wish_ticket`` (uint32[m]) has a number of its own for each wish instead of the child's ticket.

    State, kept between calls: ``heap`` (uint64, laid out by ``base``), ``held`` int32[pools] children in each,
    ``limit`` uint64[pools] the best key ever refused, ``at`` int64[n] the present wish of each child.
    """
    asked = 0
    for start in range(order.shape[0]):
        child = np.int64(order[start])
        wish = at[child]
        while wish < offsets[child + 1]:
            asked += 1
            pool = programme[wish]
            count = held[pool]
            number = ticket[child] if wish_ticket is None else wish_ticket[wish]
            key = standing(tier[wish], number, child)
            if count < places[pool]:
                push(heap, base[pool], count, key)
                held[pool] = count + 1
                at[child] = wish
                break
            refused = key
            if count > 0 and key < heap[base[pool]]:
                refused = heap[base[pool]]
                replace_worst(heap, base[pool], count, key)
                at[child] = wish
                child = np.int64(refused & _UNIT_MASK)
                wish = at[child]
            if refused < limit[pool]:
                limit[pool] = refused
            wish += 1
        else:
            at[child] = wish
    return asked


@jit
def match_units(
    order: Array, offsets: Array, programme: Array, tier: Array, ticket: Array, mask: Array | None, size: Array | None, current: Array | None, close: bool, pool_start: Array, places: Array, locked: Array, base: Array, heap: Array, held: Array,
    used: Array, limit: Array, at: Array, pool_at: Array, waiting: Array, wish_ticket: Array | None = None,
) -> int:  # fmt: skip
    """The whole rule. As :func:`match_singles`, and: ``mask`` (``None``: one pool each), ``size``, ``current`` as in
    :class:`allocation.units.Units`; ``used`` int32[pools] places taken; ``pool_at`` int8[n] the present pool of
    each unit inside its programme; ``waiting`` int32[n + 1] a stack for the refused units.
    """
    asked = 0
    for start in range(order.shape[0]):
        waiting[0] = order[start]
        depth = 1
        while depth > 0:
            depth -= 1
            unit = np.int64(waiting[depth])
            wish = at[unit]
            while wish < offsets[unit + 1]:
                p = programme[wish]
                guaranteed = False
                if current is not None:
                    guaranteed = current[unit] == p
                first = pool_start[p]
                last = pool_start[p + 1]
                bits = np.uint16(0xFFFF)
                if mask is not None:
                    bits = mask[wish]
                pool = next_pool(first, first + pool_at[unit], last, bits, places, locked)
                if pool == last:
                    if guaranteed:
                        pool_at[unit] = STANDS_OVER + last_pool(first, last, bits, places, locked) - first
                        break
                    wish += 1
                    pool_at[unit] = 0
                    continue
                asked += 1
                pool_at[unit] = pool - first
                number = ticket[unit] if wish_ticket is None else wish_ticket[wish]
                key = standing(tier[wish], number, unit)
                if guaranteed:
                    key &= ~_ORDINARY
                if not (bits >> np.uint16(pool - first)) & np.uint16(1):
                    key |= _OUTSIDER
                if key >= limit[pool]:
                    pool_at[unit] += 1
                    continue
                count = held[pool] + 1
                push(heap, base[pool], held[pool], key)
                if size is None:
                    if count > places[pool]:
                        count -= 1
                        worst = heap[base[pool]]
                        replace_worst(heap, base[pool], count, heap[base[pool] + count])
                        limit[pool] = min(limit[pool], worst)
                        other = np.int64(worst & _UNIT_MASK)
                        pool_at[other] += 1
                        waiting[depth] = other
                        depth += 1
                else:
                    used[pool] += size[unit]
                    while True:
                        worst = heap[base[pool]]
                        other = np.int64(worst & _UNIT_MASK)
                        if not over_full(used[pool], size[other], places[pool], close):
                            break
                        count -= 1
                        replace_worst(heap, base[pool], count, heap[base[pool] + count])
                        used[pool] -= size[other]
                        limit[pool] = min(limit[pool], worst)
                        pool_at[other] += 1
                        waiting[depth] = other
                        depth += 1
                held[pool] = count
                break
            at[unit] = wish
    return asked
