"""Children in the order of their first wish: neighbours then ask the same pools, which are in the cache.

Pays when a market is solved many times, or when it is far larger than the cache.
"""

import numpy as np

from allocation.compiled import compiled
from allocation.market import Market


def by_first_wish(market: Market) -> np.ndarray:
    """Child numbers (int64[n]) in the order of their first wish's programme; those without a wish last."""
    return _order(market.offsets, market.programme, market.programmes)


def renumbered(market: Market, order: np.ndarray) -> Market:
    """The market with child ``order[i]`` as child ``i``. Families are filled in; codes are left as they were."""
    offsets, programme, tier = _gather(market.offsets, market.programme, market.tier, order)
    change = {"offsets": offsets, "programme": programme, "tier": tier}
    for name in ("ticket", "unit", "current"):
        column = getattr(market, name)
        change[name] = None if column is None else column[order]
    change["family"] = order if market.family is None else market.family[order]
    if market.elder is not None:
        to = np.empty(market.children + 1, dtype=np.int32)
        to[order], to[-1] = np.arange(market.children), -1
        change["elder"] = to[market.elder[order]]
    if market.group_start is not None and market.group is not None:
        change["group_start"], change["group"], _ = _gather(market.group_start, market.group, market.group[:0], order)
    return market.with_columns(**change)


@compiled
def _order(offsets, programme, programmes):
    """A counting sort."""
    children = offsets.shape[0] - 1
    next_place = np.zeros(programmes + 2, dtype=np.int64)
    for child in range(children):
        first = programmes
        if offsets[child] < offsets[child + 1]:
            first = programme[offsets[child]]
        next_place[first + 1] += 1
    for p in range(programmes):
        next_place[p + 1] += next_place[p]
    order = np.empty(children, dtype=np.int64)
    for child in range(children):
        first = programmes
        if offsets[child] < offsets[child + 1]:
            first = programme[offsets[child]]
        order[next_place[first]] = child
        next_place[first] += 1
    return order


@compiled
def _gather(start, one, two, order):
    """Rows of two columns in a new order, and where each child's rows begin."""
    begin = np.zeros(order.shape[0] + 1, dtype=np.int64)
    first, second = np.empty_like(one), np.empty_like(two)
    both = two.shape[0] > 0
    for child in range(order.shape[0]):
        at = begin[child]
        for row in range(start[order[child]], start[order[child] + 1]):
            first[at] = one[row]
            if both:
                second[at] = two[row]
            at += 1
        begin[child + 1] = at
    return begin, first, second


def rows_in_order(start: np.ndarray, column: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The rows of one column, child by child in this order."""
    return _gather(start, column, column[:0], order)[1]
