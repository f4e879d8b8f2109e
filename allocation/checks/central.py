"""The independent check of a central placement. It shares no code with the solver (``allocation/central.py``)."""

from collections.abc import Iterator

import numpy as np

from allocation.arrays import Array

CENTRAL_CHECKS = ("only_known_ways", "no_place_twice", "bound_together", "as_many_as_possible", "least_cost")
ENOUGH = 20


def check_central(
    ticket: Array,
    child: Array,
    programme: Array,
    cost: Array,
    vacancies: Array,
    unit: Array,
    chosen: Array,
) -> dict[str, tuple[str, ...]]:
    """What is wrong with a placement, for each check; empty where it holds.

    ``child``, ``programme`` and ``cost`` are the known ways, ``chosen`` has the programme of each child or -1. Bound
    units (``unit``, -1 alone) go first, in ticket order; the others are as many as possible, at the least cost in all.
    """
    ways: list[dict[int, int]] = [{} for _ in ticket]
    for c, p, price in zip(child.tolist(), programme.tolist(), cost.tolist(), strict=True):
        ways[c][p] = price
    seat = chosen.tolist()
    taken = np.bincount(chosen[chosen >= 0], minlength=len(vacancies))
    free = (np.asarray(vacancies) - taken).tolist()
    found: dict[str, tuple[str, ...]] = {
        "only_known_ways": tuple(f"child {c}" for c, p in enumerate(seat) if p >= 0 and p not in ways[c]),
        "no_place_twice": tuple(f"programme {p}" for p, left in enumerate(free) if left < 0),
    }
    members = _members(unit)
    found["bound_together"] = tuple(_wrong_units(ticket, ways, vacancies, members, seat))
    if any(found.values()):
        return {name: lines[:ENOUGH] for name, lines in found.items()}
    bound = {c for each in members.values() for c in each}
    single = [c for c in range(len(ticket)) if c not in bound]
    found["as_many_as_possible"] = tuple(_could_be_placed(ways, seat, free, single))
    found["least_cost"] = ("a cheaper placement of as many children",) if _is_dear(ways, seat, free, single) else ()
    return {name: lines[:ENOUGH] for name, lines in found.items()}


def _members(unit: Array) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for c, number in enumerate(unit.tolist()):
        if number >= 0:
            found.setdefault(number, []).append(c)
    return {number: each for number, each in found.items() if len(each) > 1}


def _wrong_units(
    ticket: Array, ways: list[dict[int, int]], vacancies: Array, members: dict[int, list[int]], seat: list[int]
) -> Iterator[str]:
    """Units that are not where they cost least together, in the order of their best ticket."""
    left = list(map(int, vacancies))
    for number, each in sorted(members.items(), key=lambda item: min(int(ticket[c]) for c in item[1])):
        shared = set.intersection(*(set(ways[c]) for c in each))
        price = {p: sum(ways[c][p] for c in each) for p in shared if left[p] >= len(each)}
        given = {seat[c] for c in each}
        if not price:
            if given != {-1}:
                yield f"unit {number}"
            continue
        place = next(iter(given))
        if len(given) > 1 or price.get(place) != min(price.values()):
            yield f"unit {number}"
        else:
            left[place] -= len(each)


def _could_be_placed(ways: list[dict[int, int]], seat: list[int], free: list[int], single: list[int]) -> Iterator[str]:
    """Children without a place for whom others could move along, until one reaches a free place."""
    at: dict[int, list[int]] = {}
    for c in single:
        if seat[c] >= 0:
            at.setdefault(seat[c], []).append(c)
    reached: set[int] = set()  # places from which no free place is reached
    for start in (c for c in single if seat[c] < 0):
        waiting, seen = [start], set(reached)
        while waiting:
            for p in ways[waiting.pop()]:
                if p in seen:
                    continue
                if free[p] > 0:
                    yield f"child {start}"
                    waiting = []
                    break
                seen.add(p)
                waiting.extend(at.get(p, ()))
        else:
            reached = seen


def _is_dear(ways: list[dict[int, int]], seat: list[int], free: list[int], single: list[int]) -> bool:
    """Whether children can move along a cycle so that the cost falls (Bellman-Ford finds a negative cycle).

    The nodes are the places, one for all children without a place, and one for all free places.
    """
    n = len(free)
    nobody, spare = n, n + 1
    weight = np.full((n + 2, n + 2), np.inf)
    for c in single:
        here = seat[c] if seat[c] >= 0 else nobody
        now = ways[c][seat[c]] if seat[c] >= 0 else 0
        for p, price in ways[c].items():
            weight[here, p] = min(weight[here, p], price - now)
        if seat[c] >= 0:
            weight[here, nobody] = min(weight[here, nobody], -now)
            weight[spare, here] = 0.0
    weight[:n, spare][np.asarray(free) > 0] = 0.0
    np.fill_diagonal(weight, np.inf)
    weight[nobody, spare] = weight[spare, nobody] = np.inf
    distance = np.zeros(n + 2)
    for _ in range(n + 2):
        shorter = np.minimum(distance, (distance[:, None] + weight).min(axis=0))
        if np.array_equal(shorter, distance):
            return False
        distance = shorter
    return True
