"""All possible proposals of units to pools, computed again from the market: the input of the independent check.

Shares no code with the solver. A unit proposes to one pool after the other, wish by wish and inside a programme in
precedence order. A proposal is *refused* if the unit made a later one, or if the unit keeps a guaranteed place for which
the pool has no room (it *stands over*). The *seated* units of a pool are those placed in it without those that stand over.
"""

from typing import Any

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit

FAR = np.int64(2**63 - 1)


class Proposals:
    """The units, unit-wishes and proposals of a market, and which of them an outcome grants or refuses."""

    def __init__(self, market: Any, outcome: Any) -> None:
        self.market, self.outcome = market, outcome
        self._units()
        self._wishes()
        self._proposals()
        self._seats()

    def _units(self) -> None:
        """Units: who belongs to them, how many, best ticket, placement, guaranteed programme, common elder."""
        market, outcome, n = self.market, self.outcome, self.market.children
        alone = np.arange(n, dtype=np.int64)
        self.member, self.unit = alone, alone
        if market.unit is not None:
            label = np.where(market.unit >= 0, -1 - market.unit, alone)
            _, self.member, self.unit = np.unique(label, return_index=True, return_inverse=True)
        self.size = np.bincount(self.unit, minlength=len(self.member))
        self.ticket = np.full(len(self.member), FAR)
        np.minimum.at(self.ticket, self.unit, market.ticket.astype(np.int64))
        self.rank, self.pool = outcome.rank[self.member], outcome.pool[self.member]
        none = np.full(len(self.member), -1)
        self.guaranteed = none if market.current is None else market.current[self.member].astype(np.int64)
        self.elder = none
        if market.elder is not None:
            lowest, highest = np.full(len(self.member), FAR), np.full(len(self.member), -1)
            np.minimum.at(lowest, self.unit, market.elder.astype(np.int64))
            np.maximum.at(highest, self.unit, market.elder.astype(np.int64))
            self.elder = np.where(lowest == highest, lowest, -1)

    def _wishes(self) -> None:
        """Unit-wishes: unit, place in the list, programme, whether its place is guaranteed, and the tier that counts."""
        market = self.market
        lengths = np.diff(market.offsets)
        begins = np.concatenate(([0], np.cumsum(lengths[self.member])))
        self.wish_unit, self.step, self.wish_programme, self.wish_own = _wishes_of_units(
            self.member, begins, market.offsets, market.programme, self.guaranteed
        )
        self.of_wish, self.tier = _worst_tiers(self.unit, begins, market.offsets, market.tier)
        if market.sibling_tier is not None and (self.elder >= 0).any():
            home = self._homes_of_elders()[self.wish_unit]
            offered = market.sibling_tier[self.wish_programme]
            here = (home >= 0) & (offered >= 0)
            here[here] = market.kindergarten[self.wish_programme[here]] == home[here]
            self.tier[here] = np.minimum(self.tier[here], offered[here])

    def _homes_of_elders(self) -> Array:
        """For each unit the kindergarten where its elder is placed, or -1."""
        home = np.full(len(self.elder), -1)
        named = np.flatnonzero(self.elder >= 0)
        where = self.outcome.programme[self.elder[named]]
        home[named[where >= 0]] = self.market.kindergarten[where[where >= 0]]
        return home

    def _proposals(self) -> None:
        """Proposals: every pool that a unit-wish may ask, with the standing there; whether it was refused, or has the seat."""
        pools = self.market.pools
        width = np.diff(pools.start)[self.wish_programme]
        found = _every_proposal(
            self.wish_unit, self.step, self.wish_programme, self.wish_own, self.tier, self.ticket,
            np.where(self.rank > 0, self.rank, FAR), self.pool.astype(np.int64), self._belongs(width),
            pools.start, pools.places, pools.locked, int(width.sum()),
        )  # fmt: skip
        self.proposal_wish, self.proposal_unit, self.proposal_pool, self.standing = found[:4]
        self.proposal_own, self.refused, self.seat = found[4:]

    def _belongs(self, width: Array) -> Array | None:
        """For each pair of a unit-wish and a pool of its programme: every member of the unit is of one of the pool's groups.

        ``width`` is the number of pools of each unit-wish. ``None`` where no pool is for groups.
        """
        market, pools = self.market, self.market.pools
        if not len(pools.group):
            return None
        wish = np.repeat(np.arange(len(width)), width)
        pool = (
            pools.start[self.wish_programme[wish]] + np.arange(len(wish)) - np.repeat(np.cumsum(width) - width, width)
        )
        needs = np.diff(pools.group_start)[pool] > 0
        belongs = np.ones(len(wish), dtype=bool)
        if market.group_start is None:
            return np.asarray(~needs)
        spread = np.int64(1 + max(market.group.max(initial=0), pools.group.max(initial=0)))
        offered = np.repeat(np.arange(pools.count), np.diff(pools.group_start)) * spread + pools.group
        held = np.diff(market.group_start)
        unit = self.wish_unit[wish]
        turn = np.argsort(self.unit, kind="stable")
        begins = np.cumsum(self.size) - self.size
        for member in range(int(self.size.max(initial=0))):
            rows = np.flatnonzero(needs & (self.size[unit] > member))
            child = turn[begins[unit[rows]] + member]
            pair = np.repeat(np.arange(len(rows)), held[child])
            within = np.arange(len(pair)) - np.repeat(np.cumsum(held[child]) - held[child], held[child])
            group = market.group[market.group_start[child[pair]] + within]
            hit = np.isin(pool[rows[pair]].astype(np.int64) * spread + group, offered)
            found = np.zeros(len(rows), dtype=bool)
            found[pair[hit]] = True
            belongs[rows] &= found
        return belongs

    def _seats(self) -> None:
        """For each pool the places of its seated units, the units that stand over, and the best refused key."""
        pools = self.market.pools.count
        self.best_refused = self._lowest(self.refused)
        if (self.seat & self.proposal_own).any():
            over = self._standing_over()
            self.refused[over] = True
            self.best_refused = self._lowest(self.refused)
            self.seat[over] = False
        at = self.seat
        self.held = np.bincount(
            self.proposal_pool[at], weights=self.size[self.proposal_unit[at]], minlength=pools
        ).astype(np.int64)
        self.worst_seated = np.full(pools, -1)
        _raise_to_standings(at, self.proposal_pool, self.standing, self.worst_seated)
        self.worst_size = self._size_of(at, self.worst_seated)
        self.refused_size = self._size_of(self.refused, self.best_refused)

    def _standing_over(self) -> Array:
        """The proposals of guaranteed units that sit where their pool has no room; nobody else can."""
        close, places = self.market.pair_rule == "close", self.market.pools.places
        seated = np.flatnonzero(self.seat)
        seated = seated[np.lexsort((self.standing[seated], self.proposal_pool[seated]))]
        size, pool = self.size[self.proposal_unit[seated]], self.proposal_pool[seated]
        through = np.cumsum(size)
        starts = np.searchsorted(pool, np.arange(self.market.pools.count))
        through = through - np.concatenate(([0], through))[starts][pool]
        no_room = (through > places[pool]) if close else (through - size >= places[pool])
        closed = self.standing[seated] >= self.best_refused[pool]
        may_stand_over = self.proposal_own[seated] & self._last_proposal()[seated]
        return np.asarray(seated[may_stand_over & (no_room | (closed & close))])

    def _last_proposal(self) -> Array:
        """bool[proposals]: no later pool of the same wish may be asked."""
        last = np.ones(len(self.proposal_wish), dtype=bool)
        last[:-1] = self.proposal_wish[1:] != self.proposal_wish[:-1]
        return last

    def _lowest(self, rows: Array) -> Array:
        """For each pool the best standing of these proposals (bool[proposals]), ``FAR`` without one."""
        lowest = np.full(self.market.pools.count, FAR)
        _lower_to_standings(rows, self.proposal_pool, self.standing, lowest)
        return lowest

    def _size_of(self, rows: Array, standing: Array) -> Array:
        """For each pool the size of the unit with this standing (0 if there is none)."""
        size = np.zeros(self.market.pools.count, dtype=np.int64)
        _sizes_at(rows, self.proposal_pool, self.proposal_unit, self.standing, self.size, standing, size)
        return size


