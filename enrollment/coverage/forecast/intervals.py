"""Intervals and chances from the method's own past errors at the same lead, only those already known at that time.

`usual` pools the errors of all areas and years: the conformal quantile of their size.  `cautious` lets a year go wrong for
all areas at once: a part of the year with the t-quantile of its few years, and a part of the area.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from enrollment.coverage.forecast.backtest import MEASURES, TOTAL, BackTest
from enrollment.coverage.forecast.past import Numbers

DRAWS = 2_000
FEWEST_YEARS = 3
"""Past errors of fewer years give no interval."""


def known_rows(test: BackTest, lead: int, row: int | None = None) -> slice:
    """The origins whose errors at a lead were known at the origin `row`, or are known now."""
    known = (test.origins if row is None else row) - lead
    return slice(0, max(known, 0))


def half_width(errors: Numbers, level: float, *, cautious: bool) -> float:
    """Half the interval of one area's figure, from errors by [year, area]; NaN without enough years."""
    if len(errors) < FEWEST_YEARS:
        return math.nan
    if not cautious:
        return _conformal(np.abs(errors[~np.isnan(errors)]), level) * _stretch(len(errors))
    of_year = _mean_of_areas(errors)
    rest = np.abs(errors - of_year[:, None])
    rest_width = _conformal(rest[~np.isnan(rest)], level) * _stretch(len(errors))
    return math.hypot(total_half_width(of_year, level), rest_width)


def total_half_width(errors: Numbers, level: float) -> float:
    """Half the interval of one figure with a single error a year, such as the city's: its years are few."""
    errors = errors[~np.isnan(errors)]
    if len(errors) < FEWEST_YEARS:
        return math.nan
    spread = math.sqrt(float(np.mean(errors**2)) * (1 + 1 / len(errors)))
    return t_quantile((1 + level) / 2, len(errors)) * spread


def _mean_of_areas(errors: Numbers) -> Numbers:
    """What a year did to all areas; 0 where no area has children."""
    there = ~np.isnan(errors)
    number = there.sum(axis=1)
    total = np.where(there, errors, 0).sum(axis=1)
    mean: Numbers = np.divide(total, number, out=np.zeros_like(total), where=number > 0)
    return mean


def _conformal(sizes: Numbers, level: float) -> float:
    """The size that a share `level` of past errors did not exceed, with the correction for few errors."""
    if not len(sizes):
        return math.nan
    rank = min(math.ceil((len(sizes) + 1) * level), len(sizes))
    return float(np.sort(sizes)[rank - 1])


def t_quantile(probability: float, degrees: int) -> float:
    """Student's t by Cornish and Fisher's expansion; within 1 % from five degrees of freedom on."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3


def simulate(
    test: BackTest, lead: int, areas: Numbers, city: Numbers, *, row: int | None = None, cautious: bool = False
) -> tuple[Numbers, Numbers]:
    """Joint draws of the three figures: areas by [draw, area, measure] and the city by [draw, measure].

    A draw takes the errors of one past year, which all areas and the city share, and for each area the rest of the error
    of some area in some year.  The city has its own errors.  Empty without enough years.
    """
    rows = known_rows(test, lead, row)
    of_areas, of_city = test.areas[rows, lead], test.city[rows, lead]
    years = len(of_city)
    if years < FEWEST_YEARS:
        return np.empty((0, len(areas), MEASURES)), np.empty((0, MEASURES))
    random = np.random.default_rng(2026 + lead)
    of_year = _mean_of_areas(of_areas)
    rest = (of_areas - of_year[:, None]).reshape(-1, MEASURES)
    rest = rest[~np.isnan(rest).any(axis=1)]
    picked = random.integers(0, years, DRAWS)
    stretch = _stretch(years) * (t_quantile(0.9, years) / NormalDist().inv_cdf(0.9) if cautious else 1)
    year_errors = _smooth(of_year, picked, random) * stretch
    city_errors = _smooth(of_city, picked, random) * stretch
    area_errors = year_errors[:, None] + rest[random.integers(0, len(rest), (DRAWS, len(areas)))]
    return _minus(areas, area_errors), _minus(city, city_errors)


def _stretch(years: int) -> float:
    """Errors of few years show less than all that can happen: a year is shared by all areas (docs/coverage.md)."""
    return math.sqrt(1 + 2 / years)


def _smooth(errors: Numbers, picked: NDArray[np.int64], random: np.random.Generator) -> Numbers:
    """The errors of the picked years with a normal kernel of Silverman's width, so that few years make no steps."""
    spread = np.sqrt(np.mean(errors**2, axis=0))
    width = 1.06 * len(errors) ** -0.2 * spread
    kept = np.sqrt(1 / (1 + np.divide(width, spread, out=np.zeros_like(width), where=spread > 0) ** 2))
    smoothed: Numbers = (errors[picked] + random.normal(size=(len(picked), errors.shape[1])) * width) * kept
    return smoothed


def _minus(figures: Numbers, errors: Numbers) -> Numbers:
    """What comes if the forecast has this error."""
    came: Numbers = figures - errors
    came[..., TOTAL] = figures[..., TOTAL] * np.exp(-errors[..., TOTAL])
    came[..., TOTAL + 1 :] = np.clip(came[..., TOTAL + 1 :], 0, 1)
    return came
