"""The summary of a result: counts, the checks, and the digests of the input and output files."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from allocation import VERSION
from allocation.checks import Report
from allocation.market import NATURES
from allocation.outcome import Outcome

FORMAT = "result/1"


def summary(
    outcome: Outcome,
    report: Report,
    *,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    finished: datetime | None = None,
) -> dict[str, Any]:
    """What ``summary.json`` holds: counts, shares by nature, ranks, bound against single children, checks, digests.

    ``inputs`` and ``outputs`` are the SHA-256 (hex) of the files (:func:`digests`).
    """
    market = outcome.market
    ranks, counts = np.unique(outcome.listed_rank[outcome.listed_rank > 0], return_counts=True)
    return {
        "format": FORMAT,
        "engine": f"allocation {VERSION}",
        "finished": finished.isoformat() if finished else None,
        "season": market.season,
        "round": market.round,
        "pair_rule": market.pair_rule,
        "children": market.children,
        "wishing": int(np.count_nonzero(np.diff(market.offsets))),
        "placed": outcome.placed,
        "by_rank": {str(rank): count for rank, count in zip(ranks.tolist(), counts.tolist(), strict=True)},
        "by_nature": by_nature(outcome),
        "places": int(market.places.sum(dtype=np.int64)),
        "overhang": int(outcome.overhang.sum(dtype=np.int64)),
        "multiples": bound_against_single(outcome),
        "proposals": outcome.proposals,
        "checks": report.as_dict(),
        "inputs": dict(sorted(inputs.items())),
        "outputs": dict(sorted(outputs.items())),
    }


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 (hex) of each file."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}


def by_nature(outcome: Outcome) -> dict[str, int]:
    """Children placed by the nature of their kindergarten; empty in a market without natures."""
    if outcome.market.nature is None:
        return {}
    nature = outcome.market.nature[outcome.programme[outcome.programme >= 0]]
    return {name: int(np.count_nonzero(nature == index)) for index, name in enumerate(NATURES)}


def bound_against_single(outcome: Outcome) -> dict[str, dict[str, int]]:
    """Of the children with wishes, bound and single: how many there are, how many got a place, and their first wish."""
    market = outcome.market
    wishing = np.diff(market.offsets) > 0
    bound = np.zeros(market.children, dtype=bool) if market.unit is None else market.unit >= 0
    return {
        name: {
            "children": int(np.count_nonzero(group)),
            "placed": int(np.count_nonzero(group & (outcome.rank > 0))),
            "first_wish": int(np.count_nonzero(group & (outcome.listed_rank == 1))),
        }
        for name, group in (("bound", wishing & bound), ("single", wishing & ~bound))
    }
