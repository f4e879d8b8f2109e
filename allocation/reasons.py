"""For each wish the reason why it was granted or refused, with the numbers that decided; and a family's own check."""

from dataclasses import dataclass

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit
from allocation.eligibility import pool_masks
from allocation.market import Market
from allocation.outcome import ALL, LINE, STATES, Outcome
from allocation.units import form_units

PLACED, PLACED_HIGHER, NO_PLACES, NOT_ELIGIBLE, CLOSED_BY_UNIT, TIER_BELOW_CUTOFF, TICKET_AFTER_CUTOFF = range(7)


@dataclass(frozen=True)
class Reasons:
    """One row for each wish, in the order of the market's wishes; -1 means "none"."""

    code: Array  # uint8[m], index in allocation.outcome.REASONS
    pool: Array  # int32[m]: the pool that placed it, or the last one that refused it
    tier: Array  # uint8[m]: the unit's tier here, after the sibling rule
    ticket: Array  # uint32[n]: the unit's ticket, for each child
    cutoff_tier: Array  # int16[m]: the cut-off of that pool
    cutoff_ticket: Array  # int64[m]


def reasons(market: Market, outcome: Outcome) -> Reasons:
    """The reason of each wish of an outcome."""
    units = form_units(market, pool_masks(market))
    leader = units.leader if units.leader is not None else np.arange(market.children, dtype=np.int32)
    pools, cutoffs = market.pools, outcome.cutoffs
    code, pool, cutoff_tier, cutoff_ticket = _reasons(
        leader, market.offsets, market.programme, outcome.unit_tier, units.mask, outcome.rank, outcome.pool,
        pools.start, pools.places, pools.locked, cutoffs.filled, cutoffs.state, cutoffs.eligible, cutoffs.tier,
        cutoffs.ticket,
    )  # fmt: skip
    return Reasons(
        code=code,
        pool=pool,
        tier=outcome.unit_tier,
        ticket=units.ticket[leader],
        cutoff_tier=cutoff_tier,
        cutoff_ticket=cutoff_ticket,
    )


@jit
def _reasons(leader: Array, offsets: Array, programme: Array, unit_tier: Array, mask: Array | None, rank: Array, placed_in: Array, pool_start: Array, places: Array, locked: Array, filled: Array, state: Array,
             eligible: Array, tier: Array, ticket: Array) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    count = programme.shape[0]
    code = np.zeros(count, dtype=np.uint8)
    pool = np.full(count, -1, dtype=np.int32)
    cutoff_tier = np.full(count, -1, dtype=np.int16)
    cutoff_ticket = np.full(count, -1, dtype=np.int64)
    for child in range(leader.shape[0]):
        ahead = offsets[leader[child]] - offsets[child]
        granted = offsets[child + 1]
        if rank[child] > 0:
            granted = offsets[child] + rank[child] - 1
        for wish in range(offsets[child], offsets[child + 1]):
            if wish > granted:
                code[wish] = PLACED_HIGHER
                continue
            bits = np.uint16(0xFFFF)
            if mask is not None:
                bits = mask[wish + ahead]
            if wish == granted:
                code[wish] = PLACED
                q = placed_in[child]
            else:
                q, code[wish] = _refused_by(
                    pool_start[programme[wish]], pool_start[programme[wish] + 1], bits, unit_tier[wish],
                    places, locked, filled, state, eligible, tier,
                )  # fmt: skip
            pool[wish] = q
            if q >= 0 and state[q] == LINE:
                cutoff_tier[wish] = tier[q]
                cutoff_ticket[wish] = ticket[q]
    return code, pool, cutoff_tier, cutoff_ticket


@jit
def _refused_by(
    first: int,
    last: int,
    bits: np.uint16,
    own_tier: int,
    places: Array,
    locked: Array,
    filled: Array,
    state: Array,
    eligible: Array,
    tier: Array,
) -> tuple[int, int]:
    """``(pool, reason)``: the last pool that was asked, -1 if none could be, and the first reason that applies."""
    asked = -1
    any_places = False
    belongs = False
    for q in range(first, last):
        if places[q] > 0:
            any_places = True
            of_group = (bits >> np.uint16(q - first)) & np.uint16(1) == 1
            if of_group or not locked[q]:
                asked = q
                belongs = of_group
    if not any_places:
        return -1, NO_PLACES
    if asked < 0:
        return -1, NOT_ELIGIBLE
    if filled[asked] < places[asked]:
        return asked, CLOSED_BY_UNIT
    if state[asked] != LINE:
        return asked, NO_PLACES
    if eligible[asked] == 1 and not belongs:
        return asked, NOT_ELIGIBLE
    if own_tier > tier[asked]:
        return asked, TIER_BELOW_CUTOFF
    return asked, TICKET_AFTER_CUTOFF


@dataclass(frozen=True)
class PublishedLine:
    """The published cut-off of one pool, and whether the child of a family belongs to its groups."""

    state: str  # one of outcome.STATES
    belongs: bool
    locked: bool = False
    eligible: bool = True
    tier: int = 0
    ticket: int = 0

    def admits(self, tier: int, ticket: int) -> bool:
        """Whether a child with this tier and ticket meets the cut-off."""
        if self.state == STATES[LINE]:
            mine = (not self.belongs, tier, ticket)
            return (self.belongs or not self.locked) and mine <= (not self.eligible, self.tier, self.ticket)
        return self.state == STATES[ALL] and (self.belongs or not self.locked)


@dataclass(frozen=True)
class PublishedWish:
    """One wish as a family knows it: its tier there, the cut-offs of the pools, and whether the place is guaranteed."""

    tier: int
    lines: tuple[PublishedLine, ...]
    guaranteed: bool = False


def first_wish_met(ticket: int, wishes: list[PublishedWish]) -> int | None:
    """The rank (from 1) of the first wish whose cut-off the family meets: its result, computed from published numbers only."""
    for rank, wish in enumerate(wishes, start=1):
        if wish.guaranteed or any(line.admits(wish.tier, ticket) for line in wish.lines):
            return rank
    return None


def published_wishes(outcome: Outcome, child: int) -> tuple[int, list[PublishedWish]]:
    """The arguments of :func:`first_wish_met` for one child, taken from an outcome."""
    market, cutoffs = outcome.market, outcome.cutoffs
    units = form_units(market, pool_masks(market))
    head = child if units.leader is None else int(units.leader[child])
    guaranteed = -1 if market.current is None else int(market.current[child])
    wishes = []
    for wish in range(int(market.offsets[head]), int(market.offsets[head + 1])):
        first, last = market.pools.start[market.programme[wish] :][:2].tolist()
        lines = tuple(
            PublishedLine(
                state=STATES[cutoffs.state[q]],
                belongs=units.mask is None or bool(int(units.mask[wish]) >> (q - first) & 1),
                locked=bool(market.pools.locked[q]),
                eligible=bool(cutoffs.eligible[q]),
                tier=int(cutoffs.tier[q]),
                ticket=int(cutoffs.ticket[q]),
            )
            for q in range(first, last)
        )
        holds = int(market.programme[wish]) == guaranteed
        wishes.append(PublishedWish(int(outcome.unit_tier[wish]), lines, holds))
    return int(units.ticket[head]), wishes
