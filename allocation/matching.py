"""The state of one matching: what each pool holds while the units propose, and the outcome."""

from collections.abc import Callable

import numpy as np

from allocation import deferred_acceptance
from allocation.arrays import Array, readonly
from allocation.compilation import jit
from allocation.eligibility import pool_masks
from allocation.market import Market
from allocation.outcome import ALL, LINE, NONE, Cutoffs, Outcome
from allocation.renumber import restore_rows
from allocation.siblings import by_level, raise_tiers
from allocation.units import Units, form_units


class Matching:
    """What the pools hold while the units propose (arrays as in :mod:`allocation.deferred_acceptance`)."""

    def __init__(self, market: Market, units: Units) -> None:
        self.market, self.units = market, units
        self.tier, self.ticket = readonly(units.tier, np.uint8), readonly(units.ticket, np.uint32)  # read-only views
        pools = market.pools
        self.base = deferred_acceptance.heap_starts(market.programme, pools.start, pools.places)
        self.heap = np.empty(self.base[-1], dtype=np.uint64)
        self.held = np.empty(pools.count, dtype=np.int32)
        self.limit = np.empty(pools.count, dtype=np.uint64)
        self.at = np.empty(market.children, dtype=np.int64)
        self.plain = units.mask is None and units.size is None
        self.pool_at = np.empty(0 if self.plain else market.children, dtype=np.int8)
        self.used = self.held if units.size is None else np.empty(pools.count, dtype=np.int32)
        self.waiting = np.empty(0 if self.plain else market.children + 1, dtype=np.int32)
        self.wish_ticket: Array | None = None  # uint32[m]: a number for each wish, only in experiments
        self.clear()

    @classmethod
    def of(cls, market: Market) -> "Matching":
        """The matching of a market in which nobody has proposed yet."""
        return cls(market, form_units(market, pool_masks(market)))

    def run(self, progress: Callable[[str], None] | None = None) -> "Matching":
        """Let every unit propose until no unit proposes any more, the oldest class level first."""
        for order in by_level(self.market, self.units):
            if progress:
                progress(f"placing {len(order)} units")
            self.place(order)
        return self

    def clear(self) -> None:
        """Back to the state before the first proposal."""
        self.held[:], self.used[:], self.limit[:], self.pool_at[:] = 0, 0, deferred_acceptance.NO_LIMIT, 0
        self.at[:] = self.market.offsets[:-1]
        self.proposals = 0

    def place(self, order: Array) -> None:
        """Let the units in ``order`` propose, after the units of earlier calls."""
        market, units, pools = self.market, self.units, self.market.pools
        if units.elder is not None and market.sibling_tier is not None and market.kindergarten is not None:
            leader = units.leader if units.leader is not None else np.arange(market.children, dtype=np.int32)
            raise_tiers(
                order, market.offsets, market.programme, units.tier, units.elder, leader, self.at,
                market.kindergarten, market.sibling_tier,
            )  # fmt: skip
        if self.plain:
            self.proposals += deferred_acceptance.match_singles(
                order, market.offsets, market.programme, self.tier, self.ticket, pools.places,
                self.base, self.heap, self.held, self.limit, self.at, self.wish_ticket,
            )  # fmt: skip
            return
        self.proposals += deferred_acceptance.match_units(
            order, market.offsets, market.programme, self.tier, self.ticket, units.mask, units.size, units.current,
            market.pair_rule == "close", pools.start, pools.places, pools.locked,
            self.base, self.heap, self.held, self.used, self.limit, self.at, self.pool_at,
            self.waiting, self.wish_ticket,
        )  # fmt: skip

    def outcome(self, first: Market, number: Array | None = None) -> Outcome:
        """The outcome for the market ``first``, whose child ``i`` is child ``number[i]`` of this market."""
        market, units, pools = self.market, self.units, self.market.pools
        tier = _tiers_of_members(market, units)
        if number is None:
            number = readonly(np.arange(market.children), np.int32)
        elif tier is market.tier:
            tier = first.tier
        else:
            tier = readonly(restore_rows(tier, first.offsets, market.offsets, number), np.uint8)
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


@jit
def read_placements(
    number: Array, leader: Array | None, offsets: Array, programme: Array, pool_start: Array, at: Array, pool_at: Array, to_programme: Array, to_rank: Array, to_pool: Array, filled: Array
) -> None:  # fmt: skip
    """Write for each child the programme, rank and pool of its unit, and for each pool the number of its children.

    Child ``i`` of the written arrays is child ``number[i]`` of the read arrays.
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
            q += pool_at[unit] % deferred_acceptance.STANDS_OVER
        to_programme[child] = p
        to_rank[child] = wish - offsets[unit] + 1
        to_pool[child] = q
        filled[q] += 1


@jit
def read_cutoffs(
    places: Array, base: Array, heap: Array, held: Array, limit: Array
) -> tuple[Array, Array, Array, Array]:
    """The cut-off of each pool: its worst unit without a guaranteed place, if a unit was refused."""
    count = places.shape[0]
    state = np.zeros(count, dtype=np.uint8)
    eligible = np.zeros(count, dtype=np.uint8)
    tier = np.zeros(count, dtype=np.uint8)
    ticket = np.zeros(count, dtype=np.uint32)
    for pool in range(count):
        if places[pool] == 0:
            state[pool] = NONE
        elif limit[pool] == deferred_acceptance.NO_LIMIT:
            state[pool] = ALL
        else:
            state[pool] = NONE
            if held[pool] > 0:
                guaranteed, belongs, worst_tier, worst_ticket = deferred_acceptance.read_standing(heap[base[pool]])
                if not guaranteed:
                    state[pool] = LINE
                    eligible[pool] = belongs
                    tier[pool] = worst_tier
                    ticket[pool] = worst_ticket
    return state, eligible, tier, ticket


def _tiers_of_members(market: Market, units: Units) -> Array:
    """The tier that counted for each wish: that of the unit, for every member."""
    if units.leader is not None:
        share_tiers(units.leader, market.offsets, units.tier)
    return readonly(units.tier, np.uint8)


@jit
def share_tiers(leader: Array, offsets: Array, tier: Array) -> None:
    """Write the tiers of each unit's leader into the rows of its other members."""
    for child in range(leader.shape[0]):
        head = leader[child]
        if head != child:
            for step in range(offsets[child + 1] - offsets[child]):
                tier[offsets[child] + step] = tier[offsets[head] + step]
