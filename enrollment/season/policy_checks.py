"""Checks of rules that were parsed: duplicate tiers, unreachable rules, unused grounds, wrong examples."""

from collections.abc import Iterator, Sequence

from enrollment.ground.classifications import NATURES
from enrollment.season.grounds import KindergartenFacts
from enrollment.season.policy_faults import Lines, PolicyFault
from enrollment.season.rules import Example, Rule, Rules

ALL_NATURES: frozenset[str] = frozenset(NATURES)
OWN_KINDERGARTEN = "here"
"""The value in an example that means the own area or the kindergarten itself."""


def check_rules(rules: Rules, lines: Lines, faults: Sequence[PolicyFault] = ()) -> list[PolicyFault]:
    """The faults of what the file says as a whole.

    `faults` are those of single keys.  What depends on a key without a usable value is not judged, so that one mistake
    is not reported twice.
    """
    sound = _Sound(faults)
    found = [
        *_codes_and_tiers(rules, sound),
        *_never_reached(rules, sound),
        *_default_is_last(rules, sound),
        *_grounds(rules, sound),
        *_examples(rules, sound),
    ]
    return [PolicyFault(fault.code, fault.path, lines.line_of(fault.path), fault.details) for fault in found]


class _Sound:
    """Which parts of the file have a usable value.  An unknown key spoils nothing beside it."""

    def __init__(self, faults: Sequence[PolicyFault]):
        self.whole = not faults
        self.spoilt = [fault.path for fault in faults if fault.code != "unknown_key"]

    def __call__(self, part: str) -> bool:
        """Whether neither the part nor a key inside it is spoilt."""
        return not any(path == part or path.startswith((f"{part}.", f"{part}[")) for path in self.spoilt)

    def rules(self, rules: Rules) -> list[tuple[int, Rule]]:
        return [(number, rule) for number, rule in enumerate(rules.rules, 1) if self(f"rule[{number}]")]


def _natures(rule: Rule) -> frozenset[str]:
    return rule.natures or ALL_NATURES


def _codes_and_tiers(rules: Rules, sound: _Sound) -> Iterator[PolicyFault]:
    usable = sound.rules(rules)
    for index, (number, rule) in enumerate(usable):
        for _number, other in usable[:index]:
            if other.code == rule.code:
                yield PolicyFault("duplicate_rule_code", f"rule[{number}].code", details={"value": rule.code})
            if other.tier == rule.tier and _natures(other) & _natures(rule):
                yield PolicyFault(
                    "duplicate_tier", f"rule[{number}].tier", details={"tier": rule.tier, "other": other.code}
                )


def _never_reached(rules: Rules, sound: _Sound) -> Iterator[PolicyFault]:
    """A way that contains all grounds of a way of a better rule can never decide a tier."""
    usable = sound.rules(rules)
    for number, rule in usable:
        better = [other for _n, other in usable if other.tier < rule.tier and _natures(other) >= _natures(rule)]
        for way in rule.ways:
            for other in better:
                if any(set(shorter) <= set(way) for shorter in other.ways):
                    yield PolicyFault(
                        "never_reached", f"rule[{number}].ways", details={"rule": rule.code, "other": other.code}
                    )


def _default_is_last(rules: Rules, sound: _Sound) -> Iterator[PolicyFault]:
    worst = max((rule.tier for _number, rule in sound.rules(rules)), default=-1)
    if sound("default") and rules.default <= worst:
        yield PolicyFault("default_not_last", "default.tier", details={"tier": rules.default, "worst": worst})


def _grounds(rules: Rules, sound: _Sound) -> Iterator[PolicyFault]:
    """Every used ground has documents, and every ground with documents is used."""
    if "grounds" in sound.spoilt:
        return
    for number, rule in enumerate(rules.rules, 1):
        for ground in dict.fromkeys(ground for way in rule.ways for ground in way):
            if ground not in rules.terms:
                yield PolicyFault("ground_without_documents", f"rule[{number}].ways", details={"ground": ground})
    for ground in rules.open_to:
        if ground not in rules.terms:
            yield PolicyFault("ground_without_documents", "apply.open_to", details={"ground": ground})
    if len(sound.rules(rules)) < len(rules.rules) or not (sound("rule") and sound("apply")):
        return  # a ground that is misspelt where it is used would be called unused as well
    for ground in rules.terms:
        if ground not in rules.grounds:
            yield PolicyFault("ground_not_used", f"grounds.{ground}", details={"ground": ground})


def example_facts(rules: Rules, example: Example) -> dict:
    """The facts of an example, with `here` replaced by the area or the kindergarten."""
    return {
        fact: (rules.area if fact.endswith("_area") else OWN_KINDERGARTEN) if value == OWN_KINDERGARTEN else value
        for fact, value in example.facts
    }


def example_kindergarten(rules: Rules, example: Example) -> KindergartenFacts:
    return KindergartenFacts(OWN_KINDERGARTEN, example.nature, rules.area, estates=frozenset({OWN_KINDERGARTEN}))


def _examples(rules: Rules, sound: _Sound) -> Iterator[PolicyFault]:
    """The author computed the examples by hand: a different result is a fault of the rules or of the example."""
    if not sound.whole:
        return  # a key that was not understood may be what the author computed with
    for number, example in enumerate(rules.examples, 1):
        got = rules.tier(example_facts(rules, example), example_kindergarten(rules, example), example.serves)
        if got.tier != example.tier:
            yield PolicyFault(
                "example_differs",
                f"example[{number}].tier",
                details={"expected": example.tier, "tier": got.tier, "rule": got.rule},
            )
