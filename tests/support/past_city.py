"""A past of 23 areas at the size of a real city, drawn like the demo's and never looked at by the method."""

import numpy as np

from enrollment.coverage.forecast.past import Past
from enrollment.places.areas import rows_of_file
from portal.demo.nature_shares import SHARES
from portal.demo.past import simulated_years

CHILDREN = 476_000
LEVELS = (0.31, 0.335, 0.355)
LAST_YEAR = 2025


def past_city(seed: int, years: int = simulated_years.YEARS, *, estates: bool = False) -> Past:
    """Births and children until September 2025; births of the entrants of the next three years are on file, and if asked for
    the estates whose families moved in."""
    areas = rows_of_file()
    everybody = sum(area["weight"] for area in areas)
    now = np.zeros((len(areas), 3, 3))
    for place, area in enumerate(areas):
        public, inclusive = SHARES[area["code"]]
        for level, part in enumerate(LEVELS):
            children = CHILDREN * area["weight"] / everybody * part
            now[place, level] = np.rint(children * np.array([public, inclusive, 100 - public - inclusive]) / 100)
    made = simulated_years.draw(np.random.default_rng(seed), now, LAST_YEAR, years)
    births = np.full((len(areas), years + simulated_years.TO_ENTRY), np.nan)
    births[:, : made.births.shape[1]] = made.births
    codes, brought = tuple(area["code"] for area in areas), made.estates.astype(float) if estates else None
    return Past(codes, made.first_year, made.children.astype(float), births, estates=brought)
