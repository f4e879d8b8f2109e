"""What one draw of a variant means for the families: the figures of the laboratory, and each child's rank.

The codes of `Metric` stand in the order of the page.  Shares are of all children unless their words say otherwise.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from allocation.arrays import Array
from allocation.experiments.draws import Placed
from allocation.experiments.standing import place_nearest, wanted_more, worst_keys
from enrollment.ground.classifications import Nature
from enrollment.laboratory.families import HUKOU, RESIDENCE, Families
from enrollment.laboratory.variant_market import VariantMarket
from enrollment.places.areas import NATURES
from enrollment.season.facts import Ground


class Metric(StrEnum):
    OWN = "own"
    OFFICE = "office"
    UNPLACED = "unplaced"
    TRUE_FIRST = "true_first"
    TRUE_TOP = "true_top"
    NAMED_FIRST = "named_first"
    RANK = "rank"
    FIFTH = "fifth"
    METRES = "metres"
    METRES_90 = "metres_90"
    FAR = "far"
    SERVED = "served"
    COMPLAINT = "complaint"
    MISSED = "missed"
    TOGETHER = "together"
    HUKOU_GAP = "hukou_gap"
    NEED_GAP = "need_gap"
    CAREFUL_GAP = "careful_gap"
    LEAST_WANTED = "least_wanted"
    EMPTY = "empty"
    PUBLIC = "public"
    INCLUSIVE = "inclusive"
    ROUNDS = "rounds"
    DAYS = "days"


FAR_METRES = 3000
TOP, FIFTH = 3, 4
NO_RANK = 255
"""The rank of a child without a place."""


@dataclass(frozen=True)
class DrawFigures:
    """The figures of one draw (NaN where nothing can be said), the rank of each child in its list (uint8[n] from 0), and the
    children placed by area and nature."""

    figures: dict[Metric, float]
    rank: Array
    placed: Array  # int64[areas, natures]


class Measure:
    """Measures draws of one variant.  Not for several threads."""

    def __init__(self, families: Families, market: VariantMarket, careful: Array | None) -> None:
        self.families, self.market, self.careful = families, market, careful
        self.full = market.full
        self.worst = np.empty(self.full.pools.count, dtype=np.uint64)
        self.found = np.empty(families.children, dtype=np.uint8)
        self.office = np.empty(families.children, dtype=np.int32)
        served = families.holds(Ground.SERVICE_AREA)
        self.serves = served if served.any() else None
        first = families.programme[families.offsets[:-1][families.lengths > 0]]
        asked = np.bincount(first, minlength=len(self.full.places)) / np.maximum(self.full.places, 1)
        with_places = np.flatnonzero(self.full.places > 0)
        least = max(len(with_places) // 10, 1)
        self.least_wanted = with_places[np.argsort(asked[with_places], kind="stable")[:least]]
        self.need = (families.any_ground & (1 << list(Ground).index(Ground.SPECIAL_NEED))) > 0

    def of(self, placed: Placed) -> DrawFigures:
        """The figures of one draw."""
        office = self._office(placed)
        position = np.where(placed.own >= 0, placed.own, office)
        families, count = self.families, max(self.families.children, 1)
        has = position >= 0
        wish = families.offsets[:-1] + np.maximum(position, 0)
        programme = np.where(has, families.programme[wish] if len(families.programme) else -1, -1)
        own = placed.own >= 0
        figures = {
            Metric.OWN: 100 * own.sum() / count,
            Metric.OFFICE: 100 * (office >= 0).sum() / count,
            Metric.UNPLACED: 100 * (~has).sum() / count,
            Metric.TRUE_FIRST: 100 * (position == 0).sum() / count,
            Metric.TRUE_TOP: 100 * (has & (position < TOP)).sum() / count,
            Metric.NAMED_FIRST: 100 * (own & (placed.own == placed.asked)).sum() / count,
            Metric.RANK: _mean(position[has] + 1),
            Metric.FIFTH: 100 * (position >= FIFTH).sum() / count,
            Metric.COMPLAINT: 100 * self._wanted(placed, position, self._worst(placed)) / count,
            Metric.MISSED: 100 * self._wanted(placed, position, placed.line) / count,
            Metric.TOGETHER: self._together(programme),
        }
        figures |= self._distances(has, wish) | self._gaps(has, position) | self._places(placed, office, programme)
        by_area = self._by_area(programme)
        figures |= self._shares(by_area)
        return DrawFigures(figures, np.where(has, np.minimum(position, NO_RANK - 1), NO_RANK).astype(np.uint8), by_area)

    def _office(self, placed: Placed) -> Array:
        """Children without an own wish get the nearest place that is left, in the order of their tickets."""
        pools, left = self.full.pools, np.zeros(len(self.full.places), dtype=np.int32)
        free = np.where(pools.locked, 0, np.maximum(pools.places - placed.held, 0))
        np.add.at(left, pools.programme, free.astype(np.int32))
        waiting = np.flatnonzero(placed.own < 0)
        order = waiting[np.argsort(placed.ticket[waiting], kind="stable")]
        place_nearest(
            order, self.full.offsets, self.full.programme, self.families.metres, placed.own, left, self.office
        )
        return self.office

    def _worst(self, placed: Placed) -> Array:
        full = self.full
        worst_keys(
            full.offsets, full.programme, self.market.mask, full.pools.start, placed.own, placed.pool, placed.tier,
            placed.ticket, self.worst,
        )  # fmt: skip
        return self.worst

    def _wanted(self, placed: Placed, position: Array, line: Array) -> int:
        full = self.full
        wanted_more(
            full.offsets, full.programme, full.tier, self.market.mask, full.pools.start, full.pools.locked,
            self.families.leader, position.astype(np.int32), placed.ticket, line, self.found,
        )  # fmt: skip
        return int(self.found.sum())

    def _together(self, programme: Array) -> float:
        """Of bound children and of children with an elder sibling in the draw, those at the same kindergarten."""
        families = self.families
        house = np.where(programme >= 0, families.programmes.kindergarten[programme], -1)
        other = np.where(families.elder >= 0, families.elder, families.leader)
        pair = other != np.arange(families.children)
        return _percent((house[pair] >= 0) & (house[pair] == house[other[pair]]))

    def _distances(self, has: Array, wish: Array) -> dict[Metric, float]:
        metres = self.families.metres[wish[has]] if has.any() else np.zeros(0, dtype=np.int32)
        metres = metres[metres >= 0]
        served = self.serves[wish[has]] if self.serves is not None and has.any() else np.zeros(0, dtype=bool)
        if not len(metres):
            away = {Metric.METRES: np.nan, Metric.METRES_90: np.nan, Metric.FAR: np.nan}
        else:
            ninth = (len(metres) - 1) * 9 // 10
            middle = (len(metres) - 1) // 2
            part = np.partition(metres, [middle, ninth])
            away = {
                Metric.METRES: float(part[middle]),
                Metric.METRES_90: float(part[ninth]),
                Metric.FAR: 100 * float((metres > FAR_METRES).mean()),
            }
        return away | {Metric.SERVED: _percent(served)}

    def _gaps(self, has: Array, position: Array) -> dict[Metric, float]:
        """Differences between groups, in points of children placed or in ranks."""
        kind = self.families.registration
        gaps = {
            Metric.HUKOU_GAP: _percent(has[kind == HUKOU]) - _percent(has[kind == RESIDENCE]),
            Metric.NEED_GAP: _percent(has[~self.need]) - _percent(has[self.need]),
            Metric.CAREFUL_GAP: 0.0,
        }
        if self.careful is not None:
            plain = _mean(position[has & ~self.careful])
            gaps[Metric.CAREFUL_GAP] = plain - _mean(position[has & self.careful])
        return gaps

    def _places(self, placed: Placed, office: Array, programme: Array) -> dict[Metric, float]:
        taken = np.bincount(programme[programme >= 0], minlength=len(self.full.places))
        places = self.full.places
        least = self.least_wanted
        return {
            Metric.LEAST_WANTED: 100 * taken[least].sum() / max(places[least].sum(), 1),
            Metric.EMPTY: 100 * np.maximum(places - taken, 0).sum() / max(places.sum(), 1),
        }

    def _by_area(self, programme: Array) -> Array:
        """Children placed by area of the kindergarten and nature, as the two shares count them (int64[areas, natures])."""
        here, programmes = programme[programme >= 0], self.families.programmes
        here = here[programmes.counted[here] >= 0]
        cell = programmes.area[here] * len(NATURES) + programmes.counted[here]
        size = len(self.families.areas) * len(NATURES)
        return np.bincount(cell, minlength=size).reshape(len(self.families.areas), len(NATURES))

    def _shares(self, by_area: Array) -> dict[Metric, float]:
        total = (by_area + self.families.continuing).sum(axis=0)
        public, inclusive = total[NATURES.index(Nature.PUBLIC)], total[NATURES.index(Nature.INCLUSIVE)]
        everybody = max(total.sum(), 1)
        return {Metric.PUBLIC: 100 * public / everybody, Metric.INCLUSIVE: 100 * (public + inclusive) / everybody}


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan


def _percent(held: Array) -> float:
    return 100 * float(held.mean()) if len(held) else np.nan
