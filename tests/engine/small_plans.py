"""Small problems of planning, and every plan of each."""

import itertools
import random
from collections.abc import Iterator

from allocation.planning.problem import BY_LEVEL, FULL, AreaYear, Lock, Measure, Problem

KINDS = {
    "build": (1, 0, 0),
    "to_inclusive": (0, 1, -1),
    "to_public": (1, -1, 0),
    "close": (0, 0, -1),
}


def problem(seed: int, *, measures: int = 5, areas: int = 2, years: int = 3) -> Problem:
    """Two areas of some dozens of children who lack public places, and measures of five or ten places, which open at once
    or year by year."""
    dice, opening = random.Random(seed), random.Random(1_000 + seed)
    places, lines = [], []
    for _area in range(areas):
        children = [dice.randrange(8, 24) for _kind in range(3)]
        places.append(tuple(number + dice.randrange(0, 6) for number in children))
        line = []
        for year in range(years):
            now = tuple(max(number + dice.randrange(-3, 5), 0) for number in children)
            asked = year > 0
            line.append(AreaYear(now, min(sum(now) - 8, sum(places[-1])), 5100 * asked, 8200 * asked))
        lines.append(tuple(line))
    listed = []
    for number in range(measures):
        kind = dice.choice(list(KINDS))
        size = dice.choice((5, 10))
        lead = dice.randrange(2) if kind == "build" else 0
        change = tuple(size * one for one in KINDS[kind])
        cost, yearly = dice.randrange(1, 60), dice.randrange(-4, 12)
        lock = dice.choices((Lock.FREE, Lock.MUST, Lock.NEVER), (8, 1, 1))[0]
        site = dice.choice(("", "", "one site"))
        area = dice.randrange(areas)
        earliest = dice.randrange(2)
        ramp = opening.choice((FULL, BY_LEVEL, (20, 50, 80, 100))) if kind == "build" else FULL
        listed.append(Measure(f"m{number}", kind, area, change, cost, yearly, earliest, lead, site, lock, ramp))
    return Problem(
        areas=tuple(f"area {number}" for number in range(areas)),
        first_year=2027,
        years=tuple(lines),
        places=tuple(places),
        measures=tuple(listed),
        city_targets=tuple((5100 * (year > 0), 8200 * (year > 0)) for year in range(years)),
        budget=(dice.choice((40, 90, 400)),) * years,
        most={"close": dice.randrange(2)},
        willing=tuple(dice.choice((None, 4500, 6000)) for _area in range(areas)),
    )


def every_plan(asked: Problem) -> Iterator[dict[str, int]]:
    """All choices of measures and years in which they may begin."""
    choices = [[None, *asked.starts(each)] for each in asked.measures]
    for chosen in itertools.product(*choices):
        yield {each.code: year for each, year in zip(asked.measures, chosen, strict=True) if year is not None}
