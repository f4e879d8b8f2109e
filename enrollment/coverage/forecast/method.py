"""Cohort survival: entrants are births times an entry rate, every later level is the level below a year before times a
progression ratio; children of new estates on file are added, and left out when the rates are learned (docs/coverage.md).

The last three years weigh .5, .3 and .2.  The kinds of kindergarten follow the cohort: a level has the mix that its
children had a year before, plus the mean change on the way up; entrants have the mix of the last entrants.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enrollment.coverage.forecast.past import INCLUSIVE, PUBLIC, Numbers, Past

WEIGHTS = (0.5, 0.3, 0.2)
YEARS_NEEDED = len(WEIGHTS) + 1
LEADS = 3
LOWER, MIDDLE, UPPER = range(3)


@dataclass(frozen=True)
class Projection:
    """Children by [area, lead, level], and by [area, lead] those in public and in public or inclusive kindergartens."""

    levels: Numbers
    public: Numbers
    covered: Numbers

    @property
    def totals(self) -> Numbers:
        total: Numbers = self.levels.sum(axis=2)
        return total


def project(past: Past, origin: int) -> Projection:
    """The next `LEADS` years after the year of index `origin`, from what was known then."""
    known = past.until(origin)
    totals, mix = known.totals, _mix(known)
    entry = _entry_rates(past, totals, origin)
    up = [_ratio(past, totals, level, origin) for level in (LOWER, MIDDLE)]
    change = [_mix_change(mix, level, origin) for level in (LOWER, MIDDLE)]
    levels = np.empty((len(past.areas), LEADS, 3))
    mixes = np.empty((len(past.areas), LEADS, 3, 2))
    before, mix_before = totals[:, origin], mix[:, origin]
    for lead in range(LEADS):
        new = past.moved_in(origin + 1 + lead)
        levels[:, lead, LOWER] = _entrants(past, entry, origin, lead) + new
        mixes[:, lead, LOWER] = mix_before[:, LOWER]
        for level in (MIDDLE, UPPER):
            levels[:, lead, level] = before[:, level - 1] * up[level - 1] + new
            mixes[:, lead, level] = mix_before[:, level - 1] + change[level - 1]
        before, mix_before = levels[:, lead], mixes[:, lead]
    parts = np.clip(mixes, 0, 1) * levels[..., None]
    public, inclusive = parts[..., PUBLIC].sum(axis=2), parts[..., INCLUSIVE].sum(axis=2)
    return Projection(levels, public, np.minimum(public + inclusive, levels.sum(axis=2)))


def _entrants(past: Past, entry: Numbers, origin: int, lead: int) -> Numbers:
    """Entrants of every area; as many as at the origin in an area whose births are missing, NaN where all are missing."""
    entrants = entry * past.born_for(origin + 1 + lead)
    missing = np.isnan(entrants)
    if missing.all():
        return entrants
    filled: Numbers = np.where(missing, past.totals[:, origin, LOWER], entrants)
    return filled


def areas_without_births(past: Past, origin: int) -> NDArray[np.bool_]:
    """Areas whose next entrants the births do not tell."""
    return np.isnan(_entry_rates(past, past.until(origin).totals, origin) * past.born_for(origin + 1))


def same_as_now(past: Past, origin: int) -> Projection:
    """The naive forecast: every later year is like the year of index `origin`."""
    now = past.children[:, origin]
    levels = np.repeat(now.sum(axis=2)[:, None], LEADS, axis=1)
    public = np.repeat(now[..., PUBLIC].sum(axis=1)[:, None], LEADS, axis=1)
    inclusive = np.repeat(now[..., INCLUSIVE].sum(axis=1)[:, None], LEADS, axis=1)
    return Projection(levels, public, public + inclusive)


def rates_by_year(past: Past, origin: int) -> Numbers:
    """Entry rate and both progression ratios by [area, year, ratio], of the three years that count, the oldest first."""
    totals = past.until(origin).totals
    rates = np.empty((len(past.areas), len(WEIGHTS), 3))
    for back in range(len(WEIGHTS)):
        year = origin - back
        rates[:, -1 - back, 0] = _divide(_settled(past, totals, year, LOWER), past.born_for(year))
        for level in (LOWER, MIDDLE):
            rates[:, -1 - back, level + 1] = _divide(
                _settled(past, totals, year, level + 1), totals[:, year - 1, level]
            )
    return rates


def used_rates(past: Past, origin: int) -> Numbers:
    """The weighted ratios by [area, ratio] that the forecast uses."""
    totals = past.until(origin).totals
    rates = [_entry_rates(past, totals, origin), *(_ratio(past, totals, level, origin) for level in (LOWER, MIDDLE))]
    used: Numbers = np.stack(rates, axis=1)
    return used


def _divide(part: Numbers, whole: Numbers) -> Numbers:
    """The ratio; NaN where there is nobody to divide by."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _weighted(found: list[Numbers], otherwise: float) -> Numbers:
    """The weighted mean over the years that have a ratio, the newest first."""
    values = np.stack(found)
    weights = np.array(WEIGHTS)[:, None] * ~np.isnan(values)
    mean: Numbers = np.divide(
        (np.nan_to_num(values) * weights).sum(axis=0),
        weights.sum(axis=0),
        out=np.full(values.shape[1], otherwise),
        where=weights.sum(axis=0) > 0,
    )
    return mean


def _entry_rates(past: Past, totals: Numbers, origin: int) -> Numbers:
    years = range(origin, origin - len(WEIGHTS), -1)
    found = [_divide(_settled(past, totals, year, LOWER), past.born_for(year)) for year in years]
    return _weighted(found, np.nan)


def _settled(past: Past, totals: Numbers, year: int, level: int) -> Numbers:
    """The children of a level without those whom the new estates of the year brought."""
    found: Numbers = np.maximum(totals[:, year, level] - past.moved_in(year), 0)
    return found


def _ratio(past: Past, totals: Numbers, level: int, origin: int) -> Numbers:
    """From a level to the next one."""
    years = range(origin, origin - len(WEIGHTS), -1)
    found = [_divide(_settled(past, totals, year, level + 1), totals[:, year - 1, level]) for year in years]
    return _weighted(found, 1.0)


def _mix(past: Past) -> Numbers:
    """The parts of public and of inclusive by [area, year, level, kind]."""
    totals = past.totals[..., None]
    parts = past.children[..., : INCLUSIVE + 1]
    mix: Numbers = np.divide(parts, totals, out=np.zeros_like(parts), where=totals > 0)
    return mix


def _mix_change(mix: Numbers, level: int, origin: int) -> Numbers:
    """The weighted mean change of a cohort's mix from a level to the next one, by [area, kind]."""
    years = range(origin, origin - len(WEIGHTS), -1)
    steps = np.stack([mix[:, year, level + 1] - mix[:, year - 1, level] for year in years])
    mean: Numbers = np.tensordot(np.array(WEIGHTS), steps, axes=1)
    return mean
