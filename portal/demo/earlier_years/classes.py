"""The classes of a kindergarten in the four school years before the one on its roll, each with its number of children.

A cohort keeps its class: this year's upper class was the middle class of last year and the lower class before.  Older
cohorts follow the births of the city and the growth of public kindergartens.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from enrollment.ground.classifications import Level, Nature
from enrollment.places.promotion import LETTER
from portal.demo.nature_shares import FEWEST_IN_A_CLASS, MOST_IN_A_CLASS, RollClassPlan

YEARS = 4
COUNTED = (9, 10)
"""Month and day of the count in each of these years: the statistics are due on 20 September."""

COHORTS = (1.0, 1.03, 1.05, 1.04)
"""How large a cohort was beside the one a year younger, from the one before this year's upper class backwards."""

GROWTH: dict[str, float] = {Nature.PUBLIC: 0.985, Nature.INCLUSIVE: 1.0, Nature.PRIVATE: 1.03}
"""What a year further back does to the classes of a nature: public kindergartens were smaller, private ones larger."""

LADDER = (Level.LOWER, Level.MIDDLE, Level.UPPER)


@dataclass(frozen=True)
class EarlierClass:
    id: uuid.UUID
    school_year: int
    level: str
    name: str
    children: int
    as_of: dt.date


def earlier_classes(
    number: int, nature: str, now_on_roll: list[RollClassPlan], school_year: int
) -> Iterator[EarlierClass]:
    """`now_on_roll` are the classes of `school_year`; the same kindergarten number gives the same history."""
    random = np.random.default_rng((2015, number))
    for back in range(1, YEARS + 1):
        year = school_year - back
        for level, name, children in _classes(now_on_roll, back, nature, random):
            yield EarlierClass(uuid.UUID(bytes=random.bytes(16)), year, level, name, children, dt.date(year, *COUNTED))


def _classes(
    now_on_roll: list[RollClassPlan], back: int, nature: str, random: np.random.Generator
) -> Iterator[tuple[str, str, int]]:
    by_level: dict[str, list[RollClassPlan]] = {}
    for each in now_on_roll:
        by_level.setdefault(each.level, []).append(each)
    for position, level in enumerate(LADDER):
        cohort = position + back
        known = min(cohort, len(LADDER) - 1)
        factor = float(np.prod(COHORTS[: cohort - known])) * GROWTH[nature] ** (cohort - known)
        for each in by_level.get(LADDER[known], []):
            name = LETTER[level] + each.name.removeprefix(LETTER[LADDER[known]])
            children = round(each.children * factor) + int(random.integers(-1, 2))
            yield level, name, min(max(children, FEWEST_IN_A_CLASS), MOST_IN_A_CLASS[level])
    for level in (Level.NURSERY, Level.MIXED):
        for each in by_level.get(level, []):
            yield level, each.name, max(each.children + int(random.integers(-2, 3)), 1)
