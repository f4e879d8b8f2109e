"""Who got what, in counts that everybody may read: areas, siblings, and what stands over.  The engine's own summary has the rest."""

from typing import Any

import numpy as np

from allocation.market import Market
from allocation.outcome import LINE, Outcome


def figures(market: Market, found: Outcome) -> dict[str, Any]:
    """Counts only, so that any share can be computed and none is rounded."""
    return {
        "unplaced": market.children - found.placed,
        "by_area": _by_area(market, found),
        "siblings": _siblings(market, found),
        "with_a_line": int((found.cutoffs.state == LINE).sum()),
    }


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


def _siblings(market: Market, found: Outcome) -> dict[str, int]:
    """Younger children who name an elder sibling of this market: how many, and how many go to the same kindergarten."""
    if market.elder is None or market.kindergarten is None:
        return {"named": 0, "together": 0}
    younger = np.flatnonzero(market.elder >= 0)
    own, elder = found.programme[younger], found.programme[market.elder[younger]]
    both = (own >= 0) & (elder >= 0)
    together = market.kindergarten[own[both]] == market.kindergarten[elder[both]]
    return {"named": len(younger), "together": int(together.sum())}
