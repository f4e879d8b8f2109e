"""The market of a later year: the families of a round, more or fewer of them, and kindergartens as measures leave them.

Families name kindergartens that are there.  Two rules say how they would name what is not:

1. more places where they are named already change no list;
2. a new kindergarten, and one that turns, stands right after the last wish of the same area, class level and new nature,
   at the tier of that wish; who names none of these does not name it.

The second rule knows no site and no way to it.  It is a generous one: a place that stays empty under it would stay empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from allocation.arrays import Array
from allocation.market import Market, Pool
from allocation.planning.problem import BY_LEVEL

COHORTS = 3
"""Children stay three years, so a third of the places of a measure at most is free in a September."""


class Change(StrEnum):
    """What a measure does to a kindergarten."""

    ADD = "add"
    TURN = "turn"
    END = "end"


@dataclass(frozen=True)
class Project:
    """A measure of a plan.  `kindergarten` is its number in the market, -1 where it is new or takes no part; `was` and `kind`
    are kinds of kindergarten (public, inclusive, other) before and after it, and `since` is the first year in force.  `ramp` is
    that of the measure: per cent of its new places that are open in each year in force."""

    code: str
    change: Change
    area: int
    kindergarten: int
    was: int
    kind: int
    places: int
    since: int
    ramp: tuple[int, ...] = BY_LEVEL

    @property
    def entering(self) -> int:
        """Places for the children of one September once all are open."""
        return max(round(self.places / COHORTS), 1)

    def entering_in(self, year: int) -> int:
        """New places for the children of the September of a year in force."""
        return min(self.entering, round(self.places * entering_parts(self.ramp, year - self.since + 1)[-1] / 100))

    def older_in(self, year: int) -> int:
        """New places of a year in force for older children: those that are open beyond one class level a year."""
        age = year - self.since
        opened = _last(self.ramp, age)
        if opened <= _last(BY_LEVEL, age):
            return 0
        entered = sum(self.entering_in(one) for one in range(max(year - COHORTS + 1, self.since), year + 1))
        return max(self.places * opened // 100 - entered, 0)


def _last(ramp: Sequence[int], age: int) -> int:
    return ramp[min(age, len(ramp) - 1)]


def entering_parts(ramp: Sequence[int], years: int) -> list[float]:
    """Per cent of the new places that are free for the children of each September: a third, unless fewer are open."""
    found: list[float] = []
    for age in range(years):
        free = _last(ramp, age) - sum(found[-(COHORTS - 1) :])
        found.append(min(max(free, 0), 100 / COHORTS))
    return found


@dataclass(frozen=True)
class Town:
    """The families of a round as a market without tickets.  Of each programme: its `area`, its `kind`, and for how many
    Septembers its children `stay` on the roll (3 in the lower class)."""

    market: Market
    area: Array
    kind: Array
    stay: Array
    areas: int

    @property
    def programmes(self) -> int:
        return self.market.programmes

    def opens(self, project: Project) -> Array:
        """The programmes (bool[p]) of the measure's kindergarten that take children of the youngest class."""
        kindergarten = np.full(self.programmes, -1) if self.market.kindergarten is None else self.market.kindergarten
        found: Array = (kindergarten == project.kindergarten) & (self.stay == COHORTS) & (project.kindergarten >= 0)
        return found

    def is_new(self, project: Project) -> bool:
        """Whether a measure needs a programme of its own: its places are of another kind than those that are there."""
        if project.change != Change.ADD:
            return False
        here = self.opens(project)
        return not here.any() or bool((self.kind[here] != project.kind).all())


