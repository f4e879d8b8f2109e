"""Who gets which place: the whole rule, from a market to an outcome."""

from collections.abc import Callable
from typing import Any

import numpy as np

from allocation import deferred_acceptance as matching
from allocation.arrays import frozen
from allocation.compilation import compiled
from allocation.faults import Fault, MarketFault
from allocation.files.csv_rows import Column, csv_bytes
from allocation.market import Market
from allocation.outcome import ALL, LINE, NONE, Cutoffs, Outcome
from allocation.pools import Pool, pool_masks
from allocation.renumber import BLOCK, by_first_wish, renumbered, rows_moved_back
from allocation.sha256 import digests
from allocation.siblings import by_level, raise_tiers
from allocation.units import Units, form_units

LARGE = 1 << 17  # children; from here on it pays to put neighbours side by side first


def solve(market: Market, progress: Callable[[str], None] | None = None) -> Outcome:
    """Place the children of ``market``. The same market gives the same outcome, whatever the order of its rows.

    Raises :class:`~allocation.faults.MarketFault` if the tickets have not been drawn. ``progress`` is told of each
    class level before it is placed.
    """
    if market.ticket is None:
        raise MarketFault([Fault("tickets", -1, "ticket", "the tickets have not been drawn")])
    if market.children < LARGE:
        return place_all(market, pool_masks(market), progress).outcome(market)
    number = by_first_wish(market, BLOCK)
    local = renumbered(market, number)
    return place_all(local, pool_masks(local), progress).outcome(market, number)


def place_all(market: Market, masks: np.ndarray | None, progress: Callable[[str], None] | None = None) -> "State":
    """Let every unit ask until nobody asks any more; ``masks`` as from :func:`allocation.pools.pool_masks`."""
    units = form_units(market, masks)
    state = State(market, units)
    for order in by_level(market, units):
        if progress:
            progress(f"placing {len(order)} units")
        state.place(order)
    return state


class State:
    """What the pools hold while the units ask (arrays as in :mod:`allocation.deferred_acceptance`)."""

    def __init__(self, market: Market, units: Units):
        self.market, self.units = market, units
        self.tier, self.ticket = frozen(units.tier, np.uint8), frozen(units.ticket, np.uint32)  # views for reading
        pools = market.pools
        self.base = matching.heap_starts(market.programme, pools.start, pools.places)
        self.heap = np.empty(self.base[-1], dtype=np.uint64)
        self.held = np.empty(pools.count, dtype=np.int32)
        self.limit = np.empty(pools.count, dtype=np.uint64)
        self.at = np.empty(market.children, dtype=np.int64)
        self.plain = units.mask is None and units.size is None
        self.pool_at = np.empty(0 if self.plain else market.children, dtype=np.int8)
        self.used = self.held if units.size is None else np.empty(pools.count, dtype=np.int32)
        self.waiting = np.empty(0 if self.plain else market.children + 1, dtype=np.int32)
        self.clear()

    def clear(self) -> None:
        """Nobody has asked yet."""
        self.held[:], self.used[:], self.limit[:], self.pool_at[:] = 0, 0, matching.NO_LIMIT, 0
        self.at[:] = self.market.offsets[:-1]
        self.proposals = 0

    def place(self, order: np.ndarray) -> None:
        """Let the units in ``order`` ask, after those placed before."""
        market, units, pools = self.market, self.units, self.market.pools
        if units.elder is not None and market.sibling_tier is not None:
            leader = units.leader if units.leader is not None else np.arange(market.children, dtype=np.int32)
            raise_tiers(
                order, market.offsets, market.programme, units.tier, units.elder, leader, self.at,
                market.kindergarten, market.sibling_tier,
            )  # fmt: skip
        if self.plain:
            self.proposals += matching.match_singles(
                order, market.offsets, market.programme, self.tier, self.ticket, pools.places,
                self.base, self.heap, self.held, self.limit, self.at,
            )  # fmt: skip
            return
        self.proposals += matching.match_units(
            order, market.offsets, market.programme, self.tier, self.ticket, units.mask, units.size, units.current,
            market.pair_rule == "close", pools.start, pools.places, pools.locked,
            self.base, self.heap, self.held, self.used, self.limit, self.at, self.pool_at,
            self.waiting,
        )  # fmt: skip

    def outcome(self, first: Market, number: np.ndarray | None = None) -> Outcome:
        """Read the outcome off the pools, told of the ``first`` market: its child ``i`` is child ``number[i]`` here."""
        market, units, pools = self.market, self.units, self.market.pools
        tier = _tiers_of_members(market, units)
        if number is None:
            number = frozen(np.arange(market.children), np.int32)
        elif tier is market.tier:
            tier = first.tier
        else:
            tier = frozen(rows_moved_back(tier, first.offsets, market.offsets, number), np.uint8)
        programme, rank, pool = (np.empty(market.children, dtype=np.int32) for _ in range(3))
        filled = np.zeros(pools.count, dtype=np.int32)
        read_placements(
            number, units.leader, market.offsets, market.programme, pools.start, self.at, self.pool_at,
            programme, rank, pool, filled,
        )  # fmt: skip
        state, eligible, tier_of_line, ticket = read_cutoffs(pools.places, self.base, self.heap, self.held, self.limit)
        taken = np.zeros(market.programmes, dtype=np.int32)
        np.add.at(taken, pools.programme, filled)
        return Outcome(
            market=first,
            programme=programme,
            rank=rank,
            pool=pool,
            cutoffs=Cutoffs(filled=filled, state=state, eligible=eligible, tier=tier_of_line, ticket=ticket),
            overhang=np.maximum(taken - market.places, 0),
            unit_tier=tier,
            proposals=int(self.proposals),
        )


