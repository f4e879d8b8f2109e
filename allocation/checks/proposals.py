"""All possible proposals of units to pools, computed again from the market: the input of the independent check.

Shares no code with the solver. A unit proposes to one pool after the other, wish by wish and inside a programme in
precedence order. A proposal is *refused* if the unit made a later one, or if the unit keeps a guaranteed place for which
the pool has no room (it *stands over*). The *seated* units of a pool are those placed in it without those that stand over.
"""

from typing import Any

import numpy as np

from allocation.arrays import Array

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
        none = np.full(n, -1)
        self.guaranteed = (none if market.current is None else market.current)[self.member]
        elder = none if market.elder is None else market.elder.astype(np.int64)
        lowest, highest = np.full(len(self.member), FAR), np.full(len(self.member), -1)
        np.minimum.at(lowest, self.unit, elder)
        np.maximum.at(highest, self.unit, elder)
        self.elder = np.where(lowest == highest, lowest, -1)

    def _wishes(self) -> None:
        """Unit-wishes: unit, place in the list, programme, and the tier that counts."""
        market = self.market
        lengths = np.diff(market.offsets)
        begins = np.concatenate(([0], np.cumsum(lengths[self.member])))
        child = np.repeat(np.arange(market.children), lengths)
        step = np.arange(len(child)) - market.offsets[child]
        self.of_wish = begins[self.unit[child]] + step
        self.wish_unit = np.repeat(np.arange(len(self.member)), lengths[self.member])
        self.step = np.arange(len(self.wish_unit)) - begins[self.wish_unit]
        self.wish_programme = market.programme[market.offsets[self.member[self.wish_unit]] + self.step]
        self.tier = np.zeros(len(self.wish_unit), dtype=np.int64)
        np.maximum.at(self.tier, self.of_wish, market.tier.astype(np.int64))
        if market.sibling_tier is not None:
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
        """Proposals: every pool that a unit-wish may ask, with the standing there; and whether it was refused."""
        pools = self.market.pools
        width = (pools.start[1:] - pools.start[:-1])[self.wish_programme]
        wish = np.repeat(np.arange(len(self.wish_unit)), width)
        within = np.arange(len(wish)) - np.repeat(np.cumsum(width) - width, width)
        pool = pools.start[self.wish_programme[wish]] + within
        belongs = self._belongs(wish, pool)
        may = (pools.places[pool] > 0) & (belongs | ~pools.locked[pool])
        self.proposal_wish, self.proposal_pool, belongs = wish[may], pool[may], belongs[may]
        self.proposal_unit = self.wish_unit[self.proposal_wish]
        own = self.guaranteed[self.proposal_unit] == self.wish_programme[self.proposal_wish]
        self.proposal_own = own
        self.belongs = belongs
        self.standing = (
            ((~own).astype(np.int64) << 37)
            + ((~belongs).astype(np.int64) << 36)
            + (self.tier[self.proposal_wish] << 32)
            + self.ticket[self.proposal_unit]
        )
        rank = np.where(self.rank > 0, self.rank, FAR)[self.proposal_unit]
        before = self.step[self.proposal_wish] + 1 < rank
        at_rank = self.step[self.proposal_wish] + 1 == rank
        self.refused = before | (at_rank & (self.proposal_pool < self.pool[self.proposal_unit]))
        self.seat = at_rank & (self.proposal_pool == self.pool[self.proposal_unit])

    def _belongs(self, wish: Array, pool: Array) -> Array:
        """For each pair of a unit-wish and a pool: every member of the unit is of one of the pool's groups."""
        market, pools = self.market, self.market.pools
        needs = np.diff(pools.group_start)[pool] > 0
        belongs = np.ones(len(wish), dtype=bool)
        if not needs.any():
            return belongs
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
        np.maximum.at(self.worst_seated, self.proposal_pool[at], self.standing[at])
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
        lowest = np.full(self.market.pools.count, FAR)
        np.minimum.at(lowest, self.proposal_pool[rows], self.standing[rows])
        return lowest

    def _size_of(self, rows: Array, standing: Array) -> Array:
        """For each pool the size of the unit with this standing (0 if there is none)."""
        found = np.flatnonzero(rows & (self.standing == standing[self.proposal_pool]))
        size = np.zeros(self.market.pools.count, dtype=np.int64)
        size[self.proposal_pool[found]] = self.size[self.proposal_unit[found]]
        return size
