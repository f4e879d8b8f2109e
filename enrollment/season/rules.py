"""An area's rules for a year, as values: from what is known of a family to its tier at a kindergarten."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from enrollment.season.document_kinds import Document
from enrollment.season.facts import Ground
from enrollment.season.grounds import HOLDS, Facts, GroundTerms, Place, Seen, Test

BEST, WORST = 0, 15
DEFAULT_RULE = "everybody"
PAIR_RULES = ("overhang", "close")
"""What happens to bound children when fewer places are left than they need."""


@dataclass(frozen=True)
class Tiered:
    """A tier from 0, the best, to 15; the code of the rule that gave it; the ground that leads that rule, if any."""

    tier: int
    rule: str
    ground: Ground | None = None


@dataclass(frozen=True)
class Ways:
    """How a tier is found at kindergartens of one nature: every ground that a rule asks for has a bit.

    `tests` are (bit, test, terms); `wanted` are the bits of each way, the best tier first; `known` are answers so far.
    """

    tests: tuple[tuple[int, Test, GroundTerms], ...]
    wanted: tuple[tuple[Tiered, int], ...]
    known: dict[int, Tiered] = field(default_factory=dict)


NO_TERMS = GroundTerms()


@dataclass(frozen=True)
class Rule:
    """`ways` are alternatives; in each, all the grounds must hold.  `natures` empty: at every kindergarten."""

    code: str
    tier: int
    ways: tuple[tuple[Ground, ...], ...]
    natures: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Concurrent:
    """The tier of a younger child where an elder one is placed in the same season 同年兄姐."""

    tier: int
    natures: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Example:
    """A worked example: what is known of a family, the kindergarten it wishes for, and the tier that must come out."""

    facts: tuple[tuple[str, Any], ...]
    nature: str
    serves: bool
    tier: int


@dataclass(frozen=True)
class Rules:
    """The whole of a policy file.  `default` is the tier of a family for whom no rule holds."""

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
    central_tolerance: int = 0
    examples: tuple[Example, ...] = ()
    basis: str = ""

    @cached_property
    def in_order(self) -> tuple[Rule, ...]:
        """The best tier first; in one tier as the file has them."""
        return tuple(sorted(self.rules, key=lambda rule: rule.tier))

    @property
    def grounds(self) -> tuple[Ground, ...]:
        """Every ground that a family may claim here, in the order of the enumeration."""
        used = {ground for rule in self.rules for way in rule.ways for ground in way}
        return tuple(ground for ground in Ground if ground in used | self.open_to)

    def holds(self, ground: Ground, facts: Facts, kindergarten: Seen, serves: bool) -> bool:
        return HOLDS[ground](facts, Place(kindergarten, serves), self.terms.get(ground, NO_TERMS))

    def tier(self, facts: Facts, kindergarten: Seen, serves: bool) -> Tiered:
        """The best tier that a rule gives.  Total: without any fact it is the default.  A fact more never worsens it."""
        place = Place(kindergarten, serves)
        ways = self._ways_at(kindergarten.nature)
        holding = 0
        for bit, test, terms in ways.tests:
            if test(facts, place, terms):
                holding |= bit
        answer = ways.known.get(holding)
        if answer is None:
            first = (tiered for tiered, wanted in ways.wanted if holding & wanted == wanted)
            answer = ways.known[holding] = next(first, self._otherwise)
        return answer

    def _ways_at(self, nature: str) -> Ways:
        if nature not in self._ways:
            here = [rule for rule in self.in_order if not rule.natures or nature in rule.natures]
            asked = sorted({ground for rule in here for way in rule.ways for ground in way})
            bit = {ground: 1 << place for place, ground in enumerate(asked)}
            self._ways[nature] = Ways(
                tests=tuple((bit[ground], HOLDS[ground], self.terms.get(ground, NO_TERMS)) for ground in asked),
                wanted=tuple(
                    (Tiered(rule.tier, rule.code, way[0]), sum(bit[ground] for ground in set(way)))
                    for rule in here
                    for way in rule.ways
                ),
            )
        return self._ways[nature]

    @cached_property
    def _ways(self) -> dict[str, Ways]:
        return {}

    @cached_property
    def _otherwise(self) -> Tiered:
        return Tiered(self.default, DEFAULT_RULE)

    def sibling_tier(self, nature: str) -> int | None:
        """The tier at a kindergarten of that nature for a child whose elder sibling is placed there this season."""
        if self.concurrent is None or (self.concurrent.natures and nature not in self.concurrent.natures):
            return None
        return self.concurrent.tier

    def documents_for(self, grounds: Iterable[Ground | str]) -> tuple[Document, ...]:
        """What a family that claims these grounds is asked for: each document once, nothing that its case does not need."""
        claimed = {Ground(ground) for ground in grounds}
        asked = dict.fromkeys(self.documents_always)
        for ground in Ground:
            if ground in claimed and ground in self.terms:
                asked |= dict.fromkeys(self.terms[ground].documents)
        return tuple(asked)

    def may_apply(self, grounds: Collection[Ground | str]) -> bool:
        """Whether a family that claims these grounds may wish for kindergartens of this area."""
        return not self.open_to or bool(self.open_to & {Ground(ground) for ground in grounds})