@dataclass(frozen=True)
class Extended:
    """A town with a programme for each new kindergarten of the projects, empty until its year."""

    town: Town
    projects: tuple[Project, ...]
    new: dict[str, int]
    area: Array
    stay: Array
    level: Array

    @property
    def programmes(self) -> int:
        return len(self.area)

    def in_force(self, year: int) -> list[Project]:
        return [each for each in self.projects if each.since <= year]

    def own(self, project: Project) -> Array:
        """The programmes (bool[p + new]) that a project adds to, turns or ends."""
        found = np.zeros(self.programmes, dtype=bool)
        if project.code in self.new:
            found[self.new[project.code]] = True
        elif project.change == Change.ADD:
            found[: self.town.programmes] = self.town.opens(project) & (self.town.kind == project.kind)
        elif project.kindergarten >= 0 and self.town.market.kindergarten is not None:
            found[: self.town.programmes] = self.town.market.kindergarten == project.kindergarten
        return found

    def kinds(self, year: int) -> Array:
        """The kind of each programme in a year under the plan."""
        found = np.full(self.programmes, -1)
        found[: self.town.programmes] = self.town.kind
        for each in self.projects:
            if each.code in self.new:
                found[self.new[each.code]] = each.kind
        for each in self.in_force(year):
            if each.change == Change.TURN:
                found[self.own(each)] = each.kind
        return found

    def places(self, year: int) -> Array:
        """The places of each programme in a year under the plan."""
        found = np.zeros(self.programmes, dtype=np.int64)
        found[: self.town.programmes] = self.town.market.places
        for each in self.in_force(year):
            at = np.flatnonzero(self.own(each))
            if each.change == Change.ADD:
                found[at] += _split(each.entering_in(year), len(at))
            elif each.change == Change.END and len(at):
                taken = min(each.entering, int(found[at].sum()))
                for programme in at.tolist():
                    less = min(taken, int(found[programme]))
                    found[programme] -= less
                    taken -= less
        return found


def extended(town: Town, projects: Sequence[Project]) -> Extended:
    """The town with the new kindergartens of these projects."""
    new = [each for each in projects if town.is_new(each)]
    level = np.zeros(town.programmes, dtype=np.int64) if town.market.level is None else town.market.level
    youngest = level[town.stay == COHORTS]
    opened = int(youngest[0]) if len(youngest) else 0
    return Extended(
        town,
        tuple(projects),
        {each.code: town.programmes + number for number, each in enumerate(new)},
        np.concatenate((town.area, np.array([each.area for each in new], dtype=np.int64))).astype(np.int64),
        np.concatenate((town.stay, np.full(len(new), COHORTS))).astype(np.int64),
        np.concatenate((level, np.full(len(new), opened))).astype(np.int64),
    )


def _split(places: int, parts: int) -> Array:
    """Whole places in equal parts, the first ones larger."""
    share, rest = divmod(places, max(parts, 1))
    return np.array([share + (part < rest) for part in range(parts)], dtype=np.int64)


def with_families(town: Town, factor: Array, seed: int) -> Town:
    """The town with `factor[area]` times as many families, by the area of the first wish: some are left out, or come twice."""
    market = town.market
    alone = np.arange(market.children)
    _, family = np.unique(alone if market.family is None else market.family, return_inverse=True)
    of_family = np.zeros(int(family.max(initial=-1)) + 1, dtype=np.int64)
    of_family[family[::-1]] = homes(town)[::-1]
    wanted = np.append(np.asarray(factor, dtype=float), 1.0)[of_family]
    chance = np.random.default_rng(seed).random(len(of_family))
    times = np.floor(wanted) + (chance < wanted - np.floor(wanted))
    rows = [np.flatnonzero(times[family] > copy) for copy in range(int(times.max(initial=0)))]
    copies = np.concatenate([np.full(len(found), copy) for copy, found in enumerate(rows)] or [np.zeros(0, dtype=int)])
    return replace(town, market=_taken(market, np.concatenate(rows or [alone[:0]]), copies, family))


def homes(town: Town) -> Array:
    """The area of each child's first wish; `areas` for a child without a wish."""
    market = town.market
    found = np.full(market.children, town.areas)
    wishing = np.diff(market.offsets) > 0
    found[wishing] = town.area[market.programme[market.offsets[:-1][wishing]]]
    return found


