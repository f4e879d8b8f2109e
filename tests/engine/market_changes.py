"""Changed copies of a market, checked again."""

import numpy as np

from allocation.market import Market


def again(market, **change):
    """The same market with some columns changed."""
    keep = {
        name: getattr(market, name)
        for name in ("offsets", "programme", "tier", "ticket", "places", "unit", "family", "elder", "current", "level",
                     "nature", "area", "kindergarten", "sibling_tier", "pair_rule", "season", "round", "seed", "codes")
    }  # fmt: skip
    keep["groups"] = None if market.group_start is None else (market.group_start, market.group)
    keep["pools"] = market.pools.listed
    return Market.from_arrays(**{**keep, **change})


def without_children(market, gone):
    """The market without these children (whole units)."""
    stay = [c for c in range(market.children) if c not in gone]
    wish = [w for c in stay for w in range(market.offsets[c], market.offsets[c + 1])]
    lengths = np.diff(market.offsets)[stay]
    pick = {name: getattr(market, name) for name in ("ticket", "unit", "family", "current")}
    return again(
        market,
        offsets=np.concatenate(([0], np.cumsum(lengths))),
        programme=market.programme[wish],
        tier=market.tier[wish],
        groups=[tuple(market.group[market.group_start[c] : market.group_start[c + 1]].tolist()) for c in stay],
        elder=None,
        **{name: None if column is None else column[stay] for name, column in pick.items()},
    ), stay


def unit_of(market, child):
    if market.unit is None or market.unit[child] < 0:
        return [child]
    return np.flatnonzero(market.unit == market.unit[child]).tolist()


def with_list(market, child, wishes):
    """The market in which one child submits these of its wishes, in this order."""
    rows = [list(range(market.offsets[c], market.offsets[c + 1])) for c in range(market.children)]
    rows[child] = list(wishes)
    flat = [w for row in rows for w in row]
    offsets = np.concatenate(([0], np.cumsum([len(row) for row in rows])))
    return again(market, offsets=offsets, programme=market.programme[flat], tier=market.tier[flat])


def after_giving_up(market, outcome, gone):
    """The market of a replay: without the wishes of these children, everybody else with the place that the outcome gave."""
    held = outcome.programme.copy()
    held[gone] = -1
    empty = np.diff(market.offsets).astype(int)
    empty[gone] = 0
    wish = [w for c in range(market.children) if empty[c] for w in range(market.offsets[c], market.offsets[c + 1])]
    return again(
        market, offsets=np.concatenate(([0], np.cumsum(empty))), programme=market.programme[wish],
        tier=market.tier[wish], current=held,
        elder=None if market.elder is None else np.where(np.isin(market.elder, gone), -1, market.elder),
    )  # fmt: skip


def given_up(market, number, step):
    """Who gives up before this replay of a numbered market: one unit."""
    return unit_of(market, (number * 7 + step * 5) % market.children)
