"""Whether rules that can be read also make sense: what a tired person gets wrong in a file of priorities."""

from collections.abc import Iterator

from enrollment.ground.classifications import NATURES
from enrollment.season.grounds import Seen
from enrollment.season.policy_faults import Fault, Lines
from enrollment.season.rules import Example, Rule, Rules

ALL_NATURES: frozenset[str] = frozenset(NATURES)
HERE = "here"
"""In an example: this area, or this kindergarten."""


def check_sense(rules: Rules, lines: Lines) -> list[Fault]:
    found = [*_codes_and_tiers(rules), *_never_reached(rules), *_last(rules), *_grounds(rules), *_examples(rules)]
    return [Fault(fault.code, fault.path, lines.of(fault.path), fault.details) for fault in found]


def _natures(rule: Rule) -> frozenset[str]:
    return rule.natures or ALL_NATURES


def _codes_and_tiers(rules: Rules) -> Iterator[Fault]:
    for number, rule in enumerate(rules.rules, 1):
        for other in rules.rules[: number - 1]:
            if other.code == rule.code:
                yield Fault("duplicate_rule_code", f"rule[{number}].code", details={"value": rule.code})
            if other.tier == rule.tier and _natures(other) & _natures(rule):
                yield Fault("duplicate_tier", f"rule[{number}].tier", details={"tier": rule.tier, "other": other.code})


def _never_reached(rules: Rules) -> Iterator[Fault]:
    """A way that asks for all that a better rule asks for, and more, never gives anybody anything."""
    for number, rule in enumerate(rules.rules, 1):
        better = [other for other in rules.rules if other.tier < rule.tier and _natures(other) >= _natures(rule)]
        for way in rule.ways:
            for other in better:
                if any(set(shorter) <= set(way) for shorter in other.ways):
                    yield Fault(
                        "never_reached", f"rule[{number}].ways", details={"rule": rule.code, "other": other.code}
                    )


def _last(rules: Rules) -> Iterator[Fault]:
    worst = max((rule.tier for rule in rules.rules), default=-1)
    if rules.default <= worst:
        yield Fault("default_not_last", "default.tier", details={"tier": rules.default, "worst": worst})


def _grounds(rules: Rules) -> Iterator[Fault]:
    """What is claimed is proved, and no paper is asked for nothing."""
    for number, rule in enumerate(rules.rules, 1):
        for ground in dict.fromkeys(ground for way in rule.ways for ground in way):
            if ground not in rules.terms:
                yield Fault("ground_without_documents", f"rule[{number}].ways", details={"ground": ground})
    for ground in rules.open_to:
        if ground not in rules.terms:
            yield Fault("ground_without_documents", "apply.open_to", details={"ground": ground})
    for ground in rules.terms:
        if ground not in rules.grounds:
            yield Fault("ground_not_used", f"grounds.{ground}", details={"ground": ground})


def example_facts(rules: Rules, example: Example) -> dict:
    """The facts of an example with `here` read as this area, or this kindergarten."""
    return {
        fact: (rules.area if fact.endswith("_area") else HERE) if value == HERE else value
        for fact, value in example.facts
    }


def example_kindergarten(rules: Rules, example: Example) -> Seen:
    return Seen(HERE, example.nature, rules.area, estates=frozenset({HERE}))


def _examples(rules: Rules) -> Iterator[Fault]:
    """The author worked these out by hand: if the rules say otherwise, one of the two is wrong."""
    for number, example in enumerate(rules.examples, 1):
        got = rules.tier(example_facts(rules, example), example_kindergarten(rules, example), example.serves)
        if got.tier != example.tier:
            yield Fault(
                "example_differs",
                f"example[{number}].tier",
                details={"expected": example.tier, "tier": got.tier, "rule": got.rule},
            )
