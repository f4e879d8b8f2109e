"""Pools: the reserved places of a programme, in the order in which a wish tries them.

The places of a programme are split into pools. A pool lists the groups it is for; without groups it is for everybody.
Places that no child of its groups claims go to others (``open``) or stay empty (``locked``). The order decides who gains
(Kominers & Sönmez 2016, slot-specific priorities; Hafalir, Yenmez & Yildirim 2013, soft reserves).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from allocation.arrays import MOST_LABELS, Array, readonly
from allocation.faults import Fault

GENERAL = "general"
MOST_POOLS = 16
LARGEST_PRECEDENCE = 2**31 - 1


class Pool(NamedTuple):
    """One listed pool. ``places=None`` (only for ``general``) means all places that the other pools leave."""

    programme: int
    name: str
    precedence: int
    places: int | None
    groups: tuple[int, ...] = ()
    unclaimed: str = "open"


@dataclass(frozen=True)
class PoolTable:
    """All pools, programme by programme in precedence order; places outside the listed pools form the pool ``general``.

    Programme ``p`` has the pools ``start[p]`` to ``start[p + 1]``; the groups of pool ``q`` are
    ``group[group_start[q]:group_start[q + 1]]``, none for everybody.
    """

    start: Array  # int32[programmes + 1]
    programme: Array  # int32[pools]
    places: Array  # int32[pools]
    locked: Array  # bool[pools]
    group_start: Array  # int64[pools + 1]
    group: Array  # int32[...]
    names: tuple[str, ...] | None = None  # None: every pool is general
    listed: tuple[Pool, ...] = ()

    @property
    def count(self) -> int:
        """Number of pools."""
        return len(self.places)

    @property
    def plain(self) -> bool:
        """True if every programme has one pool, open to everybody."""
        return self.names is None

    def name(self, pool: int) -> str:
        """The pool's name; ``general`` for the places outside the listed pools."""
        return GENERAL if self.names is None else self.names[pool]


def one_pool_each(places: Array) -> PoolTable:
    """The table of a market without reserved places: pool ``p`` is programme ``p``."""
    count = len(places)
    return PoolTable(
        start=readonly(np.arange(count + 1), np.int32),
        programme=readonly(np.arange(count), np.int32),
        places=readonly(places, np.int32),
        locked=readonly(np.zeros(count), bool),
        group_start=readonly(np.zeros(count + 1), np.int64),
        group=readonly([], np.int32),
    )


def pool_table(listed: list[Pool], places: Array) -> PoolTable:
    """The table of the listed pools and of the places that they leave. Call :func:`pool_faults` first."""
    if not listed:
        return one_pool_each(places)
    by_programme: dict[int, list[Pool]] = {}
    for pool in listed:
        by_programme.setdefault(pool.programme, []).append(pool)
    rows: list[Pool] = []
    start = np.zeros(len(places) + 1, dtype=np.int32)
    for programme, total in enumerate(places.tolist()):
        rows += _in_order(programme, total, by_programme.get(programme, []))
        start[programme + 1] = len(rows)
    group_start = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row.groups) for row in rows], out=group_start[1:])
    return PoolTable(
        start=readonly(start, np.int32),
        programme=readonly([row.programme for row in rows], np.int32),
        places=readonly([row.places or 0 for row in rows], np.int32),
        locked=readonly([row.unclaimed == "locked" for row in rows], bool),
        group_start=readonly(group_start, np.int64),
        group=readonly([g for row in rows for g in row.groups], np.int32),
        names=tuple(row.name for row in rows),
        listed=tuple(listed),
    )


def _in_order(programme: int, total: int, listed: list[Pool]) -> list[Pool]:
    """The pools of one programme in precedence order, with the general one filled in."""
    rest = total - sum(pool.places or 0 for pool in listed)
    rows = [pool._replace(places=rest) if pool.places is None else pool for pool in listed]
    rows.sort(key=lambda pool: pool.precedence)
    if all(pool.name != GENERAL for pool in rows) and (rest > 0 or not rows):
        rows.append(Pool(programme, GENERAL, 0, rest))
    return rows


def pool_faults(listed: list[Pool], places: Array, groups: int | None) -> list[Fault]:
    """Everything wrong with the listed pools, row by row. ``groups`` is the number of known groups, if known."""
    faults: list[Fault] = []
    seen: dict[int, list[Pool]] = {}
    last_row: dict[int, int] = {}
    for row, pool in enumerate(listed):
        fractions = [
            Fault("pools", row, column, f"{value} is not a whole number")
            for column, value in _numbers_of(pool)
            if not isinstance(value, int | np.integer)
        ]
        if fractions:
            faults += fractions
            continue
        if not 0 <= pool.programme < len(places):
            faults.append(Fault("pools", row, "programme", f"programme {pool.programme} does not exist"))
            continue
        earlier = seen.setdefault(pool.programme, [])
        faults += [Fault("pools", row, column, message) for column, message in _faults_of_one(pool, earlier, groups)]
        earlier.append(pool)
        last_row[pool.programme] = row
    for programme, rows in seen.items():
        found = _faults_of_sum(int(places[programme]), rows)
        faults += [Fault("pools", last_row[programme], column, message) for column, message in found]
    return faults


def _numbers_of(pool: Pool) -> Iterator[tuple[str, object]]:
    yield "programme", pool.programme
    yield "precedence", pool.precedence
    if pool.places is not None:
        yield "places", pool.places
    yield from (("groups", group) for group in pool.groups)


def _faults_of_one(pool: Pool, earlier: list[Pool], groups: int | None) -> Iterator[tuple[str, str]]:
    if any(pool.name == other.name for other in earlier):
        yield "pool", f"pool {pool.name} stands twice in one programme"
    if any(pool.precedence == other.precedence for other in earlier):
        yield "precedence", f"precedence {pool.precedence} stands twice in one programme"
    if pool.unclaimed not in ("open", "locked"):
        yield "unclaimed", f"{pool.unclaimed} is neither open nor locked"
    if pool.name == GENERAL and (pool.groups or pool.unclaimed == "locked"):
        yield "groups", "the general pool is open to everybody"
    if pool.places is None and pool.name != GENERAL:
        yield "places", "only the general pool may leave its places empty"
    if pool.places is not None and pool.places < 0:
        yield "places", f"{pool.places} places"
    if abs(pool.precedence) > LARGEST_PRECEDENCE:
        yield "precedence", f"{pool.precedence} is more than {LARGEST_PRECEDENCE}"
    if any(group >= MOST_LABELS for group in pool.groups):
        yield "groups", f"a group number is below {MOST_LABELS}"
    if any(group < 0 or (groups is not None and group >= groups) for group in pool.groups):
        yield "groups", "a group that does not exist"


def _faults_of_sum(total: int, rows: list[Pool]) -> Iterator[tuple[str, str]]:
    held = sum(pool.places or 0 for pool in rows)
    general = [pool for pool in rows if pool.name == GENERAL]
    if held > total or (general and general[0].places is not None and held != total):
        yield "places", f"the pools hold {held} places, the programme has {total}"
    if len(rows) + (0 if general or held >= total else 1) > MOST_POOLS:
        yield "pool", f"more than {MOST_POOLS} pools in one programme"
