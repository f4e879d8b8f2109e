"""The public file of a run: the frozen market, the parts of the seed, and the result, for anybody to check."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import allocation
from allocation import lottery
from allocation.outcome import Outcome
from enrollment.draw.draws import Draw

FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def draw_facts(draw: Draw | None) -> dict[str, Any]:
    """`draw.json`: what was published about the seed, and when.  Empty for a market that carries its tickets."""
    if draw is None or draw.seeded_at is None:
        return {}
    return {
        "commitment": draw.commitment,
        "committed_at": draw.committed_at.isoformat(),
        "beacon_name": draw.beacon_name,
        "beacon": draw.beacon or "",
        "ceremony": draw.ceremony or "",
        "seed": draw.seed,
        "seeded_at": draw.seeded_at.isoformat(),
    }


def make(
    market: Mapping[str, bytes],
    draw: Mapping[str, Any],
    found: Outcome,
    result: Mapping[str, bytes],
    summary: Mapping[str, Any],
) -> bytes:
    """The bundle's bytes: stored in name order, with fixed times, so that the same run gives the same bundle."""
    told = {**summary, "engine": f"allocation {allocation.VERSION}"}
    entries = {f"market/{name}": content for name, content in market.items()}
    entries |= {f"result/{name}": content for name, content in result.items()}
    entries["result/summary.json"] = json.dumps(told, sort_keys=True, ensure_ascii=False, indent=1).encode()
    if draw:
        entries["draw.json"] = lottery.canonical(dict(draw))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            archive.writestr(zipfile.ZipInfo(name, FIXED_TIME), entries[name])
    return target.getvalue()
