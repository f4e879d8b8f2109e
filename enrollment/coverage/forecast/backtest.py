"""What the method would have said in past years, and how far it was from what came.

Errors of sums have their own history: the errors of areas are never added up to an error of the city.
"""

from dataclasses import dataclass

import numpy as np

from enrollment.coverage.forecast import method
from enrollment.coverage.forecast.method import LEADS, YEARS_NEEDED, Projection
from enrollment.coverage.forecast.past import INCLUSIVE, PUBLIC, Numbers, Past

TOTAL, PUBLIC_SHARE, COVERED_SHARE = range(3)
"""The three figures whose errors are kept: the logarithm of the number of children, and both shares as parts of one."""

MEASURES = 3


@dataclass(frozen=True)
class BackTest:
    """Errors, forecast less actual, by [origin, lead, …]; NaN where the year has not come yet.

    `cells` are [origin, lead, area, level] errors of logarithms; `areas` [origin, lead, area, measure] and `city`
    [origin, lead, measure].  `naive_*` are the same of "same as now".  `first_origin` is the school year of origin 0.
    """

    first_origin: int
    cells: Numbers
    areas: Numbers
    city: Numbers
    naive_cells: Numbers
    naive_areas: Numbers
    naive_city: Numbers
    said: Numbers
    """The city's and the areas' shares as they were forecast: [origin, lead, measure, area or city last]."""

    @property
    def origins(self) -> int:
        return int(self.city.shape[0])


def run(past: Past) -> BackTest | None:
    """Forecast from every year that has enough years before it; None if no year has."""
    first, last = YEARS_NEEDED - 1, past.years - 2
    if last < first:
        return None
    shape = (last - first + 1, LEADS)
    areas = len(past.areas)
    cells, naive_cells = (np.full((*shape, areas, 3), np.nan) for _ in range(2))
    of_areas, naive_areas = (np.full((*shape, areas, MEASURES), np.nan) for _ in range(2))
    city, naive_city = (np.full((*shape, MEASURES), np.nan) for _ in range(2))
    said = np.full((*shape, MEASURES, areas + 1), np.nan)
    for row, origin in enumerate(range(first, last + 1)):
        made, naive = method.project(past, origin), method.same_as_now(past, origin)
        said[row] = _said(made)
        for lead in range(min(LEADS, past.years - 1 - origin)):
            actual = past.children[:, origin + 1 + lead]
            for projection, to_cells, to_areas, to_city in (
                (made, cells, of_areas, city),
                (naive, naive_cells, naive_areas, naive_city),
            ):
                to_cells[row, lead] = _log_ratio(projection.levels[:, lead], actual.sum(axis=2))
                to_areas[row, lead], to_city[row, lead] = _errors(projection, lead, actual)
    return BackTest(past.first_year + first, cells, of_areas, city, naive_cells, naive_areas, naive_city, said)


def measures(total: Numbers, public: Numbers, covered: Numbers) -> Numbers:
    """The three figures, the last axis: children, public share, inclusive coverage."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Numbers = np.stack([total, public / total, covered / total], axis=-1)
    return found


def measures_of(children: Numbers) -> Numbers:
    """The figures of children by [area, level, kind]."""
    by_kind = children.sum(axis=1)
    total, public = by_kind.sum(axis=1), by_kind[:, PUBLIC]
    return measures(total, public, public + by_kind[:, INCLUSIVE])


def city_measures_of(children: Numbers) -> Numbers:
    """The figures of all areas together."""
    everybody: Numbers = measures_of(children.sum(axis=0, keepdims=True))[0]
    return everybody


def city_of(made: Projection, lead: int) -> Numbers:
    """The figures of all areas together in a projection."""
    return measures(
        np.asarray(made.totals[:, lead].sum()),
        np.asarray(made.public[:, lead].sum()),
        np.asarray(made.covered[:, lead].sum()),
    )


def areas_of(made: Projection, lead: int) -> Numbers:
    return measures(made.totals[:, lead], made.public[:, lead], made.covered[:, lead])


def _errors(made: Projection, lead: int, actual: Numbers) -> tuple[Numbers, Numbers]:
    return (
        _difference(areas_of(made, lead), measures_of(actual)),
        _difference(city_of(made, lead), city_measures_of(actual)),
    )


def _difference(said: Numbers, came: Numbers) -> Numbers:
    error: Numbers = said - came
    error[..., TOTAL] = _log_ratio(said[..., TOTAL], came[..., TOTAL])
    return error


def _log_ratio(said: Numbers, came: Numbers) -> Numbers:
    """The logarithm of forecast by actual; NaN where one of them is nobody."""
    there = (said > 0) & (came > 0)
    ratio = np.divide(said, came, out=np.ones(said.shape), where=there)
    found: Numbers = np.where(there, np.log(ratio), np.nan)
    return found


def _said(made: Projection) -> Numbers:
    return np.stack([np.concatenate([areas_of(made, lead), city_of(made, lead)[None]]).T for lead in range(LEADS)])
