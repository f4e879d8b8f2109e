"""Whether an outcome satisfies the definitions of the rule. Shares no code with the solver."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocation.arrays import Array
from allocation.checks.optimality import best_ranks
from allocation.checks.proposals import FAR, Proposals
from allocation.checks.row_order import changed_by_shuffling
from allocation.compilation import jit

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
    """For each check the rows that violate it (numbers of children, wishes, programmes or pools)."""

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


def check(
    market: Any,
    outcome: Any,
    solve: Callable[[Any], Any] | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Report:
    """Check ``outcome`` against ``market``. With ``solve`` the market is also solved again with its rows shuffled.

    ``progress`` is called with a line of text before each of the parts that take long.
    """
    findings: dict[str, tuple[str, ...]] = {}
    findings["one_placement"] = _listed("child", _placement_wrong(market, outcome))
    if findings["one_placement"]:
        return Report(findings)
    progress("check: every possible proposal again")
    proposals = Proposals(market, outcome)
    progress(f"check: {len(proposals.proposal_wish)} proposals against the definitions")
    findings["units_together"] = _listed("child", _apart(proposals))
    findings["tiers"] = _listed("wish", outcome.unit_tier != proposals.tier[proposals.of_wish])
    findings["eligibility"] = _listed("child", _misplaced(proposals))
    if any(findings.values()):
        return Report(findings)
    findings["capacities"] = _listed("pool", _over_capacity(proposals)) + _listed(
        "programme", _wrong_overhang(proposals)
    )
    findings["no_justified_envy"] = _listed("pool", _envied(proposals))
    findings["no_empty_place_wanted"] = _listed("pool", _wasted(proposals))
    best = best_ranks(proposals)
    progress(f"check: the best outcome of each family found in {best.steps} steps")
    findings["best_for_each_family"] = _listed("child", (best.rank != proposals.rank)[proposals.unit])
    findings["cutoffs"] = _listed("pool", _wrong_cutoffs(proposals))
    findings["cutoffs_reproduce"] = _listed("child", _not_reproduced(proposals))
    if solve is not None:
        progress("check: the rows in another order")
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


def _apart(proposals: Proposals) -> Array:
    """Children who are not placed with the other members of their unit."""
    one = proposals.member[proposals.unit]
    return np.asarray(
        (proposals.outcome.rank != proposals.outcome.rank[one])
        | (proposals.outcome.pool != proposals.outcome.pool[one])
    )


def _misplaced(proposals: Proposals) -> Array:
    """Children in a pool to which their unit may not propose and that is not their guaranteed place."""
    sits = np.zeros(len(proposals.member), dtype=bool)
    sits[proposals.proposal_unit[proposals.seat]] = True
    refused = np.flatnonzero(proposals.refused)
    unit = proposals.proposal_unit[refused]
    sits[unit[proposals.proposal_pool[refused] == proposals.pool[unit]]] = True
    where = proposals.outcome.programme[proposals.member]
    return np.asarray(((where >= 0) & ~sits & (proposals.guaranteed != where))[proposals.unit])


def _over_capacity(proposals: Proposals) -> Array:
    """Pools that hold more than the pair rule allows."""
    places = proposals.market.pools.places
    if proposals.market.pair_rule == "close":
        return np.asarray(proposals.held > places)
    return np.asarray((proposals.held > 0) & (proposals.held - proposals.worst_size >= places))


def _wrong_overhang(proposals: Proposals) -> Array:
    """Programmes whose listed overhang is not the number of children above their places."""
    taken = np.bincount(
        proposals.outcome.programme[proposals.outcome.programme >= 0], minlength=proposals.market.programmes
    )
    return np.asarray(proposals.outcome.overhang != np.maximum(taken - proposals.market.places, 0))


def _envied(proposals: Proposals) -> Array:
    """Pools that hold a unit with a worse key than a unit they refused (justified envy)."""
    return np.asarray(proposals.worst_seated >= proposals.best_refused)


def _wasted(proposals: Proposals) -> Array:
    """Pools that refused a unit although the better units leave a place (close: although the unit fits)."""
    asked = proposals.best_refused < FAR
    if proposals.market.pair_rule == "close":
        return np.asarray(asked & (proposals.held + proposals.refused_size <= proposals.market.pools.places))
    return np.asarray(asked & (proposals.held < proposals.market.pools.places))


def _wrong_cutoffs(proposals: Proposals) -> Array:
    """Pools whose published cut-off is not the last admitted unit without a guaranteed place."""
    cutoffs, places = proposals.outcome.cutoffs, proposals.market.pools.places
    ordinary = proposals.worst_seated >= 1 << 37
    line = (places > 0) & (proposals.best_refused < FAR) & ordinary
    everybody = (places > 0) & (proposals.best_refused == FAR)
    state = np.where(everybody, 0, np.where(line, 2, 1))
    worst = np.where(line, proposals.worst_seated, 0)
    eligible = line & ((worst >> 36) & 1 == 0)
    at = proposals.outcome.pool[proposals.outcome.pool >= 0]
    wrong = (cutoffs.state != state) | (cutoffs.filled != np.bincount(at, minlength=len(places)))
    wrong |= (cutoffs.eligible != eligible) | (cutoffs.tier != (worst >> 32) & 15)
    return np.asarray(wrong | (cutoffs.ticket != worst & 0xFFFF_FFFF))


def _not_reproduced(proposals: Proposals) -> Array:
    """Children whose place is not the first wish whose published cut-off they meet."""
    cutoffs = proposals.outcome.cutoffs
    line = ((1 - cutoffs.eligible.astype(np.int64)) << 36) + (cutoffs.tier.astype(np.int64) << 32) + cutoffs.ticket
    line = np.where(cutoffs.state == 2, line, np.where(cutoffs.state == 0, FAR, -1))
    first = np.full(len(proposals.member), FAR)
    keeps = proposals.wish_own
    np.minimum.at(first, proposals.wish_unit[keeps], proposals.step[keeps] + 1)
    _lower_to_met(
        proposals.proposal_unit, proposals.proposal_wish, proposals.proposal_pool, proposals.standing,
        proposals.proposal_own, proposals.step, line, first,
    )  # fmt: skip
    return np.asarray((np.where(first == FAR, 0, first) != proposals.rank)[proposals.unit])


@jit
def _lower_to_met(unit: Array, wish: Array, pool: Array, standing: Array, own: Array, step: Array, line: Array, first: Array) -> None:  # fmt: skip
    """Lower ``first`` (from 1) of each unit to the first wish whose line it meets; a guaranteed place meets every line."""
    for proposal in range(len(unit)):
        plain = standing[proposal] & ((1 << 37) - 1)
        if own[proposal] or plain <= line[pool[proposal]]:
            first[unit[proposal]] = min(first[unit[proposal]], step[wish[proposal]] + 1)
