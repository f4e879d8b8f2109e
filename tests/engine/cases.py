"""The worked cases of the shared collection as markets: applicants, programmes and their whole priority orders.

A programme's whole priority order becomes tiers and tickets only where one ticket for all fits; so each case is told
with one class level of its own for each programme order: the place in the order, up to 16, is the tier.
"""

import json
from pathlib import Path

from allocation.market import Market, Pool

FOLDER = Path(__file__).parent / "cases"


def case(name: str) -> dict:
    """The case whose file begins with this number."""
    [path] = FOLDER.glob(f"{name}_*.json")
    return json.loads(path.read_text())


def market_of(case: dict, pair_rule: str = "overhang", **changes) -> tuple[Market, list[list[int]]]:
    """The market of a case, and for each of its applicants the children (a pair is two)."""
    programmes = {p["id"]: index for index, p in enumerate(case["programmes"])}
    order = {p["id"]: p["priority"] for p in case["programmes"]}
    members, rows, unit = [], [], []
    for number, one in enumerate(case["applicants"]):
        wished = [p for p in one["prefs"] if one["id"] in order[p]]
        members.append(list(range(len(rows), len(rows) + one.get("size", 1))))
        for _ in members[-1]:
            rows.append([(programmes[p], order[p].index(one["id"])) for p in wished])
            unit.append(number if one.get("size", 1) > 1 else -1)
    offsets = [0]
    for row in rows:
        offsets.append(offsets[-1] + len(row))
    types = sorted({t for one in case["applicants"] for t in one.get("types", ())})
    pools = [
        Pool(programmes[p["id"]], reserve["type"], k + 1, reserve["seats"], (types.index(reserve["type"]),), "open")
        for p in case["programmes"]
        for k, reserve in enumerate(p.get("reserves", ()))
    ]
    market = Market.from_arrays(
        offsets,
        [p for row in rows for p, _ in row],
        [t for row in rows for _, t in row],
        list(range(1, len(rows) + 1)),
        [p["capacity"] for p in case["programmes"]],
        unit=unit,
        family=[number for number, own in enumerate(members) for _ in own],
        groups=[
            tuple(types.index(t) for t in one.get("types", ()))
            for one in case["applicants"]
            for _ in range(one.get("size", 1))
        ],
        pools=[pool._replace(**changes) for pool in pools],
        pair_rule=pair_rule,
    )
    return market, members


def answer(case: dict, outcome, members) -> dict:
    """Applicant → programme name or ``None``."""
    names = [p["id"] for p in case["programmes"]] + [None]
    return {one["id"]: names[outcome.programme[m[0]]] for one, m in zip(case["applicants"], members, strict=True)}
