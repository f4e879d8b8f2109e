"""How good the method was: size of the errors, bias, skill against "same as now", and how often an interval held."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from enrollment.coverage.forecast import intervals
from enrollment.coverage.forecast.backtest import TOTAL, BackTest
from enrollment.coverage.forecast.method import LEADS
from enrollment.coverage.forecast.past import Numbers

LEVELS = (0.8, 0.95)


@dataclass(frozen=True)
class Held:
    """Of the outcomes of past years, the part inside the interval of its `level`: in all, and in the worst tenth of years;
    `width` is the mean width in per cent of the forecast, `years` how many were tried."""

    level: float
    part: float
    worst: float
    width: float
    years: int


@dataclass(frozen=True)
class Accuracy:
    """In per cent, by lead: mean size of the errors of cells (area and level), areas and the city, of both methods; the
    city's mean error with its sign; the skill; the size of the errors of the areas' shares in points."""

    cells: tuple[float, ...]
    areas: tuple[float, ...]
    city: tuple[float, ...]
    naive_cells: tuple[float, ...]
    naive_areas: tuple[float, ...]
    naive_city: tuple[float, ...]
    bias: tuple[float, ...]
    skill: tuple[float, ...]
    share_points: tuple[float, ...]
    held: tuple[tuple[Held, ...], ...]
    origins: int


def measured(test: BackTest, *, cautious: bool = False) -> Accuracy:
    """The figures that every page of the forecast prints."""

    def by_lead(of: Callable[[int], float]) -> tuple[float, ...]:
        return tuple(of(lead) for lead in range(LEADS) if test.origins > lead)

    return Accuracy(
        by_lead(lambda lead: size_of(test.cells[:, lead])),
        by_lead(lambda lead: size_of(test.areas[:, lead, :, TOTAL])),
        by_lead(lambda lead: size_of(test.city[:, lead, TOTAL])),
        by_lead(lambda lead: size_of(test.naive_cells[:, lead])),
        by_lead(lambda lead: size_of(test.naive_areas[:, lead, :, TOTAL])),
        by_lead(lambda lead: size_of(test.naive_city[:, lead, TOTAL])),
        by_lead(lambda lead: 100 * _mean_of(np.expm1(test.city[:, lead, TOTAL]))),
        by_lead(lambda lead: 1 - size_of(test.cells[:, lead]) / max(size_of(test.naive_cells[:, lead]), 1e-9)),
        by_lead(lambda lead: 100 * _mean_of(np.abs(test.areas[:, lead, :, TOTAL + 1 :]))),
        tuple(_held(test, lead, cautious) for lead in range(LEADS) if test.origins > lead),
        test.origins,
    )


def skills(test: BackTest) -> Numbers:
    """1 − mean error / mean error of "same as now", by [area or the city last, measure], over all leads."""
    return np.concatenate([_skill(test.areas, test.naive_areas), _skill(test.city, test.naive_city)[None]])


def _skill(errors: Numbers, naive: Numbers) -> Numbers:
    """Zero where there is nothing to compare."""
    size, naive_size = (_mean(np.abs(each)) for each in (errors, naive))
    skill: Numbers = np.where(
        naive_size > 0, 1 - np.divide(size, naive_size, out=np.ones_like(size), where=naive_size > 0), 0.0
    )
    return skill


def _mean(values: Numbers) -> Numbers:
    """The mean over origins and leads of what has come."""
    there = ~np.isnan(values)
    number = there.sum(axis=(0, 1))
    total = np.where(there, values, 0).sum(axis=(0, 1))
    mean: Numbers = np.divide(total, number, out=np.zeros_like(total), where=number > 0)
    return mean


def size_of(errors: Numbers) -> float:
    """The mean absolute error in per cent, of errors of logarithms."""
    return 100 * _mean_of(np.abs(np.expm1(errors)))


def _mean_of(values: Numbers) -> float:
    """The mean of what is on file; NaN of nothing."""
    found = values[~np.isnan(values)]
    return float(np.mean(found)) if len(found) else float("nan")


def _held(test: BackTest, lead: int, cautious: bool) -> tuple[Held, ...]:
    """The intervals of the areas' children, tried on every year whose earlier errors were enough."""
    found = []
    for level in LEVELS:
        parts, widths = [], []
        for row in range(test.origins - lead):
            known = intervals.known_rows(test, lead, row)
            half = intervals.half_width(test.areas[known, lead, :, TOTAL], level, cautious=cautious)
            if np.isnan(half):
                continue
            sizes = np.abs(test.areas[row, lead, :, TOTAL])
            parts.append(float(np.mean(sizes[~np.isnan(sizes)] <= half)))
            widths.append(100 * (np.exp(half) - np.exp(-half)))
        if parts:
            worst = float(np.quantile(parts, 0.1))
            found.append(Held(level, float(np.mean(parts)), worst, float(np.mean(widths)), len(parts)))
    return tuple(found)
