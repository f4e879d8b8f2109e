"""Is this outcome what the rule says? Written from the definitions; it shares no code with the solver.

Words: a *try* is a unit asking a pool, wish after wish and inside a programme pool after pool, as far as its
placement. A try is *refused* if the unit went on, or if it keeps a guaranteed place for which the pool has no room (it
*stands over*). A pool's *seated* units are those placed in it, without those that stand over.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from allocation.columns import frozen

CHECKS = (
    "one_placement",
    "units_together",
    "tiers",
    "eligibility",
    "capacities",
    "no_justified_envy",
    "no_empty_place_wanted",
    "cutoffs",
    "cutoffs_reproduce",
    "same_when_shuffled",
)
_FAR = np.int64(2**63 - 1)
_MOST_LISTED = 20


@dataclass(frozen=True)
class Report:
    """What was checked, and for each check what was found wrong (indices of children, programmes or pools)."""

    findings: dict[str, tuple[str, ...]]

    @property
    def ok(self) -> bool:
        """True if nothing was found."""
        return not any(self.findings.values())

    @property
    def failures(self) -> list[str]:
        """One line for each finding."""
        return [f"{name}: {line}" for name, lines in self.findings.items() for line in lines]

    def as_dict(self) -> dict[str, str]:
        """For ``summary.json``: each check with ``passed`` or the number of findings."""
        return {name: f"{len(lines)} found" if lines else "passed" for name, lines in self.findings.items()}


def check(market, outcome, solve: Callable | None = None) -> Report:
    """Check ``outcome`` against ``market``. With ``solve`` the market is also solved again with its rows shuffled."""
    findings: dict[str, tuple[str, ...]] = {}
    findings["one_placement"] = _listed("child", _placement_wrong(market, outcome))
    if findings["one_placement"]:
        return Report(findings)
    view = _View(market, outcome)
    findings["units_together"] = _listed("child", view.apart())
    findings["tiers"] = _listed("wish", outcome.unit_tier != view.tier[view.of_wish])
    findings["eligibility"] = _listed("child", view.misplaced())
    if any(findings.values()):
        return Report(findings)
    findings["capacities"] = _listed("pool", view.over_capacity()) + _listed("programme", view.wrong_overhang())
    findings["no_justified_envy"] = _listed("pool", view.envied())
    findings["no_empty_place_wanted"] = _listed("pool", view.wasted())
    findings["cutoffs"] = _listed("pool", view.wrong_cutoffs())
    findings["cutoffs_reproduce"] = _listed("child", view.not_reproduced())
    if solve is not None:
        findings["same_when_shuffled"] = _listed("child", _changed_by_shuffling(market, outcome, solve))
    return Report(findings)


def _listed(what: str, wrong: np.ndarray) -> tuple[str, ...]:
    return tuple(f"{what} {row}" for row in np.flatnonzero(wrong)[:_MOST_LISTED].tolist())


def _placement_wrong(market, outcome) -> np.ndarray:
    """bool[n]: the placement is not one of the child's wishes at its rank, in a pool of that programme."""
    lengths = np.diff(market.offsets)
    placed = outcome.programme >= 0
    wrong = (
        (outcome.rank < 0) | (outcome.rank > lengths) | (placed != (outcome.rank > 0)) | (placed != (outcome.pool >= 0))
    )
    wrong |= outcome.pool >= len(market.pools.places)
    sound = np.flatnonzero(placed & ~wrong)
    wish = market.offsets[:-1][sound] + outcome.rank[sound] - 1
    wrong[sound] = market.programme[wish] != outcome.programme[sound]
    wrong[sound] |= market.pools.programme[outcome.pool[sound]] != outcome.programme[sound]
    return wrong


