"""The simulated past of the areas: births, and children by level and kind of kindergarten, which end at the roll of now.

A cohort is born, enters at three and moves up twice.  Births rise until a year and then fall by 4 to 6 % a year; rates
drift, one year in eight is bad for everybody, new housing brings children in lumps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

YEARS = 18
TO_ENTRY = 4
TURN = 9
"""The year, counted from the first births, after which births fall."""

BAD_YEAR = 0.12
TIMES_AS_BAD = 2.5
RISE, FALL = (0.005, 0.02), (0.04, 0.06)
BIRTHS_SPREAD = (0.010, 0.020)
"""The spread of a year's births: of the whole city, and of an area."""

ENTRY, ENTRY_SPREAD = 0.95, (0.010, 0.016)
UP, UP_SPREAD = (1.015, 1.004), (0.007, 0.015)
DRIFT = 0.007
ESTATES, ESTATE_CHILDREN = 0.10, (0.01, 0.03)
"""How many areas get a large estate in a year, and the children that it brings, as a part of a level."""

MIX_DRIFT, MIX_SPREAD, MIX_ON_THE_WAY = 0.006, 0.006, 0.002


@dataclass(frozen=True)
class PastYears:
    """`births` by [area, year] from `first_year - TO_ENTRY` on; `children` by [area, year, level, kind] from `first_year`, and
    those of them whom a new estate brought in the year, by [area, year]."""

    first_year: int
    births: NDArray[np.int64]
    children: NDArray[np.int64]
    estates: NDArray[np.int64]


def draw(random: Generator, now: Numbers, last_year: int, years: int = YEARS) -> PastYears:
    """The past of the children of `now`, [area, level, kind], who are the last of these years."""
    areas = len(now)
    births = _births(random, areas, years + TO_ENTRY - 1)
    levels, new = _levels(random, births, years)
    mixes = _mixes(random, areas, years)
    births, levels = _fitted(births, levels, now.sum(axis=2))
    children = _in_kinds(levels, _fitted_mixes(mixes, now))
    children[:, -1] = now
    brought = levels.sum(axis=2) * (1 - np.exp(-new))
    whole = (np.rint(each).astype(np.int64) for each in (births, children, brought))
    return PastYears(last_year - years + 1, *whole)


def _births(random: Generator, areas: int, years: int) -> Numbers:
    """Births of a year are those of the year before times a trend; a bad year shocks the whole city."""
    of_city, of_area = BIRTHS_SPREAD
    logs = np.zeros((areas, years))
    for year in range(1, years):
        trend = random.uniform(*RISE) if year < TURN else -random.uniform(*FALL)
        logs[:, year] = logs[:, year - 1] + trend + _shock(random, of_city) + random.normal(0, of_area / 2, areas)
    return np.exp(logs + random.normal(0, of_area, (areas, years)))


def _levels(random: Generator, births: Numbers, years: int) -> tuple[Numbers, Numbers]:
    """Children by [area, year, level], and the logarithm by which new estates raised them by [area, year]."""
    areas = len(births)
    levels, lumps = np.empty((areas, years + 2, 3)), np.empty((areas, years + 2))
    rates = np.stack([np.full(areas, np.log(rate)) + random.normal(0, 0.02, areas) for rate in (ENTRY, *UP)], axis=1)
    before = np.repeat(births[:, :1], 3, axis=1)
    for year in range(years + 2):
        rates += random.normal(0, DRIFT, rates.shape)
        born = births[:, max(year - 2, 0)]
        lumps[:, year] = new = (random.random(areas) < ESTATES) * random.uniform(*ESTATE_CHILDREN, areas)
        spreads = (ENTRY_SPREAD, UP_SPREAD, UP_SPREAD)
        from_whom = (born, before[:, 0], before[:, 1])
        for level, (spread, children) in enumerate(zip(spreads, from_whom, strict=True)):
            luck = _shock(random, spread[0]) + random.normal(0, spread[1], areas)
            levels[:, year, level] = children * np.exp(rates[:, level] + luck + new)
        before = levels[:, year]
    return levels[:, 2:], lumps[:, 2:]


def _shock(random: Generator, spread: float) -> float:
    """What a year brings to the whole city."""
    return float(random.normal(0, spread * (TIMES_AS_BAD if random.random() < BAD_YEAR else 1)))


def _mixes(random: Generator, areas: int, years: int) -> Numbers:
    """The changes of the parts of public and of inclusive by [area, year, level, kind], from the mix of now backwards.

    A cohort keeps the mix with which it entered, but for a little on the way up.
    """
    entering = np.cumsum(
        random.normal(0, MIX_DRIFT, (areas, years + 2, 2)) + random.normal(0, MIX_DRIFT / 3, (1, years + 2, 2)), axis=1
    )
    mixes = np.empty((areas, years, 3, 2))
    for level in range(3):
        cohort = entering[:, 2 - level : 2 - level + years]
        mixes[:, :, level] = cohort + random.normal(0, MIX_ON_THE_WAY, (areas, years, 2))
    return mixes


def _fitted(births: Numbers, levels: Numbers, now: Numbers) -> tuple[Numbers, Numbers]:
    """Each cohort multiplied so that the last year has the children of now; the ratios between its years stay."""
    years = levels.shape[1]
    factor = np.divide(now, levels[:, -1], out=np.zeros_like(now), where=levels[:, -1] > 0)
    fitted = levels.copy()
    of_births = np.empty_like(births)
    for index in range(births.shape[1]):
        of_births[:, index] = births[:, index] * factor[:, min(max(years - 1 - index, 0), 2)]
    for year in range(years):
        for level in range(3):
            entered = year - level
            fitted[:, year, level] *= factor[:, min(max(years - 1 - entered, 0), 2)]
    return of_births, fitted


def _fitted_mixes(mixes: Numbers, now: Numbers) -> Numbers:
    """The mixes of every cohort moved so that those of the last year are the ones of now."""
    totals = now.sum(axis=2, keepdims=True)
    parts = np.divide(now[..., :2], totals, out=np.zeros_like(now[..., :2]), where=totals > 0)
    years = mixes.shape[1]
    fitted = mixes.copy()
    offset = parts - mixes[:, -1]
    for year in range(years):
        for level in range(3):
            entered = year - level
            fitted[:, year, level] += offset[:, min(max(years - 1 - entered, 0), 2)]
    return np.clip(fitted, 0, 1)


def _in_kinds(levels: Numbers, mixes: Numbers) -> Numbers:
    public = mixes[..., 0]
    inclusive = np.minimum(mixes[..., 1], 1 - public)
    shares = np.stack([public, inclusive, 1 - public - inclusive], axis=-1)
    return levels[..., None] * shares
