"""The small charts of a study: a figure at no, half and all careful families."""

from dataclasses import dataclass

from enrollment.laboratory.metrics import Metric
from portal.officials.laboratory.figures import KILOMETRES, Column, Line

CHARTS = (Metric.OWN, Metric.TRUE_FIRST, Metric.COMPLAINT, Metric.METRES)


@dataclass(frozen=True)
class Mark:
    """A value in a chart: where it is drawn, and where its label stands."""

    x: float
    y: float
    text: str
    label_y: float


CHART_TOP, CHART_HEIGHT, LABEL_HEIGHT = 16, 72, 11
CHART_XS = (30, 100, 168)
BELOW = 8
"""How far labels may stand below the drawing; then come the names of the three columns."""


@dataclass(frozen=True)
class Chart:
    """For each variant that depends on how families behave its three marks, and one mark for each other variant.  `bottom` is
    the y of the least value: a chart of many variants is higher."""

    bands: list[list[Mark]]
    straight: list[Mark]
    bottom: float


def behaviour(line: Line, found: list[Column]) -> Chart:
    """The chart of a figure at no, half and all careful families.  No label covers another one of its column."""
    drawn = [(column, cell) for column, cell in zip(found, line.cells, strict=True) if cell is not None]
    least = min(cell.low for _column, cell in drawn)
    span = max(cell.high for _column, cell in drawn) - least or 1
    share = 1000 if line.metric in KILOMETRES else 1
    height = max(CHART_HEIGHT, LABEL_HEIGHT * len(drawn))
    bottom = CHART_TOP + height

    def y_of(value: float) -> float:
        return round(CHART_TOP + height * (1 - (value - least) / span), 1)

    bands: list[list[tuple[float, str]]] = []
    straight: list[tuple[float, str]] = []
    for column, cell in drawn:
        if column.variant.is_band and column.row.result:
            values = [value / share for value in column.row.result["band"][line.metric]]
            bands.append([(y_of(value), line.text(value)) for value in values])
        else:
            straight.append((y_of(cell.mean), f"{column.letter} {line.text(cell.mean)}"))
    columns = [
        _apart(x, [band[place] for band in bands], bottom, above=6) for place, x in enumerate(CHART_XS if bands else ())
    ]
    marks = [list(each) for each in zip(*columns, strict=True)]
    return Chart(marks, _apart(CHART_XS[-1], straight, bottom, above=-4), bottom)


def _apart(x: float, points: list[tuple[float, str]], bottom: float, *, above: float) -> list[Mark]:
    """A mark for each point, in their order, whose labels stand `above` them as far as they do not cover each other."""
    order = sorted(range(len(points)), key=lambda place: points[place])
    at: list[float] = []
    for place in order:
        wanted = max(points[place][0] - above, LABEL_HEIGHT)
        at.append(max(wanted, at[-1] + LABEL_HEIGHT) if at else wanted)
    last = bottom + BELOW
    for index in reversed(range(len(at))):
        at[index] = min(at[index], last)
        last = at[index] - LABEL_HEIGHT
    labels = dict(zip(order, at, strict=True))
    return [Mark(x, y, text, round(labels[place], 1)) for place, (y, text) in enumerate(points)]
