"""Synthetic markets of any size for measurements; the same market for the same arguments, without floating point.

Modelled on a large city: areas with programmes of 20 to 60 places, a few of them popular; three to four wishes for each
child; five tiers; one child in thirty is bound to a twin, one in eight has the best tier because of an older sibling.
"""

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit
from allocation.market import Codes, Market, Pool
from allocation.simulation import below

AREA_CHILDREN = 10_900  # 250,000 children live in 23 areas
PLACES_PER_HUNDRED = 90
GROUPS_PER_AREA = 40


def synthetic_market(
    children: int, seed: int = 1, *, units: bool = False, pools: bool = False, codes: bool = False
) -> Market:
    """A market of this many children; ``units`` binds one in thirty, ``pools`` reserves a third of half the programmes."""
    state = np.array([seed << 40], dtype=np.uint64)
    areas = max(1, children // AREA_CHILDREN)
    with np.errstate(over="ignore"):
        places = _places(children, areas, state)
        home = _homes(children, areas, state)
        offsets, programme, tier = _wishes(home, areas, len(places), state)
        if units:
            unit = _twins(offsets, programme, tier)
        ticket = _shuffled(children, state)
    area = np.arange(len(places)) * areas // len(places)
    groups, listed = _reserves(home, places, area) if pools else (None, ())
    return Market.from_arrays(
        offsets, programme, tier, ticket, places,
        unit=unit if units else None,
        family=np.where(unit >= 0, unit, np.arange(children)) if units else np.arange(children),
        groups=groups, pools=listed, level=np.ones(len(places)), nature=np.arange(len(places)) % 5 // 2, area=area,
        kindergarten=np.arange(len(places)), sibling_tier=np.full(len(places), -1), season="2026",
        codes=_codes(children, len(places), areas) if codes else Codes(),
    )  # fmt: skip


@jit
def _places(children: int, areas: int, state: Array) -> Array:
    """Programmes of 20 to 60 places, as many in each area, until about nine children in ten could have one."""
    wanted = children * PLACES_PER_HUNDRED // 100
    inside = max(1, wanted // 40 // areas)
    places = np.empty(areas * inside, dtype=np.int32)
    for p in range(places.shape[0]):
        places[p] = 20 + below(state, 41)
    return places


@jit
def _homes(children: int, areas: int, state: Array) -> Array:
    home = np.empty(children, dtype=np.int32)
    for child in range(children):
        home[child] = below(state, areas)
    return home


@jit
def _wishes(home: Array, areas: int, programmes: int, state: Array) -> tuple[Array, Array, Array]:
    """Two to five wishes in the home area, popular programmes first, one in ten elsewhere."""
    count = home.shape[0]
    inside = programmes // areas
    offsets = np.zeros(count + 1, dtype=np.int64)
    programme = np.empty(5 * count, dtype=np.int32)
    tier = np.empty(5 * count, dtype=np.uint8)
    at = 0
    for child in range(count):
        length = 2 + max(below(state, 3), below(state, 4))
        for _ in range(length):
            area = home[child]
            if below(state, 10) == 0:
                area = below(state, areas)
            popular = min(below(state, inside), below(state, inside))
            chosen = area * inside + popular
            twice = False
            for earlier in range(offsets[child], at):
                twice = twice or programme[earlier] == chosen
            if not twice:
                programme[at] = chosen
                roll = below(state, 64)
                tier[at] = 0 if roll < 8 else 1 + (roll >= 20) + (roll >= 44) + (roll >= 58)
                at += 1
        offsets[child + 1] = at
    return offsets, programme[:at].copy(), tier[:at].copy()


@jit
def _twins(offsets: Array, programme: Array, tier: Array) -> Array:
    """Bind each thirtieth child to the next if their lists are as long; the second takes over the first's wishes."""
    unit = np.full(offsets.shape[0] - 1, -1, dtype=np.int32)
    for first in range(0, offsets.shape[0] - 2, 30):
        length = offsets[first + 1] - offsets[first]
        second = first + 1
        while second < min(first + 30, unit.shape[0]) and offsets[second + 1] - offsets[second] != length:
            second += 1
        if second < min(first + 30, unit.shape[0]):
            unit[first] = first
            unit[second] = first
            for step in range(length):
                programme[offsets[second] + step] = programme[offsets[first] + step]
                tier[offsets[second] + step] = tier[offsets[first] + step]
    return unit


@jit
def _shuffled(count: int, state: Array) -> Array:
    """1 … count in a mixed order (uint32)."""
    ticket = np.arange(1, count + 1).astype(np.uint32)
    for last in range(count - 1, 0, -1):
        other = below(state, last + 1)
        ticket[last], ticket[other] = ticket[other], ticket[last]
    return ticket


def _reserves(home: Array, places: Array, area: Array) -> tuple[tuple[Array, Array], list[Pool]]:
    """Every child belongs to one of 40 estates of its area; every second programme keeps a third for two of them."""
    group = home * GROUPS_PER_AREA + np.arange(len(home)) % GROUPS_PER_AREA
    listed = []
    for p in range(0, len(places), 2):
        first = int(area[p]) * GROUPS_PER_AREA + p % GROUPS_PER_AREA
        second = int(area[p]) * GROUPS_PER_AREA + (p + 7) % GROUPS_PER_AREA
        listed.append(Pool(p, "estate", 1, int(places[p]) // 3, (first, second), "open"))
    return (np.arange(len(home) + 1), group), listed


def _codes(children: int, programmes: int, areas: int) -> Codes:
    return Codes(
        children=[f"C{i:08d}" for i in range(children)],
        programmes=[f"P{i:06d}" for i in range(programmes)],
        families=[f"F{i:08d}" for i in range(children)],
        kindergartens=[f"K{i:06d}" for i in range(programmes)],
        areas=[f"A{i:04d}" for i in range(areas)],
        groups=[f"G{i:06d}" for i in range(areas * GROUPS_PER_AREA)],
        units=[f"U{i:08d}" for i in range(children)],
    )


def displacement_chain(children: int) -> Market:
    """A market in which the last child displaces the first, who displaces the second, and so on through all of them.

    Each programme has one place. Child *i* holds programme *i* until its neighbour comes, and wants programme *i* + 1 next,
    where it has the better ticket.
    """
    rows = np.arange(children)
    programme = np.stack((rows, np.minimum(rows + 1, children - 1)), axis=1)
    programme[-1] = 0, children - 1
    lengths = np.full(children, 2)
    lengths[-2] = 1  # nothing is left for the last who is displaced
    kept = np.arange(2)[None, :] < lengths[:, None]
    return Market.from_arrays(
        np.concatenate(([0], np.cumsum(lengths))), programme[kept], np.zeros(int(lengths.sum())),
        np.where(rows == children - 1, 1, rows + 2), np.ones(children),
    )  # fmt: skip
