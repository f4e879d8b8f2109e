"""Bound units: twins and triplets that go together or not at all, and the rule for the last place.

A unit is carried by its *leader*, the member with the lowest index; the other members follow. The leader's rows hold
what counts for the unit: the worst tier of its members, their best ticket, and only pools that are for all of them.
"""

from dataclasses import dataclass

import numpy as np

from allocation.compilation import jit


@dataclass
class Units:
    """Who proposes, and with what. Arrays are by child (n) or by wish (m); only leaders' rows count."""

    leader: np.ndarray | None  # int32[n]; None: every child stands alone
    order: np.ndarray  # int32[...]: the leaders
    tier: np.ndarray  # uint8[m], may be raised for siblings; the market's own where nothing can change it
    ticket: np.ndarray  # uint32[n], likewise
    mask: np.ndarray | None  # uint16[m]: the pools that are for the whole unit
    size: np.ndarray | None  # int32[n]; None: one each
    current: np.ndarray | None  # int32[n]; with size
    elder: np.ndarray | None  # int32[n]: the elder whom all members name


def form_units(market, mask) -> Units:
    """Bind the children of each unit; ``mask`` as from :func:`allocation.eligibility.eligible_pools` or ``None``."""
    count = market.children
    bound = market.unit is not None and bool((market.unit >= 0).any())
    guaranteed = market.current is not None and bool((market.current >= 0).any())
    named = market.elder is not None and bool((market.elder >= 0).any())
    units = Units(
        leader=None,
        order=np.arange(count, dtype=np.int32),
        tier=market.tier.copy() if bound or named else market.tier,
        ticket=market.ticket.copy() if bound else market.ticket,
        mask=mask,
        size=None,
        current=None,
        elder=market.elder.copy() if named else None,
    )
    if bound or guaranteed:
        units.size = np.ones(count, dtype=np.int32)
        units.current = market.current.copy() if guaranteed else np.full(count, -1, dtype=np.int32)
    if bound:
        units.leader = leaders(market.unit)
        units.order = np.flatnonzero(units.leader == units.order).astype(np.int32)
        units.mask = None if mask is None else mask.copy()
        bind(units.leader, market.offsets, units.tier, units.ticket, units.size, units.mask, units.elder)
    return units


@jit
def leaders(unit):
    """For each child the lowest index in its unit, itself if it stands alone (int32[n])."""
    leader = np.arange(unit.shape[0]).astype(np.int32)
    first = np.full(max(unit.max() + 1, 1), -1, dtype=np.int32)
    for child in range(unit.shape[0]):
        if unit[child] >= 0:
            if first[unit[child]] < 0:
                first[unit[child]] = child
            leader[child] = first[unit[child]]
    return leader


@jit
def bind(leader, offsets, tier, ticket, size, mask, elder):
    """Write into each leader's rows what counts for its unit: worst tier, best ticket, common pools, common elder."""
    for child in range(leader.shape[0]):
        head = leader[child]
        if head == child:
            continue
        size[head] += 1
        ticket[head] = min(ticket[head], ticket[child])
        for step in range(offsets[child + 1] - offsets[child]):
            ours = offsets[head] + step
            theirs = offsets[child] + step
            tier[ours] = max(tier[ours], tier[theirs])
            if mask is not None:
                mask[ours] &= mask[theirs]
        if elder is not None and elder[head] != elder[child]:
            elder[head] = -1


@jit
def over_full(used, worst, places, close):
    """Whether a pool must give up its worst unit: ``used`` places are held, ``worst`` of them by that unit.

    Overhang: it goes if the better ones leave it no place. Close: it goes if it does not fit wholly.
    """
    if close:
        return used > places
    return used - worst >= places