class _View:
    """The market as units with tries, derived anew: rows for units, unit-wishes and tries."""

    def __init__(self, market, outcome):
        self.market, self.outcome = market, outcome
        self._units()
        self._wishes()
        self._tries()
        self._seats()

    def _units(self):
        """Units: who belongs to them, how many, best ticket, placement, guaranteed programme, common elder."""
        market, outcome, n = self.market, self.outcome, self.market.children
        alone = np.arange(n, dtype=np.int64)
        label = (
            alone if market.unit is None else np.where(market.unit >= 0, market.unit.astype(np.int64) - 2**31, alone)
        )
        _, self.member, self.unit = np.unique(label, return_index=True, return_inverse=True)
        self.size = np.bincount(self.unit, minlength=len(self.member))
        self.ticket = np.full(len(self.member), _FAR)
        np.minimum.at(self.ticket, self.unit, market.ticket.astype(np.int64))
        self.rank, self.pool = outcome.rank[self.member], outcome.pool[self.member]
        none = np.full(n, -1)
        self.guaranteed = (none if market.current is None else market.current)[self.member]
        elder = none if market.elder is None else market.elder.astype(np.int64)
        lowest, highest = np.full(len(self.member), _FAR), np.full(len(self.member), -1)
        np.minimum.at(lowest, self.unit, elder)
        np.maximum.at(highest, self.unit, elder)
        self.elder = np.where(lowest == highest, lowest, -1)

    def _wishes(self):
        """Unit-wishes: unit, place in the list, programme, and the tier that counts."""
        market = self.market
        lengths = np.diff(market.offsets)
        begins = np.concatenate(([0], np.cumsum(lengths[self.member])))
        child = np.repeat(np.arange(market.children), lengths)
        step = np.arange(len(child)) - market.offsets[child]
        self.of_wish = begins[self.unit[child]] + step
        self.wish_unit = np.repeat(np.arange(len(self.member)), lengths[self.member])
        self.step = np.arange(len(self.wish_unit)) - begins[self.wish_unit]
        self.wish_programme = market.programme[market.offsets[self.member[self.wish_unit]] + self.step]
        self.tier = np.zeros(len(self.wish_unit), dtype=np.int64)
        np.maximum.at(self.tier, self.of_wish, market.tier.astype(np.int64))
        if market.sibling_tier is not None:
            home = self._homes_of_elders()[self.wish_unit]
            offered = market.sibling_tier[self.wish_programme]
            here = (home >= 0) & (offered >= 0)
            here[here] = market.kindergarten[self.wish_programme[here]] == home[here]
            self.tier[here] = np.minimum(self.tier[here], offered[here])

    def _homes_of_elders(self) -> np.ndarray:
        """For each unit the kindergarten where its elder is placed, or -1."""
        home = np.full(len(self.elder), -1)
        named = np.flatnonzero(self.elder >= 0)
        where = self.outcome.programme[self.elder[named]]
        home[named[where >= 0]] = self.market.kindergarten[where[where >= 0]]
        return home

    def _tries(self):
        """Tries: every pool that a unit-wish may ask, with the standing there; and whether it was refused."""
        pools = self.market.pools
        width = (pools.start[1:] - pools.start[:-1])[self.wish_programme]
        wish = np.repeat(np.arange(len(self.wish_unit)), width)
        within = np.arange(len(wish)) - np.repeat(np.cumsum(width) - width, width)
        pool = pools.start[self.wish_programme[wish]] + within
        belongs = self._belongs(wish, pool)
        may = (pools.places[pool] > 0) & (belongs | ~pools.locked[pool])
        self.try_wish, self.try_pool, belongs = wish[may], pool[may], belongs[may]
        self.try_unit = self.wish_unit[self.try_wish]
        own = self.guaranteed[self.try_unit] == self.wish_programme[self.try_wish]
        self.try_own = own
        self.belongs = belongs
        self.standing = (
            ((~own).astype(np.int64) << 37)
            + ((~belongs).astype(np.int64) << 36)
            + (self.tier[self.try_wish] << 32)
            + self.ticket[self.try_unit]
        )
        rank = np.where(self.rank > 0, self.rank, _FAR)[self.try_unit]
        before = self.step[self.try_wish] + 1 < rank
        at_rank = self.step[self.try_wish] + 1 == rank
        self.refused = before | (at_rank & (self.try_pool < self.pool[self.try_unit]))
        self.seat = at_rank & (self.try_pool == self.pool[self.try_unit])

    def _belongs(self, wish, pool) -> np.ndarray:
        """For each pair of a unit-wish and a pool: every member of the unit is of one of the pool's groups."""
        market, pools = self.market, self.market.pools
        needs = np.diff(pools.group_start)[pool] > 0
        belongs = np.ones(len(wish), dtype=bool)
        if not needs.any():
            return belongs
        if market.group_start is None:
            return ~needs
        spread = np.int64(1 + max(market.group.max(initial=0), pools.group.max(initial=0)))
        offered = np.repeat(np.arange(pools.count), np.diff(pools.group_start)) * spread + pools.group
        held = np.diff(market.group_start)
        unit = self.wish_unit[wish]
        turn = np.argsort(self.unit, kind="stable")
        begins = np.cumsum(self.size) - self.size
        for member in range(int(self.size.max(initial=0))):
            rows = np.flatnonzero(needs & (self.size[unit] > member))
            child = turn[begins[unit[rows]] + member]
            pair = np.repeat(np.arange(len(rows)), held[child])
            within = np.arange(len(pair)) - np.repeat(np.cumsum(held[child]) - held[child], held[child])
            group = market.group[market.group_start[child[pair]] + within]
            hit = np.isin(pool[rows[pair]].astype(np.int64) * spread + group, offered)
            found = np.zeros(len(rows), dtype=bool)
            found[pair[hit]] = True
            belongs[rows] &= found
        return belongs

    def _seats(self):
        """For each pool what its seated units hold, who stands over, and the best refused standing."""
        pools, close = self.market.pools.count, self.market.pair_rule == "close"
        places = self.market.pools.places
        order = np.lexsort((self.standing, self.try_pool))
        seated = order[self.seat[order]]
        size, pool = self.size[self.try_unit[seated]], self.try_pool[seated]
        through = np.cumsum(size)
        starts = np.searchsorted(pool, np.arange(pools))
        through = through - np.concatenate(([0], through))[starts][pool]
        no_room = (through > places[pool]) if close else (through - size >= places[pool])
        last = self._last_try()
        may_stand_over = self.try_own[seated] & last[seated]
        self.best_refused = self._lowest(self.refused)
        closed = self.standing[seated] >= self.best_refused[pool]
        over = seated[may_stand_over & (no_room | (closed & close))]
        self.refused[over] = True
        self.best_refused = self._lowest(self.refused)
        self.seat[over] = False
        at = self.seat
        self.held = np.bincount(self.try_pool[at], weights=self.size[self.try_unit[at]], minlength=pools).astype(
            np.int64
        )
        self.worst_seated = np.full(pools, -1)
        np.maximum.at(self.worst_seated, self.try_pool[at], self.standing[at])
        self.worst_size = self._size_of(at, self.worst_seated)
        self.refused_size = self._size_of(self.refused, self.best_refused)

    def _last_try(self) -> np.ndarray:
        """bool[tries]: no later pool of the same wish may be asked."""
        last = np.ones(len(self.try_wish), dtype=bool)
        last[:-1] = self.try_wish[1:] != self.try_wish[:-1]
        return last

    def _lowest(self, rows) -> np.ndarray:
        lowest = np.full(self.market.pools.count, _FAR)
        np.minimum.at(lowest, self.try_pool[rows], self.standing[rows])
        return lowest

    def _size_of(self, rows, standing) -> np.ndarray:
        """For each pool the size of the unit with this standing (0 if there is none)."""
        found = np.flatnonzero(rows & (self.standing == standing[self.try_pool]))
        size = np.zeros(self.market.pools.count, dtype=np.int64)
        size[self.try_pool[found]] = self.size[self.try_unit[found]]
        return size

    def apart(self) -> np.ndarray:
        """Children placed otherwise than another member of their unit."""
        one = self.member[self.unit]
        return (self.outcome.rank != self.outcome.rank[one]) | (self.outcome.pool != self.outcome.pool[one])

    def misplaced(self) -> np.ndarray:
        """Children in a pool that their unit could not ask and that is not their guaranteed place."""
        sits = np.zeros(len(self.member), dtype=bool)
        sits[self.try_unit[self.seat | (self.refused & (self.try_pool == self.pool[self.try_unit]))]] = True
        where = self.outcome.programme[self.member]
        return ((where >= 0) & ~sits & (self.guaranteed != where))[self.unit]

    def over_capacity(self) -> np.ndarray:
        """Pools that hold more than the pair rule allows."""
        places = self.market.pools.places
        if self.market.pair_rule == "close":
            return self.held > places
        return (self.held > 0) & (self.held - self.worst_size >= places)

    def wrong_overhang(self) -> np.ndarray:
        """Programmes whose listed overhang is not what stands over."""
        taken = np.bincount(self.outcome.programme[self.outcome.programme >= 0], minlength=self.market.programmes)
        return self.outcome.overhang != np.maximum(taken - self.market.places, 0)

    def envied(self) -> np.ndarray:
        """Pools that seat somebody who stands after somebody they refused."""
        return self.worst_seated >= self.best_refused

    def wasted(self) -> np.ndarray:
        """Pools that refused somebody although the better ones leave a place (close: although it fits)."""
        asked = self.best_refused < _FAR
        if self.market.pair_rule == "close":
            return asked & (self.held + self.refused_size <= self.market.pools.places)
        return asked & (self.held < self.market.pools.places)

    def wrong_cutoffs(self) -> np.ndarray:
        """Pools whose published line is not the last admitted without a guaranteed place."""
        cutoffs, places = self.outcome.cutoffs, self.market.pools.places
        ordinary = self.worst_seated >= 1 << 37
        line = (places > 0) & (self.best_refused < _FAR) & ordinary
        everybody = (places > 0) & (self.best_refused == _FAR)
        state = np.where(everybody, 0, np.where(line, 2, 1))
        worst = np.where(line, self.worst_seated, 0)
        eligible = line & ((worst >> 36) & 1 == 0)
        at = self.outcome.pool[self.outcome.pool >= 0]
        wrong = (cutoffs.state != state) | (cutoffs.filled != np.bincount(at, minlength=len(places)))
        wrong |= (cutoffs.eligible != eligible) | (cutoffs.tier != (worst >> 32) & 15)
        return wrong | (cutoffs.ticket != worst & 0xFFFF_FFFF)

    def not_reproduced(self) -> np.ndarray:
        """Children whose place is not the first wish whose published line they meet."""
        cutoffs = self.outcome.cutoffs
        pool = self.try_pool
        line = ((1 - cutoffs.eligible[pool].astype(np.int64)) << 36) + (cutoffs.tier[pool].astype(np.int64) << 32)
        line += cutoffs.ticket[pool]
        plain = self.standing & ((1 << 37) - 1)
        meets = (cutoffs.state[pool] == 0) | ((cutoffs.state[pool] == 2) & (plain <= line)) | self.try_own
        first = np.full(len(self.member), _FAR)
        np.minimum.at(first, self.try_unit[meets], self.step[self.try_wish[meets]] + 1)
        keeps = self.guaranteed[self.wish_unit] == self.wish_programme
        np.minimum.at(first, self.wish_unit[keeps], self.step[keeps] + 1)
        return (np.where(first == _FAR, 0, first) != self.rank)[self.unit]


