"""Draws of a market whose children keep their numbers, so that several rules can be compared child by child."""

from dataclasses import dataclass

import numpy as np

from allocation.arrays import Array, readonly
from allocation.compilation import jit
from allocation.eligibility import pool_masks
from allocation.experiments.standing import OUTSIDER_AT, TIER_AT
from allocation.market import Market
from allocation.matching import Matching
from allocation.simulation import DrawTable, family_rows, mix


@dataclass(frozen=True)
class Placed:
    """What one draw gave.  The *list* of a child is that of the market ``full`` with all wishes that it truly has."""

    own: Array  # int32[n]: the position in the list of the wish that was granted; -1 none
    asked: Array  # int32[n]: the position of the wish that was named first; -1 none
    pool: Array  # int32[n]: the pool of the granted wish; -1 none
    tier: Array  # uint8[n]: the tier that counted there
    ticket: Array  # uint32[n]
    held: Array  # int32[pools]: children in each pool
    line: Array  # uint64[pools]: a wish named first before this key would have been granted


class RankedDraws:
    """Ranked wishes: each child names its first wishes of the list, and the engine places all children at once.

    ``numbers_each`` draws a number for each programme instead of one for all.  Not for several threads.
    """

    def __init__(self, market: Market, *, numbers_each: bool = False) -> None:
        self.market = market
        family = np.arange(market.children) if market.family is None else market.family
        self.table = DrawTable(market, pool_masks(market), family_rows(family))
        self.numbers_each = numbers_each
        if numbers_each:
            self.table.state.wish_ticket = np.empty(len(market.programme), dtype=np.uint32)

    def draw(self, seed: int) -> Placed:
        """Draw and allocate; the same seed gives the same tickets under every rule."""
        table, market = self.table, self.market
        table.draw_tickets(seed)
        if table.state.wish_ticket is not None:
            number_wishes(market.offsets, market.programme, table.leader, table.ticket, table.state.wish_ticket)
        table.place()
        asked = np.where(np.diff(market.offsets) > 0, 0, -1).astype(np.int32)
        ticket = table.ticket if table.units.leader is None else table.ticket[table.leader]
        return read_placed(table.state, table.leader, asked, ticket)


def place_once(market: Market, leader: Array) -> tuple[Matching, Array]:
    """Allocate a market with its tickets.  Returns the matching and the position of each child's granted wish (-1 none)."""
    state = Matching.of(market).run()
    wish = state.at[leader]
    return state, np.where(wish < market.offsets[1:][leader], wish - market.offsets[:-1][leader], -1)


def read_placed(state: Matching, leader: Array, asked: Array, ticket: Array) -> Placed:
    """The result of a matching of ranked wishes."""
    market, units = state.market, state.units
    wish = state.at[leader]
    granted = wish < market.offsets[1:][leader]
    wish = np.where(granted, wish, 0)
    own = np.where(granted, wish - market.offsets[:-1][leader], -1).astype(np.int32)
    pool, tier = pools_of(state, leader, wish, granted)
    held = np.bincount(pool[granted], minlength=market.pools.count).astype(np.int32)
    return Placed(own, asked, pool, tier, ticket.copy(), held, lines_of(state, units.mask is not None))


def pools_of(state: Matching, leader: Array, wish: Array, granted: Array) -> tuple[Array, Array]:
    """The pool (int32[n], -1 none) and the tier (uint8[n]) of each granted wish."""
    market = state.market
    if len(market.programme) == 0:
        return np.full(len(granted), -1, dtype=np.int32), np.zeros(len(granted), dtype=np.uint8)
    pool = market.pools.start[market.programme[wish]]
    if len(state.pool_at):
        pool = pool + state.pool_at[leader] % 16
    return np.where(granted, pool, -1).astype(np.int32), np.where(granted, state.units.tier[wish], 0).astype(np.uint8)


def lines_of(state: Matching, has_masks: bool) -> Array:
    """For each pool the best key that it refused, as :mod:`allocation.experiments.standing` has keys (uint64[pools])."""
    limit = state.limit
    tier, ticket = (limit >> np.uint64(58)) & np.uint64(15), (limit >> np.uint64(26)) & np.uint64(0xFFFF_FFFF)
    outsider = ((limit >> np.uint64(62)) & np.uint64(1)) if has_masks else np.uint64(0)
    key = (outsider << np.uint64(OUTSIDER_AT)) | (tier << np.uint64(TIER_AT)) | ticket
    never = np.uint64(1 << 40)
    line = np.where(limit == np.uint64(0xFFFF_FFFF_FFFF_FFFF), never, key)
    return readonly(np.where(state.market.pools.places > 0, line, 0), np.uint64)


@jit
def number_wishes(offsets: Array, programme: Array, leader: Array, ticket: Array, wish_ticket: Array) -> None:
    """A number for each wish: a fixed mixture of the unit's ticket and the programme."""
    for child in range(leader.shape[0]):
        for wish in range(offsets[child], offsets[child + 1]):
            wish_ticket[wish] = number_at(ticket[leader[child]], programme[wish])


@jit
def number_at(ticket: int, programme: int) -> np.uint32:
    """The number of a ticket at one programme, when each programme draws for itself."""
    return np.uint32(mix((np.uint64(programme) << np.uint64(32)) | np.uint64(ticket)) >> np.uint64(32))
