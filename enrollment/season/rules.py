"""The rules of an area for a year: they compute a family's tier at a kindergarten from its facts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from enrollment.season.document_kinds import Document
from enrollment.season.facts import RARE_GROUNDS, SENSITIVE_GROUNDS, Fact, Ground
from enrollment.season.grounds import (
    AT_KINDERGARTEN,
    GROUND_TESTS,
    Facts,
    GroundTerms,
    KindergartenFacts,
    Place,
    Test,
)

BEST, WORST = 0, 15
DEFAULT_RULE = "everybody"
PAIR_RULES = ("overhang", "close")
"""What happens to bound children if fewer places are left than they need."""

ANSWER_DAYS = (1, 7)
"""The fewest and the most days that a family has to answer a return, where the policy does not say."""

DECISION_HOURS = 24
"""How long an irrevocable act of one guardian waits for the others, where the policy does not say."""

PHONE_DOUBT_DAYS, LEAST_DOUBT_DAYS, MOST_DOUBT_DAYS = 60, 14, 90
"""After how many days without a proof a telephone number may be another person's, where the policy does not say, and what
it may say: carriers give a number out again about 90 days after it was given up."""

CORRECTION_DAYS, MOST_CORRECTION_DAYS = 5, 30
"""In how many days a correction request is decided, where the policy does not say; then the next office decides it."""

RETURN_HOURS, MOST_RETURN_HOURS = 24, 168
"""How long a family has at least to complete what a clerk sent back, where the policy does not say; no list is frozen before."""


@dataclass(frozen=True)
class TierResult:
    """A tier from 0 (best) to 15, the code of its rule, and the first ground of the way that held, if any."""

    tier: int
    rule: str
    ground: Ground | None = None


@dataclass(frozen=True)
class CompiledRules:
    """Rules prepared for kindergartens of one nature: every ground of a rule has a bit.

    `in_area` are (bit, test, terms) of the grounds that hold at all kindergartens of an area or at none, and `here` those of the
    others, with the fact without which they fail; `wanted` are the bits of each way, best tier first; `known` is a cache of
    results.
    """

    in_area: tuple[tuple[int, Test, GroundTerms], ...]
    here: tuple[tuple[int, Test, GroundTerms, Fact], ...]
    wanted: tuple[tuple[TierResult, int], ...]
    known: dict[int, TierResult] = field(default_factory=dict)


NO_TERMS = GroundTerms()


@dataclass(frozen=True)
class Rule:
    """`ways` are alternatives; all grounds of a way must hold.  Empty `natures`: at every kindergarten."""

    code: str
    tier: int
    ways: tuple[tuple[Ground, ...], ...]
    natures: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Concurrent:
    """The tier of a child at a kindergarten where an elder sibling gets a place in the same season 同年兄姐."""

    tier: int
    natures: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Example:
    """A worked example: facts of a family, a wished kindergarten, and the expected tier."""

    facts: tuple[tuple[str, Any], ...]
    nature: str
    serves: bool
    tier: int


@dataclass(frozen=True)
class Rules:
    """The content of a policy file.  `default` is the tier of a family for which no rule holds."""

    area: str
    year: int
    family: str
    pair_rule: str
    rules: tuple[Rule, ...]
    default: int
    terms: dict[Ground, GroundTerms] = field(hash=False)
    documents_always: tuple[Document, ...] = ()
    concurrent: Concurrent | None = None
    open_to: frozenset[Ground] = frozenset()
    review_opens_early: bool = False
    answer_days: tuple[int, int] = ANSWER_DAYS
    return_hours: int = RETURN_HOURS
    central_tolerance: int = 0
    decision_hours: int = DECISION_HOURS
    phone_doubt_days: int = PHONE_DOUBT_DAYS
    correction_days: int = CORRECTION_DAYS
    examples: tuple[Example, ...] = ()
    basis: str = ""

    @cached_property
    def in_order(self) -> tuple[Rule, ...]:
        """Rules by tier, best first; within a tier in the order of the file."""
        return tuple(sorted(self.rules, key=lambda rule: rule.tier))

    @cached_property
    def grounds(self) -> tuple[Ground, ...]:
        """Every ground that a family may claim here, in the order of the enumeration."""
        used = {ground for rule in self.rules for way in rule.ways for ground in way} | self.open_to
        return tuple(ground for ground in Ground if ground in used)

    def holds(self, ground: Ground, facts: Facts, kindergarten: KindergartenFacts, serves: bool) -> bool:
        return GROUND_TESTS[ground](facts, Place(kindergarten, serves), self.terms.get(ground, NO_TERMS))

    def tier(
        self,
        facts: Facts,
        kindergarten: KindergartenFacts,
        serves: bool,
        tested: dict[tuple[str, str], int] | None = None,
    ) -> TierResult:
        """The best tier of all rules that hold, otherwise the default.  An additional fact never worsens it.

        `tested` keeps, for one family and the rules of each area, what holds at all kindergartens of the area, by nature and area.
        """
        place = Place(kindergarten, serves)
        ways = self._ways_at(kindergarten.nature)
        kind = (kindergarten.nature, kindergarten.area)
        holding = None if tested is None else tested.get(kind)
        if holding is None:
            holding = 0
            for bit, test, terms in ways.in_area:
                if test(facts, place, terms):
                    holding |= bit
            if tested is not None:
                tested[kind] = holding
        for bit, test, terms, fact in ways.here:
            if fact in facts and test(facts, place, terms):
                holding |= bit
        answer = ways.known.get(holding)
        if answer is None:
            first = (tiered for tiered, wanted in ways.wanted if holding & wanted == wanted)
            answer = ways.known[holding] = next(first, self._otherwise)
        return answer

    def _ways_at(self, nature: str) -> CompiledRules:
        if nature not in self._ways:
            here = [rule for rule in self.in_order if not rule.natures or nature in rule.natures]
            asked = sorted({ground for rule in here for way in rule.ways for ground in way})
            bit = {ground: 1 << place for place, ground in enumerate(asked)}
            self._ways[nature] = CompiledRules(
                in_area=tuple(
                    (bit[ground], GROUND_TESTS[ground], self.terms.get(ground, NO_TERMS))
                    for ground in asked
                    if ground not in AT_KINDERGARTEN
                ),
                here=tuple(
                    (bit[ground], GROUND_TESTS[ground], self.terms.get(ground, NO_TERMS), AT_KINDERGARTEN[ground])
                    for ground in asked
                    if ground in AT_KINDERGARTEN
                ),
                wanted=tuple(
                    (TierResult(rule.tier, rule.code, way[0]), sum(bit[ground] for ground in set(way)))
                    for rule in here
                    for way in rule.ways
                ),
            )
        return self._ways[nature]

    @cached_property
    def _ways(self) -> dict[str, CompiledRules]:
        return {}

    @cached_property
    def _otherwise(self) -> TierResult:
        return TierResult(self.default, DEFAULT_RULE)

    def sensitive_tiers(self, nature: str) -> frozenset[int]:
        """The tiers at kindergartens of this nature that say that a child has a sensitive ground, or probably has one.

        A tier that many children reach by another ground says nothing: an elder sibling is far more frequent than a
        certified disability.
        """
        here = [rule for rule in self.rules if not rule.natures or nature in rule.natures]
        ways = {
            tier: [set(way) for rule in here if rule.tier == tier for way in rule.ways]
            for tier in {rule.tier for rule in here}
        }
        return frozenset(
            tier
            for tier, each in ways.items()
            if any(way & SENSITIVE_GROUNDS for way in each) and all(way & RARE_GROUNDS for way in each)
        )

    def sibling_tier(self, nature: str) -> int | None:
        """The tier for a child whose elder sibling gets a place there this season; None if the policy has no such rule."""
        if self.concurrent is None or (self.concurrent.natures and nature not in self.concurrent.natures):
            return None
        return self.concurrent.tier

    def documents_for(self, grounds: Iterable[Ground | str]) -> tuple[Document, ...]:
        """Documents required from a family that claims these grounds, each once."""
        claimed = {Ground(ground) for ground in grounds}
        asked = dict.fromkeys(self.documents_always)
        for ground in Ground:
            if ground in claimed and ground in self.terms:
                asked |= dict.fromkeys(self.terms[ground].documents)
        return tuple(asked)

    def may_apply(self, grounds: Collection[Ground | str]) -> bool:
        """Whether a family that claims these grounds may wish for kindergartens of this area."""
        return not self.open_to or bool(self.open_to & {Ground(ground) for ground in grounds})