# Compiled, because a city has a million proposals and numpy would write each intermediate value of them to new memory.


@jit
def _wishes_of_units(
    member: Array, begins: Array, offsets: Array, programme: Array, guaranteed: Array
) -> tuple[Array, Array, Array, Array]:
    """For each unit-wish its unit, its place in the list, its programme, and whether the unit's place there is guaranteed."""
    count = begins[-1]
    wish_unit, step, wish_programme = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    own = np.empty(count, np.bool_)
    for unit in range(len(member)):
        for place in range(begins[unit + 1] - begins[unit]):
            wish = begins[unit] + place
            wish_unit[wish], step[wish] = unit, place
            wish_programme[wish] = programme[offsets[member[unit]] + place]
            own[wish] = wish_programme[wish] == guaranteed[unit]
    return wish_unit, step, wish_programme, own


@jit
def _worst_tiers(unit: Array, begins: Array, offsets: Array, tier: Array) -> tuple[Array, Array]:
    """For each wish of a child the unit-wish it belongs to, and for each unit-wish the worst tier of the members."""
    of_wish, worst = np.empty(len(tier), np.int64), np.zeros(begins[-1], np.int64)
    for child in range(len(unit)):
        for wish in range(offsets[child], offsets[child + 1]):
            whole = begins[unit[child]] + wish - offsets[child]
            of_wish[wish] = whole
            worst[whole] = max(worst[whole], np.int64(tier[wish]))
    return of_wish, worst