def _taken(market: Market, rows: Array, copies: Array, family: Array) -> Market:
    """The market of these children, one of them perhaps several times; copies are families of their own."""
    lengths = np.diff(market.offsets)[rows]
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    wishes = _ranges(market.offsets[:-1][rows], lengths)
    columns: dict[str, Any] = {"family": family[rows] + copies * (int(family.max(initial=-1)) + 1)}
    if market.unit is not None:
        unit = market.unit[rows]
        columns["unit"] = np.where(unit >= 0, unit + copies * (int(market.unit.max(initial=-1)) + 1), -1)
    if market.elder is not None:
        at = np.full((int(copies.max(initial=0)) + 1) * market.children, -1)
        at[copies * market.children + rows] = np.arange(len(rows))
        elder = market.elder[rows]
        columns["elder"] = np.where(elder >= 0, at[copies * market.children + np.maximum(elder, 0)], -1)
    groups = None
    if market.group_start is not None and market.group is not None:
        sizes = np.diff(market.group_start)[rows]
        start = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        groups = (start, market.group[_ranges(market.group_start[:-1][rows], sizes)])
    return _market(market, offsets, market.programme[wishes], market.tier[wishes], groups=groups, **columns)


def _ranges(start: Array, length: Array) -> Array:
    """The numbers start, start + 1 … of each row, one row after the other."""
    first = np.concatenate(([0], np.cumsum(length)))[:-1]
    found: Array = np.repeat(start - first, length) + np.arange(int(length.sum()))
    return found


def market_of_year(town: Extended, families: Town, year: int) -> Market:
    """The market of `families` in which the projects of the year are in force."""
    market = families.market
    owner_lengths = np.diff(market.offsets)
    programme, tier = market.programme.astype(np.int64), market.tier.astype(np.int64)
    of_town = np.concatenate((town.town.kind, np.full(town.programmes - town.town.programmes, -1)))
    for each in town.in_force(year):
        if each.change != Change.TURN and each.code not in town.new:
            continue
        for added in np.flatnonzero(town.own(each)).tolist():
            comparable = (town.area == each.area) & (of_town == each.kind) & (town.level == town.level[added])
            programme, tier, owner_lengths = _named_too(programme, tier, owner_lengths, comparable, added)
    groups = None if market.group_start is None or market.group is None else (market.group_start, market.group)
    return _market(
        market,
        np.concatenate(([0], np.cumsum(owner_lengths))),
        programme,
        tier,
        groups=groups,
        unit=market.unit,
        family=market.family,
        elder=market.elder,
        places=town.places(year),
        level=town.level,
        more=town.programmes - town.town.programmes,
    )


def _named_too(
    programme: Array, tier: Array, lengths: Array, comparable: Array, added: int
) -> tuple[Array, Array, Array]:
    """The lists in which `added` stands right after the last wish for a comparable programme."""
    owner = np.repeat(np.arange(len(lengths)), lengths)
    last = np.full(len(lengths), -1)
    hits = np.flatnonzero(comparable[programme])
    np.maximum.at(last, owner[hits], hits)
    last[owner[programme == added]] = -1
    after = last[last >= 0]
    return (
        np.insert(programme, after + 1, added),
        np.insert(tier, after + 1, tier[after]),
        lengths + (last >= 0),
    )


def _market(
    like: Market,
    offsets: Array,
    programme: Array,
    tier: Array,
    *,
    groups: tuple[Array, Array] | None,
    places: Array | None = None,
    level: Array | None = None,
    more: int = 0,
    **of_children: Any,
) -> Market:
    """A checked market with these lists; nobody holds a place in it, and `more` programmes are new."""
    places = like.places if places is None else places
    sibling = like.sibling_tier
    return Market.from_arrays(
        offsets,
        programme,
        tier,
        None,
        places,
        groups=groups,
        known_groups=None,
        pools=list(_pools(like.pools.listed, places)),
        pair_rule=like.pair_rule,
        level=like.level if level is None else level,
        sibling_tier=None if sibling is None else np.concatenate((sibling, np.full(more, -1))),
        kindergarten=None
        if like.kindergarten is None
        else np.concatenate((like.kindergarten, like.kindergarten.max(initial=-1) + 1 + np.arange(more))),
        **of_children,
    )


def _pools(listed: Sequence[Pool], places: Array) -> list[Pool]:
    """The reserved places; where places were taken away, the last pools lose them first."""
    rest, found = places.tolist(), []
    for pool in listed:
        if pool.places is None:
            found.append(pool)
            continue
        kept = min(pool.places, rest[pool.programme])
        rest[pool.programme] -= kept
        found.append(pool._replace(places=kept))
    return found
