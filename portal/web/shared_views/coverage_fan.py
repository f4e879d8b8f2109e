"""The geometry of the forecast's charts: past and next years with their intervals, births, and what would change it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from enrollment.coverage.forecast import backtest
from enrollment.coverage.forecast.levers import Effect
from enrollment.coverage.forecast.outlook import Band, Outlook, September
from enrollment.coverage.forecast.past import YEARS_TO_ENTRY
from portal.web.shared_views.coverage_charts import Scale, scale_of

PAST_SHOWN = 6
LEFT, RIGHT, TOP, BOTTOM = 44, 700, 24, 396
MEASURES = {"total": backtest.TOTAL, "public": backtest.PUBLIC_SHARE, "inclusive": backtest.COVERED_SHARE}


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    text: str
    year: int
    met: bool | None = None


@dataclass(frozen=True)
class Fan:
    """Paths of SVG: the past, the middle of the next years, both intervals, and what earlier years had said."""

    past: tuple[Point, ...]
    next: tuple[Point, ...]
    line: str
    dotted: str
    fan80: str
    fan95: str
    earlier: tuple[str, ...]
    target: float | None
    target_text: str
    floor: float | None
    floor_text: str
    ticks: tuple[tuple[float, str], ...]
    today: float


def fan(outlook: Outlook, area: str, measure: str, target: float | None, floor: float | None) -> Fan:
    """The chart of one figure of an area, or of the city under the empty code: per cent, or thousands of children."""
    values, bands = _past(outlook, area, measure), _bands(outlook, area, measure)
    later = [_figure(each, measure) for each in outlook.septembers[area]]
    first_year = outlook.past.last_year - len(values) + 1
    said = _earlier(outlook, area, measure, first_year)
    everything = [*values, *later, target, *(limit for band in bands for limit in (band.low95, band.high95))]
    everything += [value for path in said for _year, value in path]
    across = Scale(first_year, outlook.past.last_year + len(later), LEFT, RIGHT)
    bound = scale_of(everything, 0, 1)
    up = Scale(bound.low, bound.high, BOTTOM, TOP) if measure != "total" else _of_children(everything)
    last = outlook.past.last_year
    past = tuple(
        Point(across(first_year + index), up(value), _text(value, target), first_year + index)
        for index, value in enumerate(values)
    )
    ahead = tuple(
        Point(
            across(last + 1 + index),
            up(value),
            _text(value, target),
            last + 1 + index,
            _met(outlook, area, measure, index),
        )
        for index, value in enumerate(later)
    )
    start = past[-1]
    return Fan(
        past,
        ahead,
        _path([(point.x, point.y) for point in past]),
        _path([(point.x, point.y) for point in (start, *ahead)]),
        _area(start, ahead, [(up(band.low), up(band.high)) for band in bands]),
        _area(start, ahead, [(up(band.low95), up(band.high95)) for band in bands]),
        tuple(_path([(across(year), up(value)) for year, value in path]) for path in said),
        None if target is None else up(target),
        "" if target is None else f"{target:g}",
        None if floor is None or up.clips(floor) else up(floor),
        "" if floor is None else f"{floor:g}",
        tuple((up(tick), str(tick)) for tick in up.ticks(8)),
        start.x,
    )


def _of_children(values: Sequence[float | None]) -> Scale:
    known = [value for value in values if value is not None]
    room = (max(known) - min(known)) * 0.1 or 1
    return Scale(max(min(known) - room, 0), max(known) + room, BOTTOM, TOP)


def _text(value: float, target: float | None) -> str:
    """One decimal; two, rounded down, where one would show a figure below the target as reached."""
    text = f"{value:.1f}"
    return f"{math.floor(value * 100) / 100:.2f}" if target is not None and value < target <= float(text) else text


def _figure(each: September, measure: str) -> float:
    if measure == "total":
        return each.coverage.all / 1000
    share = each.coverage.public_share if measure == "public" else each.coverage.inclusive_coverage
    return share.percent.hundredths / 100 if share.percent else 0.0


def _met(outlook: Outlook, area: str, measure: str, index: int) -> bool | None:
    if measure == "total":
        return None
    each = outlook.septembers[area][index]
    return (each.public if measure == "public" else each.inclusive).share.met


def _bands(outlook: Outlook, area: str, measure: str) -> list[Band]:
    found = []
    for each in outlook.septembers[area]:
        band = (
            each.children_band if measure == "total" else (each.public if measure == "public" else each.inclusive).band
        )
        if band is None:
            return []
        found.append(_in_thousands(band) if measure == "total" else band)
    return found


def _in_thousands(band: Band) -> Band:
    return Band(band.low95 / 1000, band.low / 1000, band.high / 1000, band.high95 / 1000)


def _past(outlook: Outlook, area: str, measure: str) -> list[float]:
    children = outlook.past.children
    if area:
        children = children[[outlook.past.areas.index(area)]]
    shown = min(PAST_SHOWN, outlook.past.years)
    figures = [
        backtest.city_measures_of(children[:, year])[MEASURES[measure]]
        for year in range(outlook.past.years - shown, outlook.past.years)
    ]
    return [float(figure) * (0.001 if measure == "total" else 100) for figure in figures]


def _earlier(outlook: Outlook, area: str, measure: str, first_year: int) -> list[list[tuple[int, float]]]:
    """What the method would have said in two past years, from the figure of that year on."""
    if outlook.test is None:
        return []
    place = outlook.past.areas.index(area) if area else -1
    values = _past(outlook, area, measure)
    times = 0.001 if measure == "total" else 100
    paths = []
    for origin in range(max(outlook.test.first_origin, first_year + 1), outlook.past.last_year - 1, 2):
        said = outlook.test.said[origin - outlook.test.first_origin, :, MEASURES[measure], place] * times
        years = range(origin + 1, min(origin + 1 + len(said), outlook.past.last_year + 1))
        paths.append([(origin, values[origin - first_year]), *zip(years, map(float, said), strict=False)])
    return paths


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def _area(start: Point, ahead: Sequence[Point], limits: Sequence[tuple[float, float]]) -> str:
    if not limits:
        return ""
    upper = [(start.x, start.y), *((point.x, high) for point, (_low, high) in zip(ahead, limits, strict=True))]
    lower = [(point.x, low) for point, (low, _high) in zip(ahead, limits, strict=True)]
    return f"{_path([*upper, *reversed(lower)])}Z"


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    height: float
    text: int
    year: int
    ahead: bool


def births(outlook: Outlook, area: str, *, width: float = 300, height: float = 150) -> tuple[Bar, ...]:
    """Births of the cohorts that are in kindergarten now, and of those that come (`ahead`)."""
    past = outlook.past
    numbers = past.births[past.areas.index(area)] if area else past.births.sum(axis=0)
    known = [(index, float(number)) for index, number in enumerate(numbers) if number == number][-7:]
    most = max((number for _index, number in known), default=0) or 1
    step = width / max(len(known), 1)
    return tuple(
        Bar(
            round(place * step + 3, 1),
            round(20 + (1 - number / most) * height, 1),
            round(number / most * height, 1),
            round(number),
            past.first_year - YEARS_TO_ENTRY + index,
            index >= past.years,
        )
        for place, (index, number) in enumerate(known)
    )


@dataclass(frozen=True)
class LeverBar:
    effect: Effect
    x: float
    width: float


def lever_bars(effects: Sequence[Effect], middle: float = 150) -> tuple[LeverBar, ...]:
    """Bars to the left for what lowers the share and to the right for what raises it."""
    most = max((abs(each.points) for each in effects), default=0) or 1
    bars = []
    for each in effects:
        width = round(abs(each.points) / most * (middle - 6), 1)
        bars.append(LeverBar(each, middle if each.points > 0 else middle - width, width))
    return tuple(bars)
