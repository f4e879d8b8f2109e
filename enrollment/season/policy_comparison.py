"""Comparison of two policy versions on the same applications: which wishes win and which lose.

The tier alone is not enough: if all wishes at a kindergarten move from the third tier to the second, nobody wins.  So
wishes are compared by their *standing*: twice the number of wishes of a better tier at the same kindergarten, plus the
number of other wishes of the same tier (each of them is before this wish in half of all draws).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from enrollment.season.grounds import Facts, KindergartenFacts
from enrollment.season.rules import Rules, TierResult


@dataclass(frozen=True)
class ComparedApplication:
    """Registration code and facts of an application, and each wish with whether the kindergarten serves the home."""

    code: str
    facts: Facts
    wishes: tuple[tuple[KindergartenFacts, bool], ...]


@dataclass(frozen=True)
class WishChange:
    """One wish of one application whose tier or standing changes.  `change` is `wins`, `loses` or `same`."""

    code: str
    kindergarten: str
    before: TierResult
    after: TierResult
    standing_before: int
    standing_after: int

    @property
    def change(self) -> str:
        if self.standing_after == self.standing_before:
            return "same"
        return "wins" if self.standing_after < self.standing_before else "loses"


@dataclass
class KindergartenChanges:
    """Numbers of wishes at one kindergarten that win, lose or keep their standing."""

    wins: int = 0
    loses: int = 0
    same: int = 0


@dataclass
class PolicyComparison:
    """`compared` is false without a previous version.  `moved` lists the wishes that win or lose, worst first."""

    compared: bool
    applications: int = 0
    wishes: int = 0
    by_tier: Counter[int] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[int, int]] = field(default_factory=Counter)
    kindergartens: dict[str, KindergartenChanges] = field(default_factory=dict)
    moved: list[WishChange] = field(default_factory=list)

    @property
    def winners(self) -> set[str]:
        return {row.code for row in self.moved if row.change == "wins"}

    @property
    def losers(self) -> set[str]:
        return {row.code for row in self.moved if row.change == "loses"}

    def summary(self) -> dict[str, Any]:
        return {
            "compared": self.compared,
            "applications": self.applications,
            "wishes": self.wishes,
            "winners": len(self.winners),
            "losers": len(self.losers),
        }


@dataclass(frozen=True)
class _Row:
    code: str
    kindergarten: str
    before: TierResult
    after: TierResult


def compare(before: Rules | None, after: Rules, cases: Iterable[ComparedApplication]) -> PolicyComparison:
    """Apply `after`, and `before` if given, to every wish for a kindergarten of the area."""
    trial = PolicyComparison(compared=before is not None)
    at: dict[str, list[_Row]] = defaultdict(list)
    for case in cases:
        wished = [(seen, serves) for seen, serves in case.wishes if seen.area == after.area]
        trial.applications += bool(wished)
        for seen, serves in wished:
            new = after.tier(case.facts, seen, serves)
            old = before.tier(case.facts, seen, serves) if before else new
            at[seen.code].append(_Row(case.code, seen.code, old, new))
    for code, rows in sorted(at.items()):
        _compare_kindergarten(trial, code, rows)
    trial.moved.sort(key=lambda row: (row.standing_before - row.standing_after, row.kindergarten, row.code))
    return trial


def _standings(tiers: Iterable[int]) -> dict[int, int]:
    counts = Counter(tiers)
    better, standings = 0, {}
    for tier in sorted(counts):
        standings[tier] = 2 * better + counts[tier] - 1
        better += counts[tier]
    return standings


def _compare_kindergarten(trial: PolicyComparison, kindergarten: str, rows: list[_Row]) -> None:
    old = _standings(row.before.tier for row in rows)
    new = _standings(row.after.tier for row in rows)
    swing = trial.kindergartens[kindergarten] = KindergartenChanges()
    for row in rows:
        trial.wishes += 1
        trial.by_tier[row.after.tier] += 1
        trial.by_rule[row.after.rule] += 1
        moved = WishChange(row.code, kindergarten, row.before, row.after, old[row.before.tier], new[row.after.tier])
        if row.before.tier != row.after.tier:
            trial.moves[row.before.tier, row.after.tier] += 1
        setattr(swing, moved.change, getattr(swing, moved.change) + 1)
        if moved.change != "same":
            trial.moved.append(moved)