@compiled
def read_placements(
    number, leader, offsets, programme, pool_start, at, pool_at, to_programme, to_rank, to_pool, filled
):  # fmt: skip
    """Where the unit of each child has come to rest: its programme, rank and pool; and the children in each pool.

    Child ``i`` of what is written is child ``number[i]`` of what is read.
    """
    for child in range(number.shape[0]):
        unit = np.int64(number[child])
        if leader is not None:
            unit = np.int64(leader[unit])
        wish = at[unit]
        if wish == offsets[unit + 1]:
            to_programme[child], to_rank[child], to_pool[child] = -1, 0, -1
            continue
        p = programme[wish]
        q = pool_start[p]
        if pool_at.shape[0] > 0:
            q += pool_at[unit] % matching.STANDS_OVER
        to_programme[child] = p
        to_rank[child] = wish - offsets[unit] + 1
        to_pool[child] = q
        filled[q] += 1


@compiled
def read_cutoffs(places, base, heap, held, limit):
    """The line of each pool: its worst unit without a guaranteed place, where somebody was refused."""
    count = places.shape[0]
    state = np.zeros(count, dtype=np.uint8)
    eligible = np.zeros(count, dtype=np.uint8)
    tier = np.zeros(count, dtype=np.uint8)
    ticket = np.zeros(count, dtype=np.uint32)
    for pool in range(count):
        if places[pool] == 0:
            state[pool] = NONE
        elif limit[pool] == matching.NO_LIMIT:
            state[pool] = ALL
        else:
            state[pool] = NONE
            if held[pool] > 0:
                guaranteed, belongs, worst_tier, worst_ticket = matching.read_standing(heap[base[pool]])
                if not guaranteed:
                    state[pool] = LINE
                    eligible[pool] = belongs
                    tier[pool] = worst_tier
                    ticket[pool] = worst_ticket
    return state, eligible, tier, ticket


def _tiers_of_members(market: Market, units: Units) -> np.ndarray:
    """The tier that counted for each wish: every member of a unit shows the unit's."""
    if units.leader is not None:
        share_tiers(units.leader, market.offsets, units.tier)
    return frozen(units.tier, np.uint8)


@compiled
def share_tiers(leader, offsets, tier):
    """Write the tiers of each unit's leader into the rows of its other members."""
    for child in range(leader.shape[0]):
        head = leader[child]
        if head != child:
            for step in range(offsets[child + 1] - offsets[child]):
                tier[offsets[child] + step] = tier[offsets[head] + step]


_SHAPES: tuple[dict[str, Any], ...] = ({}, {"elder": [1, -1, -1], "current": [0, -1, -1]}, {"unit": [-1, 0, 0]})


def compile_all() -> None:
    """Compile every path (or load it from the cache), so that no round waits for the compiler."""
    for pools in ((), (Pool(0, "reserved", 0, 1, (0,), "open"),)):
        for columns in _SHAPES:
            market = Market.from_arrays(
                [0, 1, 2, 3], [0, 1, 1], [0, 0, 0], [1, 2, 3], [1, 1], pools=pools, groups=[(0,), (), ()],
                level=[1, 2], kindergarten=[0, 0], sibling_tier=[0, -1], **columns,
            )  # fmt: skip
            outcome = solve(market)
            _ = outcome.reasons
    number = by_first_wish(market)
    local = renumbered(market, number)
    rows_moved_back(local.tier, market.offsets, local.offsets, number)
    digests(b"", np.zeros(1, dtype=np.uint8), np.array([0, 1]))
    csv_bytes(["number"], [Column(np.zeros(1))])
