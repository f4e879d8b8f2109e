"""An area's rules in plain words, from the values of its policy file: for the public page and for those who sign."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _

from enrollment.season.document_kinds import Document
from enrollment.season.facts import Ground
from enrollment.season.grounds import GroundTerms
from enrollment.season.policy_checks import example_facts, example_kindergarten
from enrollment.season.policy_faults import PolicyFault
from enrollment.season.policy_file import NATURES
from enrollment.season.rules import DEFAULT_RULE, Example, Rule, Rules
from portal.text.words import language, word

BETWEEN = {"zh": "、", "en": ", "}
TOGETHER = {"zh": "，并且", "en": " and also "}


def listed(words: Iterable[str]) -> str:
    return BETWEEN[language()].join(words)


def priority(tier: int) -> str:
    """A tier as a priority number: people count from 1."""
    return _("第 %(n)s 优先级", n=tier + 1)


@dataclass(frozen=True)
class PriorityRow:
    """One priority: its tier and the grounds that lead to it; `others` marks the row of all other families."""

    tier: int
    code: str
    ways: tuple[str, ...]
    others: bool = False


@dataclass(frozen=True)
class PriorityList:
    """The priorities at kindergartens of some natures."""

    natures: str
    lines: tuple[PriorityRow, ...]


def priority_lists(rules: Rules) -> list[PriorityList]:
    """What applies at public, inclusive and other kindergartens; natures with the same rules share a list."""
    by_rules: dict[tuple[Rule, ...], list[str]] = {}
    for nature in NATURES:
        here = tuple(rule for rule in rules.in_order if not rule.natures or nature in rule.natures)
        by_rules.setdefault(here, []).append(nature)
    return [
        PriorityList(listed(word("nature", nature) for nature in natures), _priority_rows(rules, here))
        for here, natures in by_rules.items()
    ]


def _priority_rows(rules: Rules, here: Iterable[Rule]) -> tuple[PriorityRow, ...]:
    lines = [PriorityRow(rule.tier, rule.code, tuple(way_words(way) for way in rule.ways)) for rule in here]
    return (*lines, PriorityRow(rules.default, DEFAULT_RULE, (_("其他年龄符合的家庭"),), others=True))


def way_words(way: Iterable[Ground]) -> str:
    first, *others = (word("ground", ground) for ground in way)
    return TOGETHER[language()].join([first, *map(_inside_a_sentence, others)])


def _listed_in_a_sentence(words: list[str]) -> str:
    return listed([words[0], *map(_inside_a_sentence, words[1:])])


def _inside_a_sentence(words: str) -> str:
    return words[0].lower() + words[1:]


def rule_words(rules: Rules, code: str) -> str:
    """The grounds of a rule in words, by the rule's code."""
    rule = next((rule for rule in rules.rules if rule.code == code), None)
    if rule is None:
        return _("其他年龄符合的家庭")
    return _(" 或 ").join(way_words(way) for way in rule.ways)


def ground_remarks(rules: Rules) -> list[tuple[str, str]]:
    """(ground, what this area means by it) where the file says more than the ground's name."""
    return [
        (word("ground", ground), remark)
        for ground in rules.grounds
        if ground in rules.terms
        for remark in _remarks(rules.terms[ground], ground)
    ]


def _remarks(terms: GroundTerms, ground: Ground) -> list[str]:
    found = []
    if terms.streets:
        found.append(_("只限这些街道（镇）：%(streets)s", streets=listed(sorted(terms.streets))))
    if terms.kinds:
        found.append(_("只限：%(kinds)s", kinds=listed(word("care_kind", kind) for kind in sorted(terms.kinds))))
    if terms.with_sites:
        found.append(_("同一所园的其他办园点也算"))
    if ground == Ground.MULTI_CHILD:
        found.append(_("家里至少有 %(n)s 个孩子", n=terms.at_least))
    return found


def document_lines(rules: Rules) -> list[tuple[str, str]]:
    """(ground, the papers that prove it), in the order of the enumeration."""
    return [
        (word("ground", ground), documents_words(rules.terms[ground].documents))
        for ground in rules.grounds
        if ground in rules.terms
    ]


def documents_words(documents: Iterable[Document]) -> str:
    return listed(word("document", document) for document in documents)


@dataclass(frozen=True)
class ExampleLine:
    """A worked example in words: what the family has, where it applies, and what comes out."""

    has: str
    where: str
    tier: int


def example_lines(rules: Rules) -> list[ExampleLine]:
    return [_example(rules, example) for example in rules.examples]


def _example(rules: Rules, example: Example) -> ExampleLine:
    facts, kindergarten = example_facts(rules, example), example_kindergarten(rules, example)
    holding = [g for g in rules.grounds if rules.holds(g, facts, kindergarten, example.serves)]
    apart = [word("ground", ground) for ground in holding if ground != Ground.SERVICE_AREA]
    has = _listed_in_a_sentence(apart) if apart else _("没有以上依据")
    at = word("nature", example.nature)
    if not any(Ground.SERVICE_AREA in way for rule in rules.rules for way in rule.ways):
        return ExampleLine(has, at, example.tier)
    served = _("住址在服务范围内") if example.serves else _("住址不在服务范围内")
    return ExampleLine(has, f"{at} · {served}", example.tier)


def open_to_words(rules: Rules) -> str:
    if not rules.open_to:
        return _("凡年龄符合的孩子都可以申请。")
    grounds = _listed_in_a_sentence([word("ground", ground) for ground in Ground if ground in rules.open_to])
    return _("至少申报其中一项：%(grounds)s。", grounds=grounds)


def sibling_words(rules: Rules) -> str | None:
    if rules.concurrent is None:
        return None
    at = rules.concurrent.natures
    where = listed(word("nature", nature) for nature in NATURES if nature in at) if at else _("所有幼儿园")
    return _(
        "兄弟姐妹同一年申请，年龄大的先派位；录取后，年龄小的在这所园按%(priority)s排队（自己的优先级更好时不变）。适用：%(where)s。",
        priority=priority(rules.concurrent.tier),
        where=where,
    )


def fault_words(fault: PolicyFault) -> str:
    """A fault in words, and how to correct it."""
    details = dict(fault.details)
    if "known" in details:
        details["known"] = listed(map(str, details["known"]))
    if fault.code == "wrong_type":
        details["expected"] = word("policy_type", details["expected"])
    return word("policy_fault", fault.code, **details)
