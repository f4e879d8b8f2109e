"""Bound units: twins and triplets who are placed together or not at all, and the rule for the last place.

The *leader* of a unit is the member with the lowest number. The rows of the leader hold the values of the unit: the
worst tier of its members, their best ticket, and only pools that are for all of them.
"""

from dataclasses import dataclass

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit
from allocation.faults import Fault, MarketFault
from allocation.market import Market


@dataclass
class Units:
    """The proposing units. Arrays are by child (n) or by wish (m); only the rows of leaders are used."""

    leader: Array | None  # int32[n]; None: no child is bound
    order: Array  # int32[...]: the leaders
    tier: Array  # uint8[m], overwritten for siblings; the market's own array if it is never changed
    ticket: Array  # uint32[n], likewise
    mask: Array | None  # uint16[m]: the pools that are for the whole unit
    size: Array | None  # int32[n]; None: one each
    current: Array | None  # int32[n]; given if size is
    elder: Array | None  # int32[n]: the elder whom all members name


def form_units(market: Market, mask: Array | None) -> Units:
    """Bind the children of each unit; ``mask`` as from :func:`allocation.eligibility.eligible_pools` or ``None``."""
    count = market.children
    unit, current, elder = (_named(column) for column in (market.unit, market.current, market.elder))
    ticket = require_tickets(market)
    units = Units(
        leader=None,
        order=np.arange(count, dtype=np.int32),
        tier=market.tier if unit is None and elder is None else market.tier.copy(),
        ticket=ticket if unit is None else ticket.copy(),
        mask=mask,
        size=None,
        current=None,
        elder=None if elder is None else elder.copy(),
    )
    if unit is None and current is None:
        return units
    units.size = np.ones(count, dtype=np.int32)
    units.current = np.full(count, -1, dtype=np.int32) if current is None else current.copy()
    if unit is not None:
        units.leader = leaders(unit)
        units.order = np.flatnonzero(units.leader == units.order).astype(np.int32)
        units.mask = None if mask is None else mask.copy()
        bind(units.leader, market.offsets, units.tier, units.ticket, units.size, units.mask, units.elder)
    return units


def require_tickets(market: Market) -> Array:
    """The tickets of a market. Raises :class:`~allocation.faults.MarketFault` if they have not been drawn."""
    if market.ticket is None:
        raise MarketFault([Fault("tickets", -1, "ticket", "the tickets have not been drawn")])
    return market.ticket


def _named(column: Array | None) -> Array | None:
    """The column, or ``None`` if no child has a value in it."""
    return None if column is None or not (column >= 0).any() else column


@jit
def leaders(unit: Array) -> Array:
    """For each child the lowest index in its unit, its own if it is not bound (int32[n])."""
    leader = np.arange(unit.shape[0]).astype(np.int32)
    first = np.full(max(unit.max() + 1, 1), -1, dtype=np.int32)
    for child in range(unit.shape[0]):
        if unit[child] >= 0:
            if first[unit[child]] < 0:
                first[unit[child]] = child
            leader[child] = first[unit[child]]
    return leader


@jit
def bind(
    leader: Array, offsets: Array, tier: Array, ticket: Array, size: Array, mask: Array | None, elder: Array | None
) -> None:
    """Write the values of each unit into the rows of its leader: worst tier, best ticket, common pools, common elder."""
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
def over_full(used: int, worst: int, places: int, close: bool) -> bool:
    """Whether a pool must refuse its worst unit: ``used`` places are taken, ``worst`` of them by that unit.

    Overhang: if the better units leave no place. Close: if the unit does not fit completely.
    """
    if close:
        return used > places
    return used - worst >= places
