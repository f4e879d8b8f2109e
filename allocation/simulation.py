"""Chances: one market is drawn many times; each chance has a confidence interval.

Random numbers come from a seed, so the same call gives the same numbers on any number of cores.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import sqrt

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit
from allocation.eligibility import pool_masks
from allocation.market import NATURES, Market
from allocation.matching import Matching, read_cutoffs
from allocation.outcome import ALL, LINE
from allocation.renumber import number_by_first_wish, permute, permute_rows, renumber_market, restore_rows
from allocation.siblings import by_level
from allocation.units import form_units

Z95 = 1.959964  # two-sided 95 % of the normal distribution
_OPEN_LINE = np.uint64(1 << 37)  # above every key: everybody is admitted
_OUTSIDER_AT, _TIER_AT = 36, 32


@jit
def mix(value: int | np.uint64) -> np.uint64:
    """SplitMix64 (Steele, Lea & Flood 2014): the ``value``-th number of a fixed sequence (uint64)."""
    z = np.uint64(value) * np.uint64(0x9E37_79B9_7F4A_7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return z ^ (z >> np.uint64(31))


@jit
def below(state: Array, limit: int) -> np.int64:
    """A number from 0 to ``limit - 1``; the state is advanced."""
    state[0] += np.uint64(1)
    return np.int64((mix(state[0]) >> np.uint64(33)) % np.uint64(limit))


@dataclass(frozen=True)
class Chance:
    """``hits`` of ``draws``; ``low`` and ``high`` are the ends of the 95 % score interval.

    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22: it is also right for
    chances near 0 and 1, where the normal interval around the share is too narrow.
    """

    hits: int
    draws: int

    @property
    def value(self) -> float:
        """The share of draws."""
        return self.hits / self.draws

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return max(0.0, self._middle() - self._reach())

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return min(1.0, self._middle() + self._reach())

    def _middle(self) -> float:
        return (self.value + Z95**2 / (2 * self.draws)) / (1 + Z95**2 / self.draws)

    def _reach(self) -> float:
        spread = self.value * (1 - self.value) / self.draws + Z95**2 / (4 * self.draws**2)
        return Z95 * sqrt(spread) / (1 + Z95**2 / self.draws)


@dataclass(frozen=True)
class Draws:
    """The results of many draws of one market."""

    market: Market
    draws: int
    granted: Array  # uint32[m]: in how many draws each wish was granted
    lines: Array  # uint64[draws, pools]: the key of the last admitted; 0 if nobody was

    def chance(self, child: int, rank: int) -> Chance:
        """How often the child got the wish at this place of its list (from 1). Raises ``IndexError`` beyond the list."""
        own = self._granted(child)
        if not 1 <= rank <= len(own):
            raise IndexError(f"child {child} has {len(own)} wishes, none at place {rank}")
        return Chance(int(own[rank - 1]), self.draws)

    def unplaced(self, child: int) -> Chance:
        """How often the child got none of its wishes. Raises ``IndexError`` for an unknown child."""
        return Chance(self.draws - int(self._granted(child).sum()), self.draws)

    def _granted(self, child: int) -> Array:
        if not 0 <= child < self.market.children:
            raise IndexError(f"there is no child {child} in a market of {self.market.children} children")
        return self.granted[self.market.offsets[child] : self.market.offsets[child + 1]]


def simulate(market: Market, draws: int, seed: int = 1, workers: int | None = None) -> Draws:
    """Place the children of ``market`` with ``draws`` random draws of tickets (its own tickets are not used).

    The children of a family have adjacent tickets, as in the real draw. ``workers`` threads share the work.
    """
    many = _ManyDraws(market)
    lines = np.zeros((draws, market.pools.count), dtype=np.uint64)

    def note(table: "DrawTable", draw: int) -> None:
        count(table.market.offsets, table.leader, table.state.at, table.granted)
        table.read_lines(lines[draw])

    tables = many.run(draws, seed, workers, note)
    granted = np.stack([table.granted for table in tables]).sum(axis=0, dtype=np.uint32)
    return Draws(market, draws, restore_rows(granted, market.offsets, many.local.offsets, many.number), lines)


@dataclass(frozen=True)
class GroupDraws:
    """What each of many draws gave to groups of children, counted in children."""

    placed: Array  # int32[draws, groups]
    first: Array  # int32[draws, groups]: placed at the first wish of their list
    by_nature: Array  # int32[draws, natures]: placed children by the nature of their kindergarten


def simulate_groups(
    market: Market, groups: Sequence[Array], draws: int, seed: int = 1, workers: int | None = None
) -> GroupDraws:
    """As :func:`simulate`, but counts for each draw how many children of each group (their numbers) are placed.

    A child may be in several groups. In a market without natures all are counted as public.
    """
    many = _ManyDraws(market)
    start, group = _groups_by_child([many.number[one] for one in groups], market.children)
    listed = np.arange(len(market.programme)) - np.repeat(market.offsets[:-1], np.diff(market.offsets)) + 1
    is_first = (listed if market.rank is None else market.rank) == 1
    is_first = permute_rows(is_first.astype(np.uint8), market.offsets, many.local.offsets, many.number)
    nature = np.zeros(market.programmes, dtype=np.int8) if market.nature is None else market.nature
    placed, first = (np.zeros((draws, len(groups)), dtype=np.int32) for _ in range(2))
    by_nature = np.zeros((draws, len(NATURES)), dtype=np.int32)

    def note(table: "DrawTable", draw: int) -> None:
        count_groups(
            many.local.offsets, many.local.programme, is_first, nature, table.leader, table.state.at, start, group,
            placed[draw], first[draw], by_nature[draw],
        )  # fmt: skip

    many.run(draws, seed, workers, note)
    return GroupDraws(placed, first, by_nature)


def _groups_by_child(groups: Sequence[Array], children: int) -> tuple[Array, Array]:
    """The groups of each child in CSR form (int64[n + 1], int32[...]) from the children of each group."""
    child = np.concatenate([np.zeros(0, dtype=np.int64), *groups])
    group = np.repeat(np.arange(len(groups)), [len(one) for one in groups])
    start = np.concatenate(([0], np.cumsum(np.bincount(child, minlength=children))))
    return start.astype(np.int64), group[np.argsort(child, kind="stable")].astype(np.int32)


class _ManyDraws:
    """A market whose children are numbered for many draws, and the threads that draw."""

    def __init__(self, market: Market) -> None:
        self.number = number_by_first_wish(market)
        self.local = renumber_market(market, self.number)
        self.masks = pool_masks(self.local)
        family = np.arange(market.children) if market.family is None else market.family
        self.families = family_rows(permute(family, self.number))

    def run(
        self, draws: int, seed: int, workers: int | None, note: Callable[["DrawTable", int], None]
    ) -> list["DrawTable"]:
        """Make the draws and call ``note`` after each; returns the table of each thread."""
        workers = min(workers or os.cpu_count() or 1, draws)

        def work(first: int) -> DrawTable:
            table = DrawTable(self.local, self.masks, self.families)
            for draw in range(first, draws, workers):
                table.draw((seed << 32) + draw)
                note(table, draw)
            return table

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(work, range(workers)))


class DrawTable:
    """The state of one thread: everything that is the same for all draws is made once."""

    def __init__(self, market: Market, masks: Array | None, families: tuple[Array, Array]) -> None:
        alone = np.arange(market.children, dtype=np.int32)
        self.market, self.families = market, families
        self.family_order = np.empty(len(families[1]) - 1, dtype=np.int32)
        self.ticket = np.empty(market.children, dtype=np.uint32)
        self.units = form_units(market.with_columns(ticket=self.ticket), masks)
        self.leader = alone if self.units.leader is None else self.units.leader
        self.tier = self.units.tier.copy()
        self.units.ticket = self.ticket
        self.orders = by_level(market, self.units)
        self.state = Matching(market, self.units)
        self.granted = np.zeros(len(market.programme), dtype=np.uint32)

    def draw(self, seed: int) -> None:
        """Draw tickets and allocate."""
        self.draw_tickets(seed)
        self.place()

    def draw_tickets(self, seed: int) -> None:
        """Draw the tickets of all families; the same seed gives the same tickets in every market of these families."""
        with np.errstate(over="ignore"):
            state_of_generator = np.array([mix(seed)], dtype=np.uint64)
            draw_tickets_of_families(*self.families, state_of_generator, self.family_order, self.ticket)
        if self.units.leader is not None:
            share_best_ticket(self.leader, self.ticket)

    def place(self) -> None:
        """Allocate with the tickets drawn last."""
        state = self.state
        if self.units.elder is not None:
            self.units.tier[:] = self.tier
        state.clear()
        for order in self.orders:
            state.place(order)

    def read_lines(self, line: Array) -> None:
        """Write the cut-off of each pool as a key (uint64[pools])."""
        pools, state = self.market.pools, self.state
        kind, eligible, tier, worst = read_cutoffs(pools.places, state.base, state.heap, state.held, state.limit)
        line[:] = ((1 - eligible.astype(np.uint64)) << _OUTSIDER_AT) | (tier.astype(np.uint64) << _TIER_AT) | worst
        line[kind == ALL] = _OPEN_LINE
        line[(kind != ALL) & (kind != LINE)] = 0


def family_rows(family: Array) -> tuple[Array, Array]:
    """Children family by family, and where each family begins (int32)."""
    _, family, size = np.unique(family, return_inverse=True, return_counts=True)
    start = np.concatenate(([0], np.cumsum(size)))
    return np.argsort(family, kind="stable").astype(np.int32), start.astype(np.int32)


@jit
def draw_tickets_of_families(children: Array, start: Array, state: Array, families: Array, ticket: Array) -> None:
    """Tickets from a shuffle of the families (Fisher & Yates); the children of a family get adjacent tickets.

    ``families`` is overwritten.
    """
    for family in range(families.shape[0]):
        families[family] = family
    for last in range(families.shape[0] - 1, 0, -1):
        other = below(state, last + 1)
        families[last], families[other] = families[other], families[last]
    number = 0
    for family in families:
        for row in range(start[family], start[family + 1]):
            number += 1
            ticket[children[row]] = number


@jit
def share_best_ticket(leader: Array, ticket: Array) -> None:
    """Give each unit the best ticket of its members, on its leader's row."""
    for child in range(leader.shape[0]):
        ticket[leader[child]] = min(ticket[leader[child]], ticket[child])


