"""The geometry of the charts of the two shares.  The templates draw SVG from it, so that no chart needs a script."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from allocation.coverage import Percent, Share
from enrollment.coverage.forecast.outlook import Band, ShareOutlook
from enrollment.coverage.shares import AreaLine


@dataclass(frozen=True)
class Scale:
    """Per cent to pixels."""

    low: float
    high: float
    left: float
    right: float

    def __call__(self, percent: float) -> float:
        inside = min(max(percent, self.low), self.high)
        return round(self.left + (inside - self.low) / (self.high - self.low) * (self.right - self.left), 1)

    def clips(self, percent: float) -> bool:
        return percent > self.high or percent < self.low

    def ticks(self, most: int = 6) -> list[int]:
        """Whole per cents inside, a round step apart."""
        step = next(step for step in (1, 2, 5, 10, 20) if (self.high - self.low) / step <= most)
        return list(range(math.ceil(self.low / step) * step, math.floor(self.high) + 1, step))


def of(percent: Percent | None) -> float | None:
    return None if percent is None else percent.hundredths / 100


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def scale_of(values: Iterable[float | None], left: float, right: float, *, margin: float = 0.06) -> Scale:
    """A scale with room for these percentages; one point wide at least, and the whole where nothing is known."""
    known = _known(values)
    if not known:
        return Scale(0, 100, left, right)
    low, high = min(known), max(known)
    room = max((high - low) * margin, 0.5)
    return Scale(max(low - room, 0), min(high + room, 100), left, right)


@dataclass(frozen=True)
class Mark:
    """A share on a scale: `x`, whether the target is met (None without one), its interval `low` to `high`, its chance."""

    label: str
    text: str
    x: float
    met: bool | None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    chance: float | None = None
    naive: bool = False


@dataclass(frozen=True)
class TileChart:
    """Today, next September and three years on, beside the target and the floor of the state."""

    marks: tuple[Mark, ...]
    target: float | None
    target_text: str
    floor: float | None
    floor_text: str


TILE_LEFT, TILE_RIGHT = 52, 140


def tile_chart(now: Share, floor: Percent | None, later: Sequence[tuple[str, ShareOutlook]], today: str) -> TileChart:
    """`later` are labels and figures."""
    values = [of(now.percent), of(now.target), of(floor)]
    for _label, each in later:
        values += [of(each.share.percent), *((each.band.low, each.band.high) if each.band else ())]
    scale = scale_of(values, TILE_LEFT, TILE_RIGHT)
    marks = [Mark(today, now.text, scale(of(now.percent) or 0), now.met)]
    marks += [_mark(label, each, scale) for label, each in later]
    target, least = of(now.target), of(floor)
    return TileChart(
        tuple(marks),
        None if target is None else scale(target),
        now.target.short if now.target else "",
        None if least is None else scale(least),
        floor.short if floor else "",
    )


def _mark(label: str, each: ShareOutlook, scale: Scale) -> Mark:
    band = each.band
    return Mark(
        label,
        each.share.text,
        scale(of(each.share.percent) or 0),
        each.share.met,
        scale(band.low) if band else None,
        scale(band.high) if band else None,
        interval_text(band),
        each.chance,
        each.naive,
    )


def interval_text(band: Band | None) -> str:
    return f"{band.low:.1f}–{band.high:.1f}" if band else ""


@dataclass(frozen=True)
class Dot:
    """A share of an area today, and where it goes; `arrow` is the x of September, None where it stays or is unknown.

    `own_target` is the x of a target of the area's own.  `beyond` is the text of a share outside the scale,
    `is_low` of one below it.
    """

    x: float
    met: bool | None
    arrow: float | None
    gap: int
    own_target: float | None
    beyond: str
    is_low: bool


@dataclass(frozen=True)
class DotRow:
    code: str
    y: float
    public: Dot | None
    inclusive: Dot | None


@dataclass(frozen=True)
class Panel:
    """One of the two halves: the x of the target and the floor with their texts, and ticks as (x, text)."""

    target: float | None
    target_text: str
    floor: float | None
    floor_text: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class DotPlot:
    rows: tuple[DotRow, ...]
    public: Panel
    inclusive: Panel
    height: float


ROW, FIRST_ROW = 17, 46
PUBLIC_X, INCLUSIVE_X = (140, 330), (402, 516)
SHORTEST_ARROW = 5
MIDDLE = 0.9
"""The part of the areas that a panel shows on its scale; the others stand at its edge with their figure."""


def dot_plot(
    lines: Sequence[AreaLine], city: AreaLine, september: dict[str, tuple[ShareOutlook, ShareOutlook]]
) -> DotPlot:
    """A row for each area, in their order."""
    public = _panel_scale([line.now.public_share for line in lines], city.now.public_share, PUBLIC_X)
    inclusive = _panel_scale([line.now.inclusive_coverage for line in lines], city.now.inclusive_coverage, INCLUSIVE_X)
    rows = []
    for index, line in enumerate(lines):
        later = september.get(line.code)
        rows.append(
            DotRow(
                line.code,
                FIRST_ROW + ROW * index,
                _dot(line.now.public_share, later[0] if later else None, public, city.now.public_share.target),
                _dot(line.now.inclusive_coverage, later[1] if later else None, inclusive, city.now.inclusive_target),
            )
        )
    return DotPlot(
        tuple(rows),
        _panel(public, city.now.public_share, city.least.public_share),
        _panel(inclusive, city.now.inclusive_coverage, city.least.inclusive_coverage),
        FIRST_ROW + ROW * len(lines),
    )


def _panel_scale(shares: Sequence[Share], city: Share, place: tuple[float, float]) -> Scale:
    """A scale of most of the areas, so that few far ones do not press the others together."""
    known = sorted(_known(of(share.percent) for share in shares))
    last = max(math.ceil(len(known) * MIDDLE) - 1, 0)
    first = min(len(known) - 1 - last, last)
    return scale_of([*known[first : last + 1], of(city.target), of(city.percent)], *place)


def _panel(scale: Scale, target: Share, floor: Share) -> Panel:
    at, least = of(target.target), of(floor.target)
    lines = [value for value in (at, least) if value is not None]
    apart = (scale.high - scale.low) / 9
    ticks = tuple((scale(tick), str(tick)) for tick in scale.ticks(5) if all(abs(tick - x) > apart for x in lines))
    return Panel(
        None if at is None else scale(at),
        target.target.short if target.target else "",
        None if least is None or scale.clips(least) else scale(least),
        floor.target.short if floor.target else "",
        ticks,
    )


def _dot(share: Share, later: ShareOutlook | None, scale: Scale, usual: Percent | None) -> Dot | None:
    percent = of(share.percent)
    if percent is None:
        return None
    x = scale(percent)
    september = of(later.share.percent) if later else None
    arrow = None
    if september is not None and not scale.clips(percent) and abs(scale(september) - x) >= SHORTEST_ARROW:
        arrow = scale(september)
    own = of(share.target) if share.target != usual else None
    beyond = share.text if scale.clips(percent) else ""
    return Dot(x, share.met, arrow, share.to_move, None if own is None else scale(own), beyond, percent < scale.low)
