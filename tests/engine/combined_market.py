"""Many small markets combined into one, without common children, programmes or groups.

So each of them is solved as if it were alone, and the second implementation can check thousands of them in one bundle.
"""

from collections.abc import Sequence

import numpy as np

from allocation import files, lottery
from allocation.files import bundle
from allocation.market import LEVELS, Market
from allocation.outcome import LINE, Cutoffs, Outcome
from tests.engine.bundles import with_codes


def side_by_side(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of one market; all must have the same pair rule."""
    [rule] = {outcome.market.pair_rule for outcome in outcomes}
    before = dict.fromkeys(("children", "wishes", "programmes", "homes", "pools", "groups", "units", "families"), 0)
    parts: dict[str, list] = {}

    def add(**columns):
        for name, column in columns.items():
            parts.setdefault(name, []).append(column)

    pools = []
    for outcome in outcomes:
        market, n, p = outcome.market, outcome.market.children, outcome.market.programmes
        order = np.sort(market.ticket)
        home = np.arange(p) if market.kindergarten is None else market.kindergarten
        family = np.arange(n) if market.family is None else market.family
        unit = np.full(n, -1) if market.unit is None else market.unit
        add(
            offsets=market.offsets[1:] + before["wishes"], programme=market.programme + before["programmes"],
            tier=market.tier, ticket=1 + before["children"] + np.searchsorted(order, market.ticket), places=market.places,
            unit=_moved(unit, n, before["units"]), elder=_moved(market.elder, n, before["children"]),
            family=before["families"] + family,
            current=_moved(market.current, n, before["programmes"]),
            level=np.full(p, LEVELS.index("lower")) if market.level is None else market.level,
            kindergarten=before["homes"] + home,
            sibling_tier=np.full(p, -1) if market.sibling_tier is None else market.sibling_tier,
        )  # fmt: skip
        start = np.zeros(n + 1, np.int64) if market.group_start is None else market.group_start
        group = np.zeros(0, np.int32) if market.group is None else market.group
        add(group_length=np.diff(start), group=group + before["groups"])
        add(**_results(outcome, before, order))
        pools += [
            pool._replace(
                programme=pool.programme + before["programmes"], groups=tuple(g + before["groups"] for g in pool.groups)
            )
            for pool in market.pools.listed
        ]
        sizes = {
            "children": n, "wishes": len(market.programme), "programmes": p, "pools": market.pools.count,
            "homes": home.max(initial=-1) + 1, "units": unit.max(initial=-1) + 1, "families": family.max(initial=-1) + 1, "groups": max([-1, *group.tolist(), *market.pools.group.tolist()]) + 1,
        }  # fmt: skip
        for name, size in sizes.items():
            before[name] += int(size)
    return _together({name: np.concatenate(columns) for name, columns in parts.items()}, pools, rule)


def _moved(column, length: int, by: int) -> np.ndarray:
    """Indices shifted by an offset; -1 stays -1."""
    return np.full(length, -1) if column is None else np.where(column < 0, -1, column.astype(np.int64) + by)


def _results(outcome: Outcome, before: dict[str, int], order: np.ndarray) -> dict[str, np.ndarray]:
    lines = outcome.cutoffs
    ticket = np.where(lines.state == LINE, 1 + before["children"] + np.searchsorted(order, lines.ticket), 0)
    return {
        "r_programme": _moved(outcome.programme, 0, before["programmes"]), "r_rank": outcome.rank,
        "r_pool": _moved(outcome.pool, 0, before["pools"]), "r_overhang": outcome.overhang, "r_tier": outcome.unit_tier,
        "c_filled": lines.filled, "c_state": lines.state, "c_eligible": lines.eligible, "c_tier": lines.tier,
        "c_ticket": ticket,
    }  # fmt: skip


def _together(found: dict[str, np.ndarray], pools: list, rule: str) -> Outcome:
    names = ("unit", "elder", "family", "current", "level", "kindergarten", "sibling_tier")
    groups = (np.concatenate(([0], np.cumsum(found["group_length"]))), found["group"])
    market = Market.from_arrays(
        np.concatenate(([0], found["offsets"])), found["programme"], found["tier"], found["ticket"], found["places"],
        groups=groups, pools=pools, pair_rule=rule, **{name: found[name] for name in names},
    )  # fmt: skip
    lines = Cutoffs(
        filled=found["c_filled"].astype(np.int32), state=found["c_state"].astype(np.uint8),
        eligible=found["c_eligible"].astype(np.uint8), tier=found["c_tier"].astype(np.uint8),
        ticket=found["c_ticket"].astype(np.uint32),
    )  # fmt: skip
    return Outcome(
        market=market, programme=found["r_programme"].astype(np.int32), rank=found["r_rank"].astype(np.int32),
        pool=found["r_pool"].astype(np.int32), cutoffs=lines, overhang=found["r_overhang"],
        unit_tier=found["r_tier"].astype(np.uint8), proposals=0,
    )  # fmt: skip


def as_bundle(outcome: Outcome) -> bytes:
    """The bundle of an outcome as it is, without solving anything again; its market carries its tickets."""
    named = with_codes(outcome.market)
    told = Outcome(**{**vars(outcome), "market": named})
    written = files.market_files(named)
    return bundle.pack(written, bundle.DrawRecord(commitment=lottery.commitment(written)), files.result_files(told))