@jit
def count(offsets: Array, leader: Array, at: Array, granted: Array) -> None:
    """Add one to each granted wish."""
    for child in range(leader.shape[0]):
        unit = leader[child]
        if at[unit] < offsets[unit + 1]:
            granted[offsets[child] + at[unit] - offsets[unit]] += 1


@jit
def count_groups(
    offsets: Array, programme: Array, is_first: Array, nature: Array, leader: Array, at: Array, start: Array, group: Array, placed: Array, first: Array, by_nature: Array
) -> None:  # fmt: skip
    """Add each placed child to the counts of its groups and of the nature of its kindergarten."""
    for child in range(leader.shape[0]):
        unit = leader[child]
        if at[unit] == offsets[unit + 1]:
            continue
        wish = offsets[child] + at[unit] - offsets[unit]
        by_nature[nature[programme[wish]]] += 1
        for row in range(start[child], start[child + 1]):
            placed[group[row]] += 1
            first[group[row]] += is_first[wish]


@dataclass(frozen=True)
class SupposedWish:
    """One wish of a family that is not in the market: a programme, the tier there, the groups of the child."""

    programme: int
    tier: int
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True)
class FamilyOdds:
    """Chances of a family that is not in the market.

    ``together_at``: all its children at this wish; ``together``: at any one wish; ``all_placed``: each has a place, at one
    programme or at several; ``none``: no child has a place.
    """

    together_at: tuple[Chance, ...]
    together: Chance
    all_placed: Chance
    none: Chance


