"""Phases of one wish: each family names one kindergarten, waits, and names another one of what is left.

*Plain* families name the best kindergarten that has places left.  *Careful* ones weigh chance and worth: they name the one
with the largest p × worth + (1 − p) × what the next phase promises, with the chances by kindergarten and tier that this rule
gives when everybody expects them (fictitious play: the mean of the rounds before).  So nobody is assumed to know the draw, only past chances.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from allocation.arrays import Array, readonly
from allocation.experiments.draws import Placed, lines_of, place_once, pools_of
from allocation.experiments.naming import name_wishes
from allocation.market import Market
from allocation.simulation import DrawTable, family_rows, mix
from enrollment.laboratory.families import Families
from enrollment.laboratory.variant_market import VariantMarket

SETTLING_ROUNDS = 25
SMALLEST_STEP = 0.05
SETTLING_SEED = 77
TIERS = 16


@dataclass(frozen=True)
class Beliefs:
    """The chance of each programme × tier in each phase, and how far the last round of settling was from them (mean over
    the families who asked, 0 to 1)."""

    chances: Array  # float64[phases, programmes, 16]
    left_over: float


def careful_families(families: Families, percent: int) -> Array:
    """Which children are of careful families (bool[n]); a family that is careful at one share is so at each larger one."""
    with np.errstate(over="ignore"):
        draw = np.array([int(mix(int(family) + (1 << 40))) % 100 for family in np.unique(families.family)])
    of_family = np.unique(families.family, return_inverse=True)[1]
    return draw[of_family] < percent


class OneWishDraws:
    """Draws of a number of phases.  Not for several threads."""

    def __init__(
        self, families: Families, market: VariantMarket, phases: int, careful: Array, beliefs: Beliefs | None = None
    ) -> None:
        self.families, self.full, self.mask, self.phases = families, market.full, market.mask, phases
        self.careful = careful[families.leader]  # bound children follow the first of them
        self.tickets = DrawTable(market.full, market.mask, family_rows(families.family))
        self.worth, self.tier = families.worth, market.full.tier
        chances = np.ones((phases, len(market.full.places), TIERS))
        self.beliefs = beliefs or Beliefs(chances, 0.0)
        if careful.any() and beliefs is None:
            self.beliefs = self._settle()

    def draw(self, seed: int) -> Placed:
        """Draw once; the tickets are those that ranked wishes have for this seed."""
        self.tickets.draw_tickets(seed)
        first, *later = self._phases(self.tickets.ticket.copy())
        result = first.placed()
        for phase in later:
            result = phase.added_to(result)
        return result

    def _settle(self) -> Beliefs:
        chances, moved = self.beliefs.chances.copy(), 0.0
        for number in range(SETTLING_ROUNDS):
            self.beliefs = Beliefs(chances.copy(), moved)
            self.tickets.draw_tickets((SETTLING_SEED << 32) + number)
            asked_by_phase = []
            for at, phase in enumerate(self._phases(self.tickets.ticket.copy())):
                asked, seen = phase.chances(len(self.full.places))
                change = seen - chances[at]
                chances[at] += max(1 / (number + 1), SMALLEST_STEP) * change
                asked_by_phase.append((asked.sum(), (np.abs(change) * asked).sum()))
            moved = sum(gone for _n, gone in asked_by_phase) / max(sum(n for n, _gone in asked_by_phase), 1)
        return Beliefs(chances, float(moved))

    def _phases(self, ticket: Array) -> Iterator["_Phase"]:
        left = self.full.pools.places.copy()
        placed = np.zeros(self.full.children, dtype=bool)
        for at in range(self.phases):
            wish = self._named(at, left, placed)
            phase = _Phase.run(self.full, self.families.leader, wish, left, ticket)
            yield phase
            left = left - phase.held
            placed = placed | phase.granted

    def _named(self, phase: int, left: Array, placed: Array) -> Array:
        """The wish that each child names (its row among all wishes), -1 for none."""
        pools, free = self.full.pools, np.zeros(len(self.full.places), dtype=np.int64)
        np.add.at(free, pools.programme, np.maximum(left, 0))
        chances, named = self.beliefs.chances, np.empty(self.full.children, dtype=np.int64)
        name_wishes(
            self.families.offsets, self.full.programme, self.tier, self.worth, self.families.leader, self.careful, ~placed,
            free, chances[phase], chances[phase + 1] if phase + 1 < self.phases else None, named,
        )  # fmt: skip
        return named


@dataclass(frozen=True)
class _Phase:
    """One phase: the named wishes (rows of the full market, -1 none) and what was granted."""

    full: Market
    wish: Array
    granted: Array
    pool: Array
    tier: Array
    ticket: Array
    held: Array
    line: Array

    @classmethod
    def run(cls, full: Market, leader: Array, wish: Array, left: Array, ticket: Array) -> "_Phase":
        asks = wish >= 0
        named = full.with_columns(
            pools=replace(full.pools, places=readonly(np.maximum(left, 0), np.int32)),
            offsets=np.concatenate(([0], np.cumsum(asks))).astype(np.int64),
            programme=full.programme[wish[asks]],
            tier=full.tier[wish[asks]],
            ticket=ticket,
        )
        state, at = place_once(named, leader)
        granted = at >= 0
        row = np.where(granted, state.at[leader], 0)
        pool, tier = pools_of(state, leader, row, granted)
        held = np.bincount(pool[granted], minlength=full.pools.count).astype(np.int32)
        return cls(full, wish, granted, pool, tier, ticket[leader], held, lines_of(state, state.units.mask is not None))

    @property
    def position(self) -> Array:
        """The position in the list of the wish that each child named; -1 none."""
        return np.where(self.wish >= 0, self.wish - self.full.offsets[:-1], -1).astype(np.int32)

    def placed(self) -> Placed:
        """The result if this were the only phase."""
        own = np.where(self.granted, self.position, -1).astype(np.int32)
        return Placed(own, self.position, self.pool, self.tier, self.ticket, self.held, self.line)

    def added_to(self, earlier: Placed) -> Placed:
        """The result of the phases before and of this one."""
        new = self.granted & (earlier.own < 0)
        return replace(
            earlier,
            own=np.where(new, self.position, earlier.own),
            pool=np.where(new, self.pool, earlier.pool),
            tier=np.where(new, self.tier, earlier.tier),
            held=earlier.held + self.held,
        )

    def chances(self, programmes: int) -> tuple[Array, Array]:
        """How many asked (programmes × 16), and the share of them that was admitted; where nobody asked, 1 while places are
        left or a worse tier was admitted, else 0."""
        asks = self.wish >= 0
        at = self.full.programme[self.wish[asks]].astype(np.int64) * TIERS + self.full.tier[self.wish[asks]]
        size = programmes * TIERS
        asked = np.bincount(at, minlength=size).reshape(programmes, TIERS)
        got = np.bincount(at, self.granted[asks], minlength=size).reshape(programmes, TIERS)
        refused = asked - got > 0
        full_from = np.where(refused.any(axis=1), refused.argmax(axis=1), TIERS)
        expected = (np.arange(TIERS)[None, :] < full_from[:, None]).astype(float)
        return asked, np.where(asked > 0, got / np.maximum(asked, 1), expected)
