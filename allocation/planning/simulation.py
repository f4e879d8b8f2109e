"""A plan played through by the engine: who would enter which kind of kindergarten, and the two shares of the roll.

Each year is drawn twice over the same families with the same tickets, with the plan and without any measure.  The forecast
of the roll holds without measures; the difference of the two draws, cohort by cohort, is what the measures change.  No child
vanishes: who has no place in a draw is on the roll of the other kindergartens of the area that it named first, because most
of these take no part in the round.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from allocation.arrays import Array
from allocation.experiments.draws import RankedDraws
from allocation.market import Market
from allocation.planning import town_market
from allocation.planning.town_market import COHORTS, Change, Extended, Project, Town

KINDS = 3


@dataclass(frozen=True)
class Played:
    """Children placed by year, draw and programme, with the plan and `before` any measure; those without a place; all."""

    town: Extended
    plan: Array  # int64[years, draws, p + new]
    before: Array
    left: Array  # int64[years, draws, areas + 1]: without a place, by the area of the first wish; last those without a wish
    left_before: Array
    children: Array  # int64[years]

    @property
    def years(self) -> int:
        return len(self.children)

    @property
    def unplaced(self) -> Array:
        """Children without a place by year and draw."""
        found: Array = self.left.sum(axis=2)
        return found

    @property
    def unplaced_before(self) -> Array:
        found: Array = self.left_before.sum(axis=2)
        return found

    def entering(self, year: int) -> Array:
        """Children placed by draw and kind under the plan (int64[draws, kinds])."""
        kinds = self.town.kinds(year)
        return np.stack([self.plan[year][:, kinds == kind].sum(axis=1) for kind in range(KINDS)], axis=1)

    def entering_before(self, year: int) -> Array:
        """The same without any measure."""
        kinds = self.town.kinds(-1)
        return np.stack([self.before[year][:, kinds == kind].sum(axis=1) for kind in range(KINDS)], axis=1)

    def filled(self, project: Project, year: int) -> tuple[int, Array]:
        """Places of a measure for the children of one September, and how many of them are taken by draw.  For a kindergarten
        that turns these are all its places; one that takes no part in the round has none."""
        own = self.town.own(project)
        taken: Array = self.plan[year][:, own].sum(axis=1)
        if project.change == Change.TURN:
            return int(self.town.places(year)[own].sum()), taken
        places = project.entering_in(year) if project.change == Change.ADD else project.entering
        return places, np.clip(taken - self.before[year][:, own].sum(axis=1), 0, places)

    def roll(self, expected: Array) -> Array:
        """Children on the roll by year, draw, area and kind; `expected` (years, areas, kinds) are those without measures."""
        draws = self.plan.shape[1]
        found = np.repeat(np.asarray(expected, dtype=float)[:, None], draws, axis=1)
        for year in range(self.years):
            for cohort in range(year - COHORTS + 1, year + 1):
                self._move_cohort(found[year], cohort, year)
            self._move_outsiders(found[year], year)
            self._move_older(found[year], year)
        roll: Array = np.maximum(found, 0)
        return roll

    def _move_cohort(self, roll: Array, cohort: int, year: int) -> None:
        """Put the children of a cohort where the plan has them.  Cohorts from before the first year are like its own
        without measures; a part of those in a kindergarten that ends goes to the others of the area."""
        if cohort >= 0:
            roll[:, :, KINDS - 1] += (self.left[cohort] - self.left_before[cohort])[:, :-1]
        on_roll = self.town.stay > year - cohort
        before = self.before[max(cohort, 0)]
        plan = self.plan[cohort] if cohort >= 0 else before
        kinds, was = self.town.kinds(year), self.town.kinds(-1)
        leave = self._leaving(cohort, year)
        parts = self._parts(year)
        for programme in np.flatnonzero(on_roll).tolist():
            area = self.town.area[programme]
            left = plan[:, programme] * leave[programme]
            roll[:, area, kinds[programme]] += plan[:, programme] - left
            roll[:, area] += left[:, None] * parts[:, area]
            roll[:, area, was[programme]] -= before[:, programme]

    def _leaving(self, cohort: int, year: int) -> Array:
        """The part of a cohort's children in each programme who leave because their kindergarten ends."""
        found = np.zeros(self.town.programmes)
        for each in self.town.projects:
            if each.change == Change.END and cohort < each.since <= year:
                own = self.town.own(each)
                places = int(self.town.town.market.places[own[: self.town.town.programmes]].sum())
                found[own] = min(each.entering / places, 1.0) if places else 0.0
        return found

    def _parts(self, year: int) -> Array:
        """How the children who enter in an area divide among the kinds (draws, areas, kinds)."""
        kinds = self.town.kinds(year)
        areas = self.town.town.areas
        counted = np.zeros((self.plan.shape[1], areas, KINDS))
        for kind in range(KINDS):
            for area in range(areas):
                here = (kinds == kind) & (self.town.area == area)
                counted[:, area, kind] = self.plan[year][:, here].sum(axis=1)
        total = counted.sum(axis=2, keepdims=True)
        parts: Array = np.divide(counted, total, out=np.full_like(counted, 1 / KINDS), where=total > 0)
        return parts

    def _move_outsiders(self, roll: Array, year: int) -> None:
        """Kindergartens that take no part in the round: their children turn with them, or divide like those who enter."""
        for each in self.town.in_force(year):
            if each.change == Change.ADD or self.town.own(each).any():
                continue
            moved = np.minimum(each.places, roll[:, each.area, each.was])
            roll[:, each.area, each.was] -= moved
            if each.change == Change.TURN:
                roll[:, each.area, each.kind] += moved
            else:
                roll[:, each.area] += moved[:, None] * self._parts(year)[:, each.area]

    def _move_older(self, roll: Array, year: int) -> None:
        """New places that are open for older children are taken as far as those for the youngest are, by children of the
        other kinds of the area in proportion."""
        for each in self.town.in_force(year):
            older = each.older_in(year) if each.change == Change.ADD else 0
            places, taken = self.filled(each, year) if older else (0, np.zeros(len(roll)))
            if not places:
                continue
            others = np.maximum(roll[:, each.area], 0)
            others[:, each.kind] = 0
            all_others = others.sum(axis=1)
            moved = np.minimum(older * taken / places, all_others)
            roll[:, each.area] -= others * (moved / np.maximum(all_others, 1))[:, None]
            roll[:, each.area, each.kind] += moved