def family_odds(
    drawn: Draws, wishes: Sequence[SupposedWish], children: int = 1, bound: bool = True, seed: int = 1
) -> FamilyOdds:
    """The chances of a family that is not in the market, from the cut-offs of its draws, which the family does not change.

    Two or more ``children`` have the same wishes. For ``bound`` children the best ticket counts, for others each child's
    own; the tickets are adjacent.
    """
    generator = np.random.default_rng(seed)
    first = generator.integers(1, max(drawn.market.children, 1) + 1, drawn.draws)
    tickets = first[:, None] + np.arange(1 if bound else children)
    rank = np.full(tickets.shape, len(wishes))
    for step in reversed(range(len(wishes))):
        rank[_admitted(drawn, wishes[step], tickets)] = step
    same = (rank == rank[:, :1]).all(axis=1)
    placed = rank[:, 0] < len(wishes)
    at = tuple(Chance(int((same & (rank[:, 0] == step)).sum()), drawn.draws) for step in range(len(wishes)))
    return FamilyOdds(
        together_at=at,
        together=Chance(int((same & placed).sum()), drawn.draws),
        all_placed=Chance(int((rank < len(wishes)).all(axis=1).sum()), drawn.draws),
        none=Chance(int((rank == len(wishes)).all(axis=1).sum()), drawn.draws),
    )


def _admitted(drawn: Draws, wish: SupposedWish, tickets: Array) -> Array:
    """bool[draws, tickets]: a pool of the programme admits a child with this ticket."""
    pools = drawn.market.pools
    admitted = np.zeros(tickets.shape, dtype=bool)
    for pool in range(int(pools.start[wish.programme]), int(pools.start[wish.programme + 1])):
        groups = set(pools.group[pools.group_start[pool] : pools.group_start[pool + 1]].tolist())
        belongs = not groups or bool(groups & wish.groups)
        if belongs or not pools.locked[pool]:
            standing = tickets + (wish.tier << _TIER_AT) + (0 if belongs else 1 << _OUTSIDER_AT)
            admitted |= standing <= drawn.lines[:, pool, None].astype(np.int64)
    return admitted
