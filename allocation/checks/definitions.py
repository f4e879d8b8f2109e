"""Is this outcome what the rule says? Written from the definitions; it shares no code with the solver."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocation.arrays import Array
from allocation.checks.optimality import best_ranks
from allocation.checks.proposals import FAR, Tries
from allocation.checks.row_order import changed_by_shuffling

CHECKS = (
    "one_placement",
    "units_together",
    "tiers",
    "eligibility",
    "capacities",
    "no_justified_envy",
    "no_empty_place_wanted",
    "best_for_each_family",
    "cutoffs",
    "cutoffs_reproduce",
    "same_when_shuffled",
)
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


def check(market: Any, outcome: Any, solve: Callable[[Any], Any] | None = None) -> Report:
    """Check ``outcome`` against ``market``. With ``solve`` the market is also solved again with its rows shuffled."""
    findings: dict[str, tuple[str, ...]] = {}
    findings["one_placement"] = _listed("child", _placement_wrong(market, outcome))
    if findings["one_placement"]:
        return Report(findings)
    tries = Tries(market, outcome)
    findings["units_together"] = _listed("child", _apart(tries))
    findings["tiers"] = _listed("wish", outcome.unit_tier != tries.tier[tries.of_wish])
    findings["eligibility"] = _listed("child", _misplaced(tries))
    if any(findings.values()):
        return Report(findings)
    findings["capacities"] = _listed("pool", _over_capacity(tries)) + _listed("programme", _wrong_overhang(tries))
    findings["no_justified_envy"] = _listed("pool", _envied(tries))
    findings["no_empty_place_wanted"] = _listed("pool", _wasted(tries))
    findings["best_for_each_family"] = _listed("child", (best_ranks(tries) != tries.rank)[tries.unit])
    findings["cutoffs"] = _listed("pool", _wrong_cutoffs(tries))
    findings["cutoffs_reproduce"] = _listed("child", _not_reproduced(tries))
    if solve is not None:
        findings["same_when_shuffled"] = _listed("child", changed_by_shuffling(market, outcome, solve))
    return Report(findings)


def _listed(what: str, wrong: Array) -> tuple[str, ...]:
    return tuple(f"{what} {row}" for row in np.flatnonzero(wrong)[:_MOST_LISTED].tolist())


def _placement_wrong(market: Any, outcome: Any) -> Array:
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
    return np.asarray(wrong)


def _apart(tries: Tries) -> Array:
    """Children placed otherwise than another member of their unit."""
    one = tries.member[tries.unit]
    return np.asarray((tries.outcome.rank != tries.outcome.rank[one]) | (tries.outcome.pool != tries.outcome.pool[one]))


def _misplaced(tries: Tries) -> Array:
    """Children in a pool that their unit could not ask and that is not their guaranteed place."""
    sits = np.zeros(len(tries.member), dtype=bool)
    sits[tries.try_unit[tries.seat | (tries.refused & (tries.try_pool == tries.pool[tries.try_unit]))]] = True
    where = tries.outcome.programme[tries.member]
    return np.asarray(((where >= 0) & ~sits & (tries.guaranteed != where))[tries.unit])


def _over_capacity(tries: Tries) -> Array:
    """Pools that hold more than the pair rule allows."""
    places = tries.market.pools.places
    if tries.market.pair_rule == "close":
        return np.asarray(tries.held > places)
    return np.asarray((tries.held > 0) & (tries.held - tries.worst_size >= places))


def _wrong_overhang(tries: Tries) -> Array:
    """Programmes whose listed overhang is not what stands over."""
    taken = np.bincount(tries.outcome.programme[tries.outcome.programme >= 0], minlength=tries.market.programmes)
    return np.asarray(tries.outcome.overhang != np.maximum(taken - tries.market.places, 0))


def _envied(tries: Tries) -> Array:
    """Pools that seat somebody who stands after somebody they refused."""
    return np.asarray(tries.worst_seated >= tries.best_refused)


def _wasted(tries: Tries) -> Array:
    """Pools that refused somebody although the better ones leave a place (close: although it fits)."""
    asked = tries.best_refused < FAR
    if tries.market.pair_rule == "close":
        return np.asarray(asked & (tries.held + tries.refused_size <= tries.market.pools.places))
    return np.asarray(asked & (tries.held < tries.market.pools.places))


def _wrong_cutoffs(tries: Tries) -> Array:
    """Pools whose published line is not the last admitted without a guaranteed place."""
    cutoffs, places = tries.outcome.cutoffs, tries.market.pools.places
    ordinary = tries.worst_seated >= 1 << 37
    line = (places > 0) & (tries.best_refused < FAR) & ordinary
    everybody = (places > 0) & (tries.best_refused == FAR)
    state = np.where(everybody, 0, np.where(line, 2, 1))
    worst = np.where(line, tries.worst_seated, 0)
    eligible = line & ((worst >> 36) & 1 == 0)
    at = tries.outcome.pool[tries.outcome.pool >= 0]
    wrong = (cutoffs.state != state) | (cutoffs.filled != np.bincount(at, minlength=len(places)))
    wrong |= (cutoffs.eligible != eligible) | (cutoffs.tier != (worst >> 32) & 15)
    return np.asarray(wrong | (cutoffs.ticket != worst & 0xFFFF_FFFF))


def _not_reproduced(tries: Tries) -> Array:
    """Children whose place is not the first wish whose published line they meet."""
    cutoffs = tries.outcome.cutoffs
    pool = tries.try_pool
    line = ((1 - cutoffs.eligible[pool].astype(np.int64)) << 36) + (cutoffs.tier[pool].astype(np.int64) << 32)
    line += cutoffs.ticket[pool]
    plain = tries.standing & ((1 << 37) - 1)
    meets = (cutoffs.state[pool] == 0) | ((cutoffs.state[pool] == 2) & (plain <= line)) | tries.try_own
    first = np.full(len(tries.member), FAR)
    np.minimum.at(first, tries.try_unit[meets], tries.step[tries.try_wish[meets]] + 1)
    keeps = tries.guaranteed[tries.wish_unit] == tries.wish_programme
    np.minimum.at(first, tries.wish_unit[keeps], tries.step[keeps] + 1)
    return np.asarray((np.where(first == FAR, 0, first) != tries.rank)[tries.unit])
