"""Many draws of variants over the same families: each figure with its error and its range, and who gains or loses.

The same seed gives the same tickets under every variant, so a child is compared with itself.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from allocation.arrays import Array
from allocation.experiments.draws import RankedDraws
from enrollment.laboratory.families import GROUND_BIT, Families
from enrollment.laboratory.metrics import DrawFigures, Measure, Metric
from enrollment.laboratory.one_wish import Beliefs, OneWishDraws, careful_families
from enrollment.laboratory.variant_market import VariantMarket, market_of
from enrollment.laboratory.variants import Method, Numbers, Variant
from enrollment.season.facts import Ground
from enrollment.season.small_cells import FEWEST

Z95 = 1.96
CAREFUL_SHARES = (0, 50, 100)
"""Per cent of the families who calculate, for a variant whose result depends on it; the middle one is compared."""

MIDDLE = 1
AT_ONCE = 10
"""Draws between two calls of `tell`."""

UNKNOWN_WITH_OWN_NUMBERS = (Metric.COMPLAINT, Metric.MISSED)
"""There is no common order of priority when each kindergarten draws for itself."""

BOUND, NO_GROUND = "bound", "no_ground"
Tell = Callable[[int], None]


@dataclass(frozen=True)
class Figure:
    """The mean over the draws, its error (1.96 standard errors), and where nine in ten single draws lie."""

    mean: float
    error: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Array) -> "Figure | None":
        """None where no draw says anything."""
        known = values[~np.isnan(values)]
        if not len(known):
            return None
        spread = known.std(ddof=1) if len(known) > 1 else 0.0
        low, high = np.quantile(known, (0.05, 0.95))
        return cls(float(known.mean()), float(Z95 * spread / np.sqrt(len(known))), float(low), float(high))


@dataclass(frozen=True)
class VariantResult:
    """`figures` of each metric; `band` the means at each share of careful families, () where they do not matter."""

    variant: Variant
    draws: int
    figures: dict[Metric, Figure | None]
    band: dict[Metric, tuple[float | None, ...]]
    left_over: float
    placed: Array  # float64[areas, natures]: the mean
    rank: Array  # uint8[draws, n]


@dataclass(frozen=True)
class Moved:
    """Children of a group, and how many of them do better and worse than under the first variant, on average.

    The counts are None where the group, or one of them, is so small that it could point at a child.
    """

    group: str
    children: int | None
    better: float | None
    worse: float | None


def run(families: Families, variant: Variant, draws: int, seed: int, tell: Tell, workers: int | None = None) -> VariantResult:  # fmt: skip
    """Draw a variant.  `tell` is called with how many draws are done; it may raise to stop.  Refuses as `market_of`."""
    market = market_of(families, variant)
    if variant.method == Method.RANKED:
        found = _draw(families, market, variant, None, None, draws, seed, tell, workers)
        return _result(variant, found, {}, 0.0, families)
    by_share, band, left_over = [], {}, 0.0
    for at, share in enumerate(CAREFUL_SHARES):
        careful = careful_families(families, share)
        beliefs = OneWishDraws(families, market, variant.phases, careful).beliefs
        left_over = max(left_over, beliefs.left_over)
        done = at * draws
        found = _draw(
            families, market, variant, careful, beliefs, draws, seed, partial(_tell_after, tell, done), workers
        )
        by_share.append(found)
    for metric in Metric:
        means = [Figure.of(_column(found, metric)) for found in by_share]
        band[metric] = tuple(mean.mean if mean else None for mean in means)
    return _result(variant, by_share[MIDDLE], band, left_over, families)


def _tell_after(tell: Tell, before: int, done: int) -> None:
    tell(before + done)


def steps_of(variant: Variant, draws: int) -> int:
    """How many draws `run` makes."""
    return draws * (len(CAREFUL_SHARES) if variant.is_band else 1)


def _draw(
    families: Families,
    market: VariantMarket,
    variant: Variant,
    careful: Array | None,
    beliefs: Beliefs | None,
    draws: int,
    seed: int,
    tell: Tell,
    workers: int | None,
) -> list[DrawFigures]:
    """The figures of each draw, in the order of the draws; threads share the work."""
    workers = min(workers or os.cpu_count() or 1, draws)
    found: list[DrawFigures | None] = [None] * draws

    def drawer() -> OneWishDraws | RankedDraws:
        if careful is not None:
            return OneWishDraws(families, market, variant.phases, careful, beliefs)
        return RankedDraws(market.named, numbers_each=variant.numbers == Numbers.EACH)

    tables = [(drawer(), Measure(families, market, _mixed(careful))) for _ in range(workers)]

    def work(first: int, start: int, stop: int) -> None:
        rule, measure = tables[first]
        for draw in range(start + first, stop, workers):
            found[draw] = measure.of(rule.draw((seed << 32) + draw))

    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, draws, AT_ONCE * workers):
            stop = min(start + AT_ONCE * workers, draws)
            list(pool.map(work, range(workers), [start] * workers, [stop] * workers))
            tell(stop)
    return [one for one in found if one is not None]


def _mixed(careful: Array | None) -> Array | None:
    """The careful families, where there are others too."""
    return careful if careful is not None and careful.any() and not careful.all() else None


def _column(found: list[DrawFigures], metric: Metric) -> Array:
    return np.array([one.figures.get(metric, np.nan) for one in found], dtype=float)


def _result(
    variant: Variant, found: list[DrawFigures], band: dict[Metric, Any], left_over: float, families: Families
) -> VariantResult:
    figures = {metric: Figure.of(_column(found, metric)) for metric in Metric}
    if variant.numbers == Numbers.EACH:
        figures |= dict.fromkeys(UNKNOWN_WITH_OWN_NUMBERS)
    for metric, value in ((Metric.ROUNDS, variant.rounds_for_a_family), (Metric.DAYS, variant.days)):
        figures[metric] = Figure(value, 0.0, value, value)
    placed = np.mean([one.placed for one in found], axis=0)
    rank = np.stack([one.rank for one in found])
    return VariantResult(variant, len(found), figures, band, left_over, placed, rank)


def compare(families: Families, before: VariantResult, after: VariantResult) -> tuple[list[Moved], list[Moved]]:
    """Who gains and who loses: all children and the groups by ground, and the areas of their first wish."""
    better = (after.rank < before.rank).mean(axis=0)
    worse = (after.rank > before.rank).mean(axis=0)

    def moved(name: str, members: Array) -> Moved:
        return _told(name, int(members.sum()), float(better[members].sum()), float(worse[members].sum()))

    everybody = np.ones(families.children, dtype=bool)
    groups = [moved(name, members) for name, members in (("all", everybody), *groups_of(families))]
    here = [(area, families.home == at) for at, area in enumerate(families.areas)]
    return groups, [moved(area, members) for area, members in here if members.any()]


def groups_of(families: Families) -> Iterator[tuple[str, Array]]:
    """Each ground that a family has at one of its wishes, bound children, and children without a ground."""
    for ground in Ground:
        members = (families.any_ground & GROUND_BIT[ground]) > 0
        if members.any():
            yield ground, members
    if (families.unit >= 0).any():
        yield BOUND, families.unit >= 0
    yield NO_GROUND, families.any_ground == 0


def _told(group: str, children: int, better: float, worse: float) -> Moved:
    """No group of fewer than ten children, and no count of one to nine; one of two counts hides the other too."""
    if children < FEWEST:
        return Moved(group, None, None, None)
    if 0 < better < FEWEST or 0 < worse < FEWEST:
        return Moved(group, children, None, None)
    return Moved(group, children, better, worse)
