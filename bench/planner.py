"""How long a plan takes: invented cities of 23 areas, 5 years and 500 measures; prints JSON.

    python -m bench.planner --seeds 1 2 3

The goals are a first plan within 60 s, and money within 1 million yuan (100 of its units) of what is proved, within 10 minutes on one
core.  Each line says of each goal whether it was reached, and what was measured.  Costs are invented: no figure is advice.
"""

import argparse
import json
import os
import random
import time

from allocation.planning import arithmetic, conflict, model
from allocation.planning.problem import BY_LEVEL, FULL, AreaYear, Measure, Problem

AREAS, YEARS, MEASURES = 23, 5, 500
FIRST_PLAN_SECONDS, PROOF_SECONDS, MONEY_GAP = 60, 600, 100
"""The goals; money in 10,000 yuan."""

CLASS = 30
KINDS = {
    "build": ((1, 0, 0), (9, 16), 0.6, 2),
    "enlarge": ((1, 0, 0), (2, 4), 0.6, 1),
    "affiliated": ((1, 0, 0), (1.5, 3), 0.5, 1),
    "estate": ((1, 0, 0), (1, 3), 0.6, 1),
    "to_inclusive": ((0, 1, -1), (0.1, 0.3), 0.25, 0),
    "to_public": ((1, -1, 0), (0.3, 0.9), 0.9, 0),
    "from_private": ((1, 0, -1), (0.3, 0.9), 0.9, 0),
    "ending": ((0, 0, -1), (0.1, 0.3), -0.06, 0),
}
"""How places change by kind, money once a place, each year a place, years until the first children."""

OPENING = ("build", "enlarge", "affiliated", "estate")
"""Kinds whose places open class level by class level."""


def city(seed: int, measures: int, budget: int) -> Problem:
    """Areas of 3,000 to 40,000 children whose births fall, mostly a little below the targets of the third year."""
    dice = random.Random(seed)
    places, years = [], []
    for _area in range(AREAS):
        children, drift = dice.randrange(3_000, 40_000), dice.uniform(-0.06, 0.01)
        public, inclusive = dice.uniform(0.46, 0.54), dice.uniform(0.29, 0.35)
        now = _kinds(children, public, inclusive)
        places.append(tuple(round(number * dice.uniform(1.0, 1.12)) for number in now))
        line = []
        for year in range(YEARS):
            expected = _kinds(round(children * (1 + drift) ** (year + 1)), public - 0.003 * (year + 1), inclusive)
            asked = year >= 2
            room = min(sum(places[-1]), sum(expected) * 105 // 100)
            line.append(AreaYear(expected, room, 5_100 * asked, 8_200 * asked))
        years.append(tuple(line))
    return Problem(
        areas=tuple(f"area {number}" for number in range(AREAS)),
        first_year=2027,
        years=tuple(years),
        places=tuple(places),
        measures=tuple(_measure(dice, number) for number in range(measures)),
        city_targets=tuple((5_100 * (year >= 2), 8_200 * (year >= 2)) for year in range(YEARS)),
        budget=(budget,) * YEARS,
        most={"ending": 0},
    )


def _kinds(children: int, public: float, inclusive: float) -> tuple[int, int, int]:
    first, second = round(children * public), round(children * inclusive)
    return first, second, children - first - second


def _measure(dice: random.Random, number: int) -> Measure:
    kind = dice.choice(list(KINDS))
    change, (least, most), yearly, lead = KINDS[kind]
    size = dice.randrange(3, 13) * CLASS
    return Measure(
        code=f"m{number:04}",
        kind=kind,
        area=dice.randrange(AREAS),
        places=(change[0] * size, change[1] * size, change[2] * size),
        cost=round(size * dice.uniform(least, most)),
        yearly=round(size * yearly),
        earliest=dice.randrange(2),
        lead=lead,
        site=f"site {dice.randrange(MEASURES)}" if dice.random() < 0.3 else "",
        ramp=BY_LEVEL if kind in OPENING else FULL,
    )


def _goals(found: model.Solved) -> dict[str, str]:
    """Each goal with what was measured: `reached` or `not reached`."""
    money = next((each for each in found.proofs if each.stage == "money"), None)
    gap = "no proof of money" if money is None else f"{money.gap / 100:.2f} million yuan after {money.seconds:.0f} s"
    within = money is not None and money.gap <= MONEY_GAP and money.seconds <= PROOF_SECONDS
    first = found.first_plan_seconds
    return {
        f"first plan within {FIRST_PLAN_SECONDS} s": f"{_said(first <= FIRST_PLAN_SECONDS)}: {first:.1f} s",
        f"money within {MONEY_GAP / 100:g} million yuan in {PROOF_SECONDS} s": f"{_said(within)}: {gap}",
    }


def _said(is_reached: bool) -> str:
    return "reached" if is_reached else "not reached"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--measures", type=int, default=MEASURES)
    parser.add_argument("--budget", type=int, default=40_000, help="a year, in 10,000 yuan")
    asked = parser.parse_args()
    for seed in asked.seeds:
        problem = city(seed, asked.measures, asked.budget)
        cpu = time.process_time()
        found = model.solve(problem)
        told: dict[str, object] = {
            "seed": seed,
            "first_plan_s": round(found.first_plan_seconds, 2),
            "seconds": round(found.seconds, 1),
            "cpu_s": round(time.process_time() - cpu, 1),
            "unseated": found.figures.unseated,
            "short": -(-found.figures.short // 10_000),
            "money": found.figures.money,
            "stages": [
                {"stage": each.stage, "gap": round(each.gap, 2), "until_s": round(each.seconds, 1)}
                for each in found.proofs
            ],
            "measures": len(found.starts),
            "goals": _goals(found),
            "faults": len(arithmetic.faults(problem, found.starts, found.figures.rank)),
            "load": round(os.getloadavg()[0], 1),
        }
        if found.figures.unseated or found.figures.short:
            began = time.monotonic()
            why = conflict.explain(problem, all_seated=not found.figures.unseated or None)
            told["conflict"] = {
                "promises": [str(each) for each in why.without],
                "proved": why.proved,
                "seconds": round(time.monotonic() - began, 1),
            }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
