"""Dry runs 试算: what the figures of a run would have been with other tickets.

The frozen market of the run is drawn again many times.  Who signs then sees whether a figure is unusual, or whether two runs
differ by more than chance.  Nothing of a dry run is kept but the ranges of its figures.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from allocation import central
from allocation.market import NATURES, Market
from allocation.simulation import simulate_groups
from enrollment.draw import fairness
from enrollment.draw.fairness import FirstWishes

DRAWS, FEWEST_DRAWS = 200, 20
MOST_WORK = 400_000_000
"""The limit of wishes × draws.  A city of 250,000 children gets all its draws; a larger market fewer."""

MOST_PAIRS = 2_000_000
"""The same for a central placement, whose optimum takes longer: pairs of a child and a vacancy × draws."""

AT_ONCE = 50
"""Draws between two calls of `tell`, which stops a job that lost its lease."""

SEED = 1

Ranges = dict[str, list[int]]
"""For each figure (`key`) the least, the middle and the largest number of children."""


def key(group: str, code: str, measure: str) -> str:
    """The name of a figure, as `run_comparison` has its lines."""
    return f"{group}/{code}/{measure}"


def of_market(
    market: Market,
    grounds: Mapping[str, Collection[str]],
    first_wishes: FirstWishes | None,
    tell: Callable[[], None],
) -> dict[str, Any]:
    """`draws`, and the `ranges` of all children, of the natures, of the areas, and of the `grounds` (codes of children).

    Needs no transaction; the same market gives the same ranges.  Uses one core, so that pages stay fast.
    """
    groups = _groups(market, grounds, first_wishes)
    draws = _draws(MOST_WORK, len(market.programme))
    parts = []
    for start in range(0, draws, AT_ONCE):
        tell()
        seed = SEED + start // AT_ONCE
        parts.append(simulate_groups(market, list(groups.values()), min(AT_ONCE, draws - start), seed, workers=1))
    placed, first, natures = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("placed", "first", "by_nature")
    )
    ranges: Ranges = {}
    for at, (group, code) in enumerate(groups):
        ranges[key(group, code, "placed")] = _range(placed[:, at])
        ranges[key(group, code, "first")] = _range(first[:, at])
    if market.nature is not None:
        ranges |= {key("nature", name, "of_nature"): _range(natures[:, at]) for at, name in enumerate(NATURES)}
    return {"draws": draws, "ranges": ranges}


def of_central(
    ways: central.Ways,
    vacancies: np.ndarray,
    nature: np.ndarray,
    tolerance: np.ndarray,
    unit: np.ndarray,
    areas: Collection[str],
    tell: Callable[[], None],
) -> dict[str, Any]:
    """The same for a central placement, where tickets decide only among assignments that are equally good."""
    children = len(unit)
    draws = _draws(MOST_PAIRS, len(ways.child))
    dice = np.random.default_rng(SEED)
    area = np.array(list(areas), dtype=object)
    homes = {name: area == name for name in sorted(set(areas))}
    counted: dict[str, list[int]] = {}
    for draw in range(draws):
        if draw % AT_ONCE == 0:
            tell()
        ticket = dice.permutation(children) + 1
        programme = central.propose(ticket, ways, vacancies, nature, tolerance, unit=unit).programme
        placed = programme >= 0
        own = np.bincount(nature[programme[placed]], minlength=len(NATURES)).tolist()
        figures = {key("all", "", "placed"): int(placed.sum())}
        figures |= {key("nature", name, "of_nature"): own[at] for at, name in enumerate(NATURES)}
        figures |= {key("area", name, "placed"): int((placed & home).sum()) for name, home in homes.items()}
        for name, figure in figures.items():
            counted.setdefault(name, []).append(figure)
    return {"draws": draws, "ranges": {name: _range(np.array(figures)) for name, figures in counted.items()}}


def told(found: Mapping[str, Any], by_ground: Mapping[str, Mapping[str, int | None]]) -> dict[str, Any]:
    """The ranges without those of grounds whose counts are hidden."""
    ranges = {}
    for name, values in found["ranges"].items():
        group, code, measure = name.split("/")
        if group != "ground" or by_ground.get(code, {}).get(measure) is not None:
            ranges[name] = values
    return {"draws": found["draws"], "ranges": ranges}


def _draws(limit: int, rows: int) -> int:
    return max(FEWEST_DRAWS, min(DRAWS, limit // max(rows, 1)))


def _groups(
    market: Market, grounds: Mapping[str, Collection[str]], first_wishes: FirstWishes | None
) -> dict[tuple[str, str], np.ndarray]:
    groups = {("all", ""): np.arange(market.children)}
    groups |= {("area", area): rows for area, rows in fairness.children_by_area(market, first_wishes).items()}
    if grounds:
        number = {code: at for at, code in enumerate(fairness.texts(market.codes.children))}
        for ground, codes in grounds.items():
            groups["ground", ground] = np.array([number[code] for code in codes if code in number], dtype=np.int64)
    return groups


def _range(figures: np.ndarray) -> list[int]:
    """The middle is a figure of one of the draws."""
    ordered = np.sort(figures)
    return [int(ordered[0]), int(ordered[(len(ordered) - 1) // 2]), int(ordered[-1])]
