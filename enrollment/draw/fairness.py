"""What a run gave, in numbers that everybody may read: first wishes, bound pairs against single children, siblings, areas."""

from typing import Any

import numpy as np

from allocation.market import NATURES, Market
from allocation.outcome import Outcome


def summary(market: Market, found: Outcome) -> dict[str, Any]:
    """Counts only, so that any share can be computed and none is rounded."""
    ranks = np.bincount(found.rank, minlength=2)
    return {
        "children": market.children,
        "wishes": len(market.programme),
        "places": int(market.places.sum()),
        "placed": found.placed,
        "unplaced": market.children - found.placed,
        "by_rank": {str(rank): int(count) for rank, count in enumerate(ranks.tolist()) if rank and count},
        "by_nature": _by_nature(market, found),
        "by_area": _by_area(market, found),
        "pairs": _pairs(market, found),
        "siblings": _siblings(market, found),
        "stands_over": int(found.overhang.sum()),
        "with_a_line": int((found.cutoffs.state == 2).sum()),
    }


def _by_nature(market: Market, found: Outcome) -> dict[str, int]:
    if market.nature is None:
        return {}
    given = market.nature[found.programme[found.programme >= 0]]
    return {nature: int((given == code).sum()) for code, nature in enumerate(NATURES)}


def _by_area(market: Market, found: Outcome) -> dict[str, dict[str, int]]:
    """By the area of the first wish: children, placed, placed at the first wish."""
    if market.area is None:
        return {}
    wishing = np.diff(market.offsets) > 0
    home = market.area[market.programme[market.offsets[:-1][wishing]]]
    rank = found.rank[wishing]
    codes = market.codes.areas
    names = codes.to_pylist() if hasattr(codes, "to_pylist") else list(codes)
    return {
        name: {
            "children": int((home == area).sum()),
            "placed": int(((home == area) & (rank > 0)).sum()),
            "first": int(((home == area) & (rank == 1)).sum()),
        }
        for area, name in enumerate(names)
        if (home == area).any()
    }


def _pairs(market: Market, found: Outcome) -> dict[str, dict[str, int]]:
    """Bound units against single children: how many asked, how many got their first wish, how many none.

    A unit counts once, so that the two rates can be compared.
    """
    bound = np.zeros(market.children, dtype=bool) if market.unit is None else market.unit >= 0
    leads = np.ones(market.children, dtype=bool)
    if market.unit is not None:
        leads[bound] = False
        _units, first = np.unique(market.unit[bound], return_index=True)
        leads[np.flatnonzero(bound)[first]] = True
    groups = {"bound": bound & leads, "single": ~bound}
    return {
        name: {
            "units": int(group.sum()),
            "first": int((found.rank[group] == 1).sum()),
            "placed": int((found.rank[group] > 0).sum()),
        }
        for name, group in groups.items()
    }


def _siblings(market: Market, found: Outcome) -> dict[str, int]:
    """Younger children who name an elder sibling of this market: how many, and how many go to the same kindergarten."""
    if market.elder is None or market.kindergarten is None:
        return {"named": 0, "together": 0}
    younger = np.flatnonzero(market.elder >= 0)
    own, elder = found.programme[younger], found.programme[market.elder[younger]]
    both = (own >= 0) & (elder >= 0)
    together = market.kindergarten[own[both]] == market.kindergarten[elder[both]]
    return {"named": len(younger), "together": int(together.sum())}
