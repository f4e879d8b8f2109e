"""Whether arrays are a valid market: every rule of the input, with the row that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from allocation.arrays import MOST_LABELS, Array
from allocation.faults import Fault, row_faults

if TYPE_CHECKING:
    from allocation.market import Market

LEVELS = ("nursery", "lower", "middle", "upper")  # youngest first
NATURES = ("public", "inclusive", "private")
PAIR_RULES = ("overhang", "close")
WORST_TIER = 15
LARGEST_UNIT = 3


def market_faults(market: Market) -> list[Fault]:
    """All faults of the market; empty if it can be solved."""
    faults = list(_shape_faults(market))
    if faults:
        return faults
    faults = [*_programme_faults(market), *_wish_faults(market), *_child_faults(market), *ticket_faults(market)]
    if faults:
        return faults
    return [*_level_faults(market), *_current_faults(market), *_unit_faults(market), *_elder_faults(market)]


def _shape_faults(market: Market) -> Iterator[Fault]:
    n, m, p = len(market.offsets) - 1, len(market.programme), len(market.places)
    if n < 0 or market.offsets[0] != 0 or market.offsets[-1] != m or np.any(np.diff(market.offsets) < 0):
        yield Fault("children", -1, "offsets", "offsets must rise from 0 to the number of wishes")
        return
    if n >= MOST_LABELS:
        yield Fault("children", -1, "", f"{n} children; one market holds fewer than {MOST_LABELS}")
    if market.pair_rule not in PAIR_RULES:
        yield Fault("market", -1, "pair_rule", f"{market.pair_rule} is not one of {', '.join(PAIR_RULES)}")
    by_child = {"ticket": n, "unit": n, "family": n, "elder": n, "current": n}
    by_programme = dict.fromkeys(("level", "nature", "area", "kindergarten", "sibling_tier"), p)
    for name, length in {"tier": m, "rank": m, **by_child, **by_programme}.items():
        column = getattr(market, name)
        if column is not None and len(column) != length:
            yield Fault("market", -1, name, f"{len(column)} values where {length} are needed")
    if market.group_start is not None and market.group is not None:
        start = market.group_start
        if len(start) != n + 1 or start[0] != 0 or start[-1] != len(market.group) or np.any(np.diff(start) < 0):
            yield Fault("children", -1, "groups", "group offsets must rise from 0 to the number of groups")


def _programme_faults(market: Market) -> Iterator[Fault]:
    yield from row_faults("programmes", market.places < 0, "places", "places below zero")
    for name, top in (("level", len(LEVELS)), ("nature", len(NATURES))):
        column = getattr(market, name)
        if column is not None:
            yield from row_faults("programmes", (column < 0) | (column >= top), name, f"{name} that does not exist")
    if market.sibling_tier is not None:
        out = (market.sibling_tier < -1) | (market.sibling_tier > WORST_TIER)
        yield from row_faults("programmes", out, "sibling_tier", "a tier is 0 to 15")


def _wish_faults(market: Market) -> Iterator[Fault]:
    unknown = (market.programme < 0) | (market.programme >= market.programmes)
    yield from row_faults("wishes", unknown, "programme", "a programme that does not exist")
    yield from row_faults("wishes", market.tier > WORST_TIER, "tier", "a tier is 0 to 15")
    if market.rank is not None:
        falling = np.diff(market.rank, prepend=0) <= 0
        falling[market.offsets[:-1][np.diff(market.offsets) > 0]] = False  # the first wish of a child
        yield from row_faults("wishes", falling, "rank", "the ranks of a child must rise")
    yield from row_faults("wishes", _wished_before(market), "programme", "the same programme twice in one list")


def _wished_before(market: Market) -> Array:
    """bool[m]: the child already wished for this programme."""
    before = np.zeros(len(market.programme), dtype=bool)
    if not len(before):
        return before
    lengths = np.diff(market.offsets)
    longest = int(lengths.max())
    if longest > 64:
        child = np.repeat(np.arange(market.children), lengths)
        order = np.lexsort((market.programme, child))
        same = (np.diff(child[order]) == 0) & (np.diff(market.programme[order]) == 0)
        before[order[1:][same]] = True
        return before
    place_in_list = np.arange(len(before)) - np.repeat(market.offsets[:-1], lengths)
    for step in range(1, longest):
        before[step:] |= (market.programme[step:] == market.programme[:-step]) & (place_in_list[step:] >= step)
    return before


def _child_faults(market: Market) -> Iterator[Fault]:
    if market.elder is not None:
        known = (market.elder >= -1) & (market.elder < market.children)
        yield from row_faults("children", ~known, "elder", "an elder who is not in this market")
    if market.current is not None:
        known = (market.current >= -1) & (market.current < market.programmes)
        yield from row_faults("children", ~known, "current", "a programme that does not exist")
    if market.group is not None and len(market.group) and market.group.min() < 0:
        yield Fault("children", -1, "groups", "a group that does not exist")


def ticket_faults(market: Market) -> Iterator[Fault]:
    """Equal tickets, or a wrong number of tickets."""
    ticket = market.ticket
    if ticket is None:
        return
    if len(ticket) != market.children:
        yield Fault("tickets", -1, "ticket", f"{len(ticket)} tickets for {market.children} children")
        return
    highest = int(ticket.max()) if market.children else 0
    if highest <= 8 * market.children + 64:
        seen = np.zeros(highest + 1, dtype=np.uint8)
        seen[ticket] = 1
        if int(seen.sum()) == market.children:
            return
    order = np.argsort(ticket, kind="stable")
    same = np.diff(ticket[order]) == 0
    repeated = np.zeros(market.children, dtype=bool)
    repeated[order[1:][same]] = True
    yield from row_faults("tickets", repeated, "ticket", lambda child: f"ticket {ticket[child]} stands twice")


def child_levels(market: Market) -> Array:
    """int8[n]: the class level of each child's wishes, -1 without a wish (all 0 in a market without levels)."""
    levels = np.full(market.children, -1, dtype=np.int8)
    wishing = np.diff(market.offsets) > 0
    first = market.programme[market.offsets[:-1][wishing]]
    levels[wishing] = 0 if market.level is None else market.level[first]
    return levels


