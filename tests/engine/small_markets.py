"""Random tiny markets, each made from a number, with every rule of the engine."""

import random

from allocation.market import Market, Pool


def tiny_market(
    number: int,
    *,
    children: int = 5,
    programmes: int = 3,
    pair_rule: str = "overhang",
    units: bool = True,
    pools: bool = True,
    current: bool = False,
    siblings: bool = False,
    contrary: bool = False,
) -> Market:
    """A market of at most ``children`` children; the same number gives the same market.

    ``contrary``: programmes prefer the children who like them less, and places are scarce. Only then do many markets have
    more than one stable outcome, and many siblings a place where their elder is.
    """
    dice = random.Random(number)
    p = programmes if contrary else dice.randint(1, programmes)
    places = [dice.choice((1, 1, 2)) if contrary else dice.randint(0, 3) for _ in range(p)]
    level = [dice.choice((1, 2)) if siblings else 1 for _ in range(p)]
    kindergarten = sibling_tier = None
    if siblings and contrary:  # each kindergarten has both classes, so that an elder's place counts
        level, kindergarten, sibling_tier = [1 + k % 2 for k in range(p)], [k // 2 for k in range(p)], [0] * p
    rows, unit, groups, family = _children(dice, children, p, units, level, contrary)
    n = len(rows)
    now = [-1] * n
    if current:
        _hold_places(dice, rows, unit, places, now)
    ticket = list(range(1, n + 1))
    dice.shuffle(ticket)
    elder = [-1] * n
    if siblings:
        for i in range(n):
            older = [k for k in range(n) if rows[k] and rows[i] and level[rows[k][0][0]] > level[rows[i][0][0]]]
            if older and dice.random() < 0.7:
                elder[i] = dice.choice(older)
    offsets = [0]
    for row in rows:
        offsets.append(offsets[-1] + len(row))
    return Market.from_arrays(
        offsets,
        [programme for row in rows for programme, _ in row],
        [tier for row in rows for _, tier in row],
        ticket,
        places,
        unit=unit if units else None,
        family=family,
        groups=groups,
        pools=_pools(dice, places) if pools else (),
        elder=elder if siblings else None,
        current=now if current else None,
        level=level,
        kindergarten=kindergarten or [dice.randint(0, 1) for _ in range(p)],
        sibling_tier=sibling_tier or [dice.choice((-1, 0, 1)) for _ in range(p)],
        pair_rule=pair_rule,
    )


def _children(dice, most, p, units, level, contrary):
    rows, unit, groups, family = [], [], [], []
    while len(rows) < most:
        size = dice.choices((1, 2, 3), (6, 3, 1))[0] if units else 1
        size = min(size, most - len(rows))
        at = dice.choice(level)
        wished = [k for k in range(p) if level[k] == at]
        wished = dice.sample(wished, dice.randint(0 if dice.random() < 0.1 else 1, len(wished)))
        for _ in range(size):
            if contrary:
                rows.append([(k, max(0, 9 - 3 * step - dice.randint(0, 3))) for step, k in enumerate(wished)])
            else:
                rows.append([(k, dice.choice((0, 0, 1, 2))) for k in wished])
            unit.append(len(family) if size > 1 else -1)
            groups.append(tuple(g for g in range(3) if dice.random() < 0.4))
        family += [len(set(family))] * size
    return rows, unit, groups, family


def _pools(dice, places):
    pools = []
    for programme, total in enumerate(places):
        left = total
        for k in range(dice.choice((0, 0, 1, 2))):
            share = dice.randint(0, left)
            left -= share
            chosen = tuple(g for g in range(3) if dice.random() < 0.5)
            pools.append(Pool(programme, f"r{k}", k + 1, share, chosen, dice.choice(("open", "locked"))))
        if dice.random() < 0.3:
            pools.append(Pool(programme, "general", dice.choice((0, 7)), None))
    return pools


def _hold_places(dice, rows, unit, places, now):
    """Guarantee some children a place that they wish for, at most as many as a programme has."""
    free = list(places)
    units = {}
    for child in range(len(rows)):
        units.setdefault(unit[child] if unit[child] >= 0 else -2 - child, []).append(child)
    for members in units.values():
        wished = [k for k, _ in rows[members[0]] if free[k] >= len(members)]
        if wished and dice.random() < 0.5:
            chosen = dice.choice(wished)
            free[chosen] -= len(members)
            for child in members:
                now[child] = chosen