def play(
    town: Town,
    projects: Sequence[Project],
    factors: Array,
    *,
    draws: int,
    seed: int,
    tell: Callable[[int], None] = lambda _done: None,
) -> Played:
    """Draw every year with and without the projects.  `factors` (years, areas) say how many times as many families there
    are as in the round.  `tell` gets the draws done, of `years * draws`; it may raise to stop."""
    full = town_market.extended(town, projects)
    years = len(factors)
    shape = (years, draws, full.programmes)
    plan, before = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    left = np.zeros((years, draws, town.areas + 1), dtype=np.int64)
    left_before = left.copy()
    children = np.zeros(years, dtype=np.int64)
    for year in range(years):
        families = town_market.with_families(town, factors[year], seed)
        home = town_market.homes(families)
        children[year] = families.market.children
        seeds = range(seed, seed + draws)
        for draw, (counts, without) in enumerate(_drawn(families.market, seeds, home, town.areas)):
            before[year, draw, : town.programmes], left_before[year, draw] = counts, without
        if not full.in_force(year):
            plan[year], left[year] = before[year], left_before[year]
        else:
            market = town_market.market_of_year(full, families, year)
            for draw, (counts, without) in enumerate(_drawn(market, seeds, home, town.areas)):
                plan[year, draw], left[year, draw] = counts, without
                tell(year * draws + draw + 1)
        tell((year + 1) * draws)
    return Played(full, plan, before, left, left_before, children)


def _drawn(market: Market, seeds: Sequence[int], home: Array, areas: int) -> Iterator[tuple[Array, Array]]:
    """For each seed the children placed in each programme, and those without a place by area, last those without a wish."""
    table = RankedDraws(market)
    for seed in seeds:
        own = table.draw(seed).own
        placed = own >= 0
        programme = market.programme[market.offsets[:-1][placed] + own[placed]]
        counts = np.bincount(programme, minlength=market.programmes)
        yield counts, np.bincount(home[~placed], minlength=areas + 1)