def _level_faults(market: Market) -> Iterator[Fault]:
    if market.level is None:
        return
    own = np.repeat(child_levels(market), np.diff(market.offsets))
    other = market.level[market.programme] != own
    yield from row_faults(
        "wishes", other, "programme", "a programme of another class level than the child's first wish"
    )


def _current_faults(market: Market) -> Iterator[Fault]:
    if market.current is None:
        return
    child = np.repeat(np.arange(market.children), np.diff(market.offsets))
    wished = np.zeros(market.children, dtype=bool)
    wished[child[market.programme == market.current[child]]] = True
    lost = (market.current >= 0) & ~wished
    yield from row_faults("children", lost, "current", "the guaranteed place is not among the child's wishes")


def _unit_faults(market: Market) -> Iterator[Fault]:
    """Members of a unit are of one family and hand in the same wishes; a unit has at most three."""
    if market.unit is None:
        return
    yield from row_faults("children", market.unit < -1, "unit", "a unit that does not exist")
    bound = np.flatnonzero(market.unit >= 0)
    order = bound[np.argsort(market.unit[bound], kind="stable")]
    units = market.unit[order]
    for at, child in enumerate(order[1:].tolist(), start=1):
        if units[at] != units[at - 1]:
            continue
        before = int(order[at - 1])
        if at >= LARGEST_UNIT and units[at] == units[at - LARGEST_UNIT]:
            yield Fault("children", child, "unit", f"more than {LARGEST_UNIT} children in one unit")
        if market.family is not None and market.family[child] != market.family[before]:
            yield Fault("children", child, "unit", "bound children of different families")
        if market.current is not None and market.current[child] != market.current[before]:
            yield Fault("children", child, "current", "bound children with different guaranteed places")
        if not np.array_equal(_wishes(market, child), _wishes(market, before)):
            yield Fault("children", child, "unit", "bound children with different wishes")


def _wishes(market: Market, child: int) -> Array:
    return market.programme[market.offsets[child] : market.offsets[child + 1]]


def _elder_faults(market: Market) -> Iterator[Fault]:
    if market.elder is None:
        return
    named = market.elder >= 0
    if market.sibling_tier is not None and market.kindergarten is None and named.any():
        yield Fault("programmes", -1, "kindergarten", "siblings need to know the kindergarten of each programme")
    levels = child_levels(market)
    of_elder = np.where(named, levels[market.elder], -1)
    not_older = named & (levels >= 0) & (of_elder >= 0) & (of_elder <= levels)
    not_older |= market.elder == np.arange(market.children)
    yield from row_faults("children", not_older, "elder", "the elder is not in an older class level")
