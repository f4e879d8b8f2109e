"""The small charts of a study: no label covers another one, and none leaves the drawing."""

import itertools
from types import SimpleNamespace

import pytest

from enrollment.laboratory.metrics import Metric
from portal.officials.laboratory import charts
from portal.officials.laboratory.figures import Cell, Line


def drawn(*figures):
    """A chart of variants: three values for one that depends on how families behave, else one."""
    cells, columns = [], []
    for number, values in enumerate(figures):
        is_band = len(values) > 1
        cells.append(Cell(values[len(values) // 2], min(values), max(values), 0.1, is_band, (0, 0)))
        columns.append(
            SimpleNamespace(
                letter="ABCDEFGHIJ"[number],
                variant=SimpleNamespace(is_band=is_band),
                row=SimpleNamespace(result={"band": {Metric.OWN: list(values)}}),
            )
        )
    return charts.behaviour(Line(Metric.OWN, 1, tuple(cells)), columns)


@pytest.mark.parametrize(
    "figures",
    [
        ((76.0, 86.0, 92.0), (95.0,)),
        ((76.0, 86.0, 92.0), (92.1,), (92.0,), (91.9,)),
        ((76.0, 76.1, 76.2), (76.1, 76.0, 76.3), (76.2, 76.2, 76.2)),
        ((70.0, 70.0, 70.0), *(((70.0 + number / 10),) for number in range(9))),
        ((50.0,), (50.0,)),
    ],
)
def test_labels_stand_apart_within_the_drawing_and_keep_their_order(figures):
    chart = drawn(*figures)
    bands, straight = chart.bands, chart.straight
    assert len(bands) == sum(len(values) > 1 for values in figures)
    assert len(straight) == sum(len(values) == 1 for values in figures)
    columns = [*([band[place] for band in bands] for place in range(3) if bands), straight]
    for marks in columns:
        heights = sorted((mark.label_y, mark.y) for mark in marks)
        assert all(9 <= at <= chart.bottom + charts.BELOW for at, _y in heights)
        for (above, first), (below, second) in itertools.pairwise(heights):
            assert below - above >= charts.LABEL_HEIGHT - 0.1 and first <= second
