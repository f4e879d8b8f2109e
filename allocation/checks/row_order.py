"""The same market with its rows in another order, which must not change the outcome."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from allocation.arrays import Array, readonly


def changed_by_shuffling(market: Any, outcome: Any, solve: Callable[[Any], Any]) -> Array:
    """bool[n]: the child's placement changed when the rows of children and programmes were shuffled."""
    children, programmes = _shuffle(market.children), _shuffle(market.programmes)
    again = solve(_permuted(market, children, programmes))
    back = np.empty(market.children, dtype=np.int64)
    back[children] = np.arange(market.children)
    where = again.programme[back]
    name = np.where(where >= 0, programmes[where] if market.programmes else where, -1)
    first = again.market.pools.start[where]
    place = np.where(where >= 0, again.pool[back] - first, -1)
    was = np.where(outcome.programme >= 0, outcome.pool - market.pools.start[outcome.programme], -1)
    changed: Array = (name != outcome.programme) | (again.rank[back] != outcome.rank) | (place != was)
    return changed


def _shuffle(count: int) -> Array:
    """A fixed permutation of 0 … count - 1 (int64)."""
    mixed = (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E37_79B9_7F4A_7C15)
    return np.argsort(mixed ^ (mixed >> np.uint64(29)))  # no two are equal, so any way of sorting gives the same order


def _permuted(market: Any, children: Array, programmes: Array) -> Any:
    """The market with row ``i`` of its children and programmes now what was row ``children[i]``, ``programmes[i]``."""
    to_child, to_programme = np.empty_like(children), np.empty_like(programmes)
    to_child[children] = np.arange(len(children))
    to_programme[programmes] = np.arange(len(programmes))
    offsets, wish = _gather(market.offsets, children)
    change = {"offsets": offsets, "programme": to_programme[market.programme[wish]], "rank": None}
    change["tier"] = market.tier[wish]
    change["places"] = market.places[programmes]
    for name in ("ticket", "unit", "family"):
        column = getattr(market, name)
        change[name] = None if column is None else column[children]
    for name, to in (("elder", to_child), ("current", to_programme)):
        column = getattr(market, name)
        if column is not None:
            column = column[children]
            change[name] = np.where(column >= 0, to[column], -1)
    for name in ("level", "nature", "area", "kindergarten", "sibling_tier"):
        column = getattr(market, name)
        change[name] = None if column is None else column[programmes]
    if market.group_start is not None:
        change["group_start"], member = _gather(market.group_start, children)
        change["group"] = market.group[member]
    return market.with_columns(pools=_permuted_pools(market.pools, programmes, to_programme), **change)


def _permuted_pools(pools: Any, programmes: Array, to_programme: Array) -> Any:
    start, pool = _gather(pools.start.astype(np.int64), programmes)
    group_start, group = _gather(pools.group_start, pool)
    return replace(
        pools,
        start=readonly(start, np.int32),
        programme=readonly(np.repeat(np.arange(len(programmes)), np.diff(start)), np.int32),
        places=readonly(pools.places[pool], np.int32),
        locked=readonly(pools.locked[pool], bool),
        group_start=readonly(group_start, np.int64),
        group=readonly(pools.group[group], np.int32),
        names=None if pools.names is None else tuple(pools.names[q] for q in pool.tolist()),
        listed=tuple(one._replace(programme=int(to_programme[one.programme])) for one in pools.listed),
    )


def _gather(start: Array, rows: Array) -> tuple[Array, Array]:
    """CSR rows in a new order: the new starts, and for each new entry the old one."""
    lengths = np.diff(start)[rows]
    begins = np.concatenate(([0], np.cumsum(lengths)))
    entry = np.arange(begins[-1]) - np.repeat(begins[:-1], lengths) + np.repeat(start[rows], lengths)
    return begins, entry
