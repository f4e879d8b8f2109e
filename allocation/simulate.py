"""Chances: the same market drawn many times, every chance with its uncertainty.

Random numbers come from a seed, so the same call gives the same numbers on any number of cores.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from allocation.compiled import compiled
from allocation.market import Market
from allocation.outcome import ALL, LINE
from allocation.quotas import pool_masks
from allocation.renumber import by_first_wish, renumbered, rows_in_order
from allocation.solve import place_all, read_cutoffs
from allocation.synthetic import below, mix

Z95 = 1.959964  # two-sided 95 % of the normal distribution
_OPEN_LINE = np.uint64(1 << 37)  # above every standing: everybody gets in
_OUTSIDER_AT, _TIER_AT = 36, 32


@dataclass(frozen=True)
class Chance:
    """``hits`` of ``draws``; ``low`` and ``high`` are Wilson's 95 % interval."""

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
    """What many draws of one market gave."""

    market: Market
    draws: int
    granted: np.ndarray  # uint32[m]: in how many draws each wish was granted
    lines: np.ndarray  # uint64[draws, pools]: the highest standing that got in; 0 nobody

    def chance(self, child: int, rank: int) -> Chance:
        """How often the child got its wish ``rank`` (from 1)."""
        return Chance(int(self.granted[self.market.offsets[child] + rank - 1]), self.draws)

    def unplaced(self, child: int) -> Chance:
        """How often the child got none of its wishes."""
        own = self.granted[self.market.offsets[child] : self.market.offsets[child + 1]]
        return Chance(self.draws - int(own.sum()), self.draws)


def draw_many(market: Market, draws: int, seed: int = 1, workers: int | None = None) -> Draws:
    """Place the children of ``market`` under ``draws`` drawings of tickets (its own tickets play no part).

    The children of a family stay side by side in the line, as in the real draw. ``workers`` threads share the work.
    """
    order = by_first_wish(market)
    local = renumbered(market, order)
    masks = pool_masks(local)
    families = _family_rows(local.family)
    lines = np.zeros((draws, market.pools.count), dtype=np.uint64)
    workers = min(workers or os.cpu_count() or 1, draws)

    def work(first: int) -> np.ndarray:
        granted = np.zeros(len(market.programme), dtype=np.uint32)
        for draw in range(first, draws, workers):
            _one_draw(local, masks, families, (seed << 32) + draw, granted, lines[draw])
        return granted

    with ThreadPoolExecutor(workers) as pool:
        granted = np.stack(list(pool.map(work, range(workers)))).sum(axis=0, dtype=np.uint32)
    back = np.empty(market.children, dtype=np.int64)
    back[order] = np.arange(market.children)
    return Draws(market, draws, rows_in_order(local.offsets, granted, back), lines)


def _one_draw(market: Market, masks, families: Any, seed: int, granted: np.ndarray, line: np.ndarray) -> None:
    """Draw tickets, place, and add to the counts."""
    with np.errstate(over="ignore"):
        children, start = families
        ticket = line_up(children, start, np.array([mix(seed)], dtype=np.uint64))
    state = place_all(market.with_columns(ticket=ticket), masks)
    count(market.offsets, _leaders(state, market), state.at, granted)
    pools = market.pools
    kind, eligible, tier, worst = read_cutoffs(pools.places, state.base, state.heap, state.held, state.limit)
    line[:] = ((1 - eligible.astype(np.uint64)) << _OUTSIDER_AT) | (tier.astype(np.uint64) << _TIER_AT) | worst
    line[kind == ALL] = _OPEN_LINE
    line[(kind != ALL) & (kind != LINE)] = 0


def _leaders(state, market: Market) -> np.ndarray:
    return np.arange(market.children, dtype=np.int32) if state.units.leader is None else state.units.leader


def _family_rows(family) -> tuple[np.ndarray, np.ndarray]:
    """Children family by family, and where each family begins."""
    _, family, size = np.unique(family, return_inverse=True, return_counts=True)
    return np.argsort(family, kind="stable"), np.concatenate(([0], np.cumsum(size)))


@compiled
def line_up(children, start, state):
    """Tickets (uint32[n]) from a shuffle of the families (Fisher & Yates), each family's children side by side."""
    families = np.arange(start.shape[0] - 1)
    for last in range(families.shape[0] - 1, 0, -1):
        other = below(state, last + 1)
        families[last], families[other] = families[other], families[last]
    ticket = np.empty(children.shape[0], dtype=np.uint32)
    number = 0
    for family in families:
        for row in range(start[family], start[family + 1]):
            number += 1
            ticket[children[row]] = number
    return ticket


@compiled
def count(offsets, leader, at, granted):
    """Add one to each granted wish."""
    for child in range(leader.shape[0]):
        unit = leader[child]
        if at[unit] < offsets[unit + 1]:
            granted[offsets[child] + at[unit] - offsets[unit]] += 1


@dataclass(frozen=True)
class WishHere:
    """One wish of an imagined family: a programme, the tier there, the groups of the child."""

    programme: int
    tier: int
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True)
class FamilyOdds:
    """For an imagined family: each wish in turn (all its children there), together anywhere, nobody placed at all."""

    together_at: tuple[Chance, ...]
    together: Chance
    none: Chance


def imagine(
    drawn: Draws, wishes: Sequence[WishHere], children: int = 1, bound: bool = True, seed: int = 1
) -> FamilyOdds:
    """The odds of a family that is not in the market, from the lines of its draws; so small that it moves no line.

    Two or more ``children`` hand in the same wishes; ``bound`` ones go by their best ticket, separate ones each by
    their own, side by side in the line.
    """
    dice = np.random.default_rng(seed)
    first = dice.integers(1, max(drawn.market.children, 1) + 1, drawn.draws)
    lots = first[:, None] + np.arange(1 if bound else children)
    rank = np.full(lots.shape, len(wishes))
    for step in reversed(range(len(wishes))):
        rank[_admitted(drawn, wishes[step], lots)] = step
    same = (rank == rank[:, :1]).all(axis=1)
    placed = rank[:, 0] < len(wishes)
    at = tuple(Chance(int((same & (rank[:, 0] == step)).sum()), drawn.draws) for step in range(len(wishes)))
    return FamilyOdds(
        together_at=at,
        together=Chance(int((same & placed).sum()), drawn.draws),
        none=Chance(int((rank == len(wishes)).all(axis=1).sum()), drawn.draws),
    )


def _admitted(drawn: Draws, wish: WishHere, lots: np.ndarray) -> np.ndarray:
    """bool[draws, tickets]: some pool of the programme takes a child with this ticket."""
    pools = drawn.market.pools
    admitted = np.zeros(lots.shape, dtype=bool)
    for pool in range(int(pools.start[wish.programme]), int(pools.start[wish.programme + 1])):
        groups = set(pools.group[pools.group_start[pool] : pools.group_start[pool + 1]].tolist())
        belongs = not groups or bool(groups & wish.groups)
        if belongs or not pools.locked[pool]:
            standing = lots + (wish.tier << _TIER_AT) + (0 if belongs else 1 << _OUTSIDER_AT)
            admitted |= standing <= drawn.lines[:, pool, None].astype(np.int64)
    return admitted