def _changed_by_shuffling(market, outcome, solve) -> np.ndarray:
    """bool[n]: the child's placement changed when the rows of children and programmes were shuffled."""
    children, programmes = _shuffle(market.children), _shuffle(market.programmes)
    again = solve(_permuted(market, children, programmes))
    back = np.empty(market.children, dtype=np.int64)
    back[children] = np.arange(market.children)
    where = again.programme[back]
    name = np.where(where >= 0, programmes[where] if market.programmes else where, -1)
    first = again.market.pools.start[where]
    place = np.where(where >= 0, again.pool[back] - first, -1)
    was = np.where(outcome.programme >= 0, outcome.pool - market.pools.start[outcome.programme], -1)
    return (name != outcome.programme) | (again.rank[back] != outcome.rank) | (place != was)


def _shuffle(count: int) -> np.ndarray:
    """A fixed mixture of 0 … count - 1 (int64)."""
    mixed = (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E37_79B9_7F4A_7C15)
    return np.argsort(mixed ^ (mixed >> np.uint64(29)), kind="stable")


def _permuted(market, children: np.ndarray, programmes: np.ndarray):
    """The market with row ``i`` of its children and programmes now what was row ``children[i]``, ``programmes[i]``."""
    to_child, to_programme = np.empty_like(children), np.empty_like(programmes)
    to_child[children] = np.arange(len(children))
    to_programme[programmes] = np.arange(len(programmes))
    offsets, wish = _gather(market.offsets, children)
    change = {"offsets": offsets, "programme": to_programme[market.programme[wish]]}
    change["tier"] = market.tier[wish]
    change["places"] = market.places[programmes]
    for name in ("ticket", "unit", "family"):
        column = getattr(market, name)
        change[name] = None if column is None else column[children]
    for name, to in (("elder", to_child), ("current", to_programme)):
        column = getattr(market, name)
        if column is not None:
            column = column[children]
            change[name] = np.where(column >= 0, to[column], -1)
    for name in ("level", "nature", "area", "kindergarten", "sibling_tier"):
        column = getattr(market, name)
        change[name] = None if column is None else column[programmes]
    if market.group_start is not None:
        change["group_start"], member = _gather(market.group_start, children)
        change["group"] = market.group[member]
    return market.with_columns(pools=_permuted_pools(market.pools, programmes), **change)


def _permuted_pools(pools, programmes: np.ndarray):
    start, pool = _gather(pools.start.astype(np.int64), programmes)
    group_start, group = _gather(pools.group_start, pool)
    return replace(
        pools,
        start=frozen(start, np.int32),
        programme=frozen(np.repeat(np.arange(len(programmes)), np.diff(start)), np.int32),
        places=frozen(pools.places[pool], np.int32),
        locked=frozen(pools.locked[pool], bool),
        group_start=frozen(group_start, np.int64),
        group=frozen(pools.group[group], np.int32),
        names=None if pools.names is None else tuple(pools.names[q] for q in pool.tolist()),
    )


def _gather(start: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """CSR rows in a new order: the new starts, and for each new entry the old one."""
    lengths = np.diff(start)[rows]
    begins = np.concatenate(([0], np.cumsum(lengths)))
    entry = np.arange(begins[-1]) - np.repeat(begins[:-1], lengths) + np.repeat(start[rows], lengths)
    return begins, entry
