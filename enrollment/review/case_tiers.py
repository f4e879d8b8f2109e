"""The tier at the clerk's own kindergartens, from what is settled and from what a clerk is about to settle.

A clerk never enters a tier; the page shows where each verdict leads, and the words of the rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications.application_rows import WISHES, Application
from enrollment.eligibility.tiers import TierTable, rules_in_round
from enrollment.ground.accounts import Actor
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.service_areas import service_area_index
from enrollment.season.facts import Fact, Ground
from enrollment.season.kept_years import round_of
from enrollment.season.rounds import Round
from enrollment.season.rules import Rules, TierResult


@dataclass(frozen=True)
class Step:
    """One tier of the ladder at a kindergarten: its number from 0, and the grounds of its first way."""

    tier: int
    grounds: tuple[Ground, ...]


@dataclass(frozen=True)
class OwnWish:
    """A wish for one of the clerk's kindergartens.  `basis` is the notice from which the rules come."""

    kindergarten: Kindergarten
    round: Round
    rules: Rules
    table: TierTable

    @property
    def basis(self) -> str:
        return self.rules.basis

    def tier(self, facts: Mapping[Fact, Any]) -> TierResult:
        return self.table.priorities(facts, [self.table.entry(self.kindergarten)])[0].tiered

    def ladder(self) -> list[Step]:
        """The tiers at this kindergarten, the best first."""
        found: dict[int, tuple[Ground, ...]] = {}
        for rule in self.rules.in_order:
            if not rule.natures or self.kindergarten.nature in rule.natures:
                found.setdefault(rule.tier, rule.ways[0] if rule.ways else ())
        found.setdefault(self.rules.default, ())
        return [Step(tier, found[tier]) for tier in sorted(found)]


def own_wishes(session: Session, application: Application, *, by: Actor) -> list[OwnWish]:
    """The wishes for the clerk's own kindergartens; the others, and the order, are not shown at a kindergarten."""
    areas = service_area_index(session)
    found: dict[tuple, OwnWish] = {}
    for wish in sorted(WISHES.of(session, application.id), key=lambda each: each.rank):
        kindergarten = wish.programme.kindergarten
        if kindergarten.id not in by.kindergartens:
            continue
        round_ = round_of(session, wish.round_id)
        rules = rules_in_round(session, round_, kindergarten.area_code)
        found[kindergarten.id, round_.id] = OwnWish(kindergarten, round_, rules, TierTable(session, round_, areas))
    return list(found.values())


def changes_tier(
    wishes: Sequence[OwnWish], facts: Mapping[Fact, Any], fact: Fact, values: Sequence[Any | None]
) -> bool:
    """Whether another of these values of one fact (None: not recognised) gives another tier at one of the wishes."""
    for wish in wishes:
        tiers = {wish.tier(_with(facts, fact, value)).tier for value in values}
        if len(tiers) > 1:
            return True
    return False


def _with(facts: Mapping[Fact, Any], fact: Fact, value: Any | None) -> dict[Fact, Any]:
    changed = {name: known for name, known in facts.items() if name is not fact}
    return changed if value is None else changed | {fact: value}


def tier_with(wish: OwnWish, facts: Mapping[Fact, Any], fact: Fact, value: Any | None) -> TierResult:
    """The tier at the wish if this fact had this value, all others as given."""
    return wish.tier(_with(facts, fact, value))