@jit
def _every_proposal(
    wish_unit: Array, step: Array, wish_programme: Array, wish_own: Array, tier: Array, ticket: Array, rank: Array,
    seat_pool: Array, belongs: Array | None, start: Array, places: Array, locked: Array, most: int,
) -> tuple[Array, Array, Array, Array, Array, Array, Array]:  # fmt: skip
    """Unit-wish, unit, pool, standing, guaranteed, refused and seated of every possible proposal, at most ``most``.

    ``rank`` (from 1, ``FAR`` without a place) and ``seat_pool`` are where each unit was placed.
    """
    wishes, units, pools = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    standing = np.empty(most, np.int64)
    own, refused, seat = np.empty(most, np.bool_), np.empty(most, np.bool_), np.empty(most, np.bool_)
    pair, count = -1, 0
    for wish in range(len(wish_unit)):
        unit = wish_unit[wish]
        for pool in range(start[wish_programme[wish]], start[wish_programme[wish] + 1]):
            pair += 1
            member = True if belongs is None else belongs[pair]
            if places[pool] <= 0 or (locked[pool] and not member):
                continue
            wishes[count], units[count], pools[count], own[count] = wish, unit, pool, wish_own[wish]
            standing[count] = (
                ((0 if wish_own[wish] else 1) << 37) + ((0 if member else 1) << 36) + (tier[wish] << 32) + ticket[unit]
            )
            granted = step[wish] + 1 == rank[unit]
            refused[count] = step[wish] + 1 < rank[unit] or (granted and pool < seat_pool[unit])
            seat[count] = granted and pool == seat_pool[unit]
            count += 1
    return (
        wishes[:count], units[:count], pools[:count], standing[:count], own[:count], refused[:count], seat[:count]
    )  # fmt: skip


@jit
def _lower_to_standings(rows: Array, pool: Array, standing: Array, lowest: Array) -> None:
    for row in range(len(rows)):
        if rows[row]:
            lowest[pool[row]] = min(lowest[pool[row]], standing[row])


@jit
def _raise_to_standings(rows: Array, pool: Array, standing: Array, greatest: Array) -> None:
    for row in range(len(rows)):
        if rows[row]:
            greatest[pool[row]] = max(greatest[pool[row]], standing[row])


@jit
def _sizes_at(rows: Array, pool: Array, unit: Array, standing: Array, size: Array, at: Array, found: Array) -> None:
    for row in range(len(rows)):
        if rows[row] and standing[row] == at[pool[row]]:
            found[pool[row]] = size[unit[row]]
