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
CHART_XS = (30, 105, 180)


def behaviour(line: Line, found: list[Column]) -> tuple[list[list[Mark]], list[Mark]]:
    """The chart of a figure at no, half and all careful families: for each variant that depends on it its three marks, and
    one mark for each other variant."""
    drawn = [(column, cell) for column, cell in zip(found, line.cells, strict=True) if cell is not None]
    least = min(cell.low for _column, cell in drawn)
    span = max(cell.high for _column, cell in drawn) - least or 1
    share = 1000 if line.metric in KILOMETRES else 1

    def y_of(value: float) -> float:
        return round(CHART_TOP + CHART_HEIGHT * (1 - (value - least) / span), 1)

    bands, straight = [], []
    for column, cell in drawn:
        if column.variant.is_band and column.row.result:
            values = [value / share for value in column.row.result["band"][line.metric]]
            marks = [(x, y_of(value), line.text(value)) for x, value in zip(CHART_XS, values, strict=True)]
            bands.append([Mark(x, y, text, y - 6) for x, y, text in marks])
        else:
            straight.append((y_of(cell.mean), f"{column.letter} {line.text(cell.mean)}"))
    return bands, _apart(straight)


def _apart(labels: list[tuple[float, str]]) -> list[Mark]:
    """Marks whose labels do not cover each other."""
    found: list[Mark] = []
    for y, text in sorted(labels):
        at = max(y + 4, found[-1].label_y + LABEL_HEIGHT) if found else y + 4
        found.append(Mark(CHART_XS[-1], y, text, round(at, 1)))
    return found
