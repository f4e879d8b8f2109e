"""Renumbers the children by their first wish: children with neighbouring numbers then use the same pools in the cache.

This saves time if a market is solved many times, or if it is much larger than the cache. Every step reads the children
once in order and writes each block in order, so it is about as fast as copying memory. The arrays are allocated by
numpy, which asks the operating system for large pages.
"""

from typing import Any

import numpy as np

from allocation.arrays import Array, readonly
from allocation.compilation import jit
from allocation.market import Market

LARGE_MARKET = 1 << 17  # children; from this size on, ``solve`` renumbers them first
BLOCK = 1 << 14  # children whose wishes, places and keys fit into the cache of one core


def number_by_first_wish(market: Market, block: int = 1) -> Array:
    """The new number of each child (int32[n]), in the order of the first wish's programme; children without a wish last.

    Programmes are taken together until about ``block`` children wish for them first; inside such a block the children
    stay in the order they are in.
    """
    together = market.programmes * block // max(market.children, 1)
    number = np.empty(market.children, dtype=np.int32)
    _number(market.offsets, market.programme, market.programmes, max(together.bit_length() - 1, 0), number)
    return readonly(number, np.int32)


def renumber_market(market: Market, number: Array) -> Market:
    """The market with child ``i`` as child ``number[i]``; without families, which change no result, and with the old codes."""
    offsets = permute_offsets(market.offsets, number)
    programme, tier = np.empty_like(market.programme), np.empty_like(market.tier)
    _move_wishes(market.programme, market.tier, market.offsets, offsets, number, programme, tier)
    change: dict[str, Any] = {
        "offsets": offsets,
        "programme": programme,
        "tier": tier,
        "family": None,
        "rank": None,  # only published
    }
    for name in ("ticket", "unit", "current"):
        column = getattr(market, name)
        change[name] = None if column is None else permute(column, number)
    if market.elder is not None:
        named = np.where(market.elder >= 0, number[market.elder], -1)
        change["elder"] = permute(named.astype(np.int32), number)
    if market.group_start is not None and market.group is not None:
        change["group_start"] = permute_offsets(market.group_start, number)
        change["group"] = permute_rows(market.group, market.group_start, change["group_start"], number)
    return market.with_columns(**change)


def _read_only(column: Array) -> Array:
    """The same column as a read-only array, so that numba compiles for one type of array only."""
    return readonly(column, column.dtype)


def permute(column: Array, number: Array) -> Array:
    """One value for each child, in the new order."""
    out = np.empty_like(column)
    _move(_read_only(column), number, out)
    return out


def permute_offsets(start: Array, number: Array) -> Array:
    """Where each child's rows begin in the new order (int64[n + 1])."""
    out = np.empty_like(start)
    _move_starts(start, number, out)
    return _read_only(out)


def permute_rows(column: Array, start: Array, to: Array, number: Array) -> Array:
    """The rows of each child, in the new order; they began at ``start`` and begin at ``to``."""
    out = np.empty_like(column)
    _move_rows(_read_only(column), start, to, number, out)
    return out


def restore_rows(column: Array, start: Array, to: Array, number: Array) -> Array:
    """The rows of each child, from the new order, where they begin at ``to``, into the old one."""
    out = np.empty_like(column)
    _move_rows_back(_read_only(column), start, to, number, out)
    return out


@jit
def _number(offsets: Array, programme: Array, programmes: int, shift: int, number: Array) -> None:
    """A counting sort by blocks of ``2 ** shift`` programmes."""
    last = (programmes >> shift) + 1
    next_number = np.zeros(last + 2, dtype=np.int32)
    for child in range(number.shape[0]):
        block = last
        if offsets[child] < offsets[child + 1]:
            block = programme[offsets[child]] >> shift
        next_number[block + 1] += 1
    for block in range(last):
        next_number[block + 1] += next_number[block]
    for child in range(number.shape[0]):
        block = last
        if offsets[child] < offsets[child + 1]:
            block = programme[offsets[child]] >> shift
        number[child] = next_number[block]
        next_number[block] += 1


@jit
def _move(column: Array, number: Array, out: Array) -> None:
    for child in range(number.shape[0]):
        out[number[child]] = column[child]


@jit
def _move_starts(start: Array, number: Array, out: Array) -> None:
    out[0] = 0
    for child in range(number.shape[0]):
        out[number[child] + 1] = start[child + 1] - start[child]
    for child in range(number.shape[0]):
        out[child + 1] += out[child]


@jit
def _move_wishes(
    programme: Array, tier: Array, start: Array, to: Array, number: Array, to_programme: Array, to_tier: Array
) -> None:
    for child in range(number.shape[0]):
        ahead = to[number[child]] - start[child]
        for wish in range(start[child], start[child + 1]):
            to_programme[wish + ahead] = programme[wish]
            to_tier[wish + ahead] = tier[wish]


@jit
def _move_rows(column: Array, start: Array, to: Array, number: Array, out: Array) -> None:
    for child in range(number.shape[0]):
        ahead = to[number[child]] - start[child]
        for row in range(start[child], start[child + 1]):
            out[row + ahead] = column[row]


@jit
def _move_rows_back(column: Array, start: Array, to: Array, number: Array, out: Array) -> None:
    for child in range(number.shape[0]):
        ahead = to[number[child]] - start[child]
        for row in range(start[child], start[child + 1]):
            out[row] = column[row + ahead]
