"""Reading a policy file: parse TOML into `Rules` or report all faults.  `docs/policy.md` describes the format."""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from enrollment.ground.classifications import NATURES
from enrollment.season.document_kinds import PROVES, Document
from enrollment.season.facts import CARE_KINDS, FACTS_OF_GROUND, Fact, Ground
from enrollment.season.grounds import TERMS_OF_GROUND, GroundTerms, KindergartenFacts
from enrollment.season.policy_checks import check_rules
from enrollment.season.policy_faults import Lines, PolicyFault, PolicyFaults
from enrollment.season.policy_parser import PolicyTable
from enrollment.season.rules import (
    ANSWER_DAYS,
    BEST,
    CORRECTION_DAYS,
    DECISION_HOURS,
    LEAST_DOUBT_DAYS,
    MOST_CORRECTION_DAYS,
    MOST_DOUBT_DAYS,
    MOST_RETURN_HOURS,
    PAIR_RULES,
    PHONE_DOUBT_DAYS,
    RETURN_HOURS,
    WORST,
    Concurrent,
    Example,
    Rule,
    Rules,
    TierResult,
)

__all__ = [
    "KindergartenFacts",
    "PolicyFault",
    "PolicyFaults",
    "Rules",
    "TierResult",
    "adapt_to_area",
    "digest_of",
    "read",
]

FORMAT = "policy/1"
FAMILIES = ("whole_district", "service_area", "any_inclusive")
MOST_TOLERANCE = 20_000
MOST_DECISION_HOURS = 168
MOST_ANSWER_DAYS = 15
FACT_TYPES: dict[str, type] = {
    Fact.HOME_OWNED: bool,
    Fact.SPECIAL_NEED: bool,
    Fact.HOME_PLACE: dict,
    Fact.CHILDREN_IN_FAMILY: int,
}
_RULE_CODE = re.compile(r"^[a-z][a-z0-9_]{1,39}$")
_TOP = [
    "format",
    "area",
    "year",
    "family",
    "basis",
    "apply",
    "pairs",
    "review",
    "central",
    "guardians",
    "corrections",
    "siblings",
    "documents",
    "grounds",
    "rule",
    "default",
    "example",
]


def digest_of(text: str) -> str:
    """SHA-256 of the file's bytes in UTF-8, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def adapt_to_area(text: str, area: str, year: int) -> str:
    """The text for another area and year; only the lines `area = …` and `year = …` change."""
    text = re.sub(r'(?m)^area = ".*"$', f'area = "{area}"', text, count=1)
    return re.sub(r"(?m)^year = \d+$", f"year = {year}", text, count=1)


def read(text: str, *, area: str | None = None, year: int | None = None) -> Rules:
    """The rules of a policy file; with `area` and `year` those of a file that is meant for them.

    Raises PolicyFaults with all faults, each with code, key and line.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise PolicyFaults([_syntax(fault)]) from fault
    faults: list[PolicyFault] = []
    lines = Lines(text)
    rules = _rules(PolicyTable(content, "", lines, faults))
    faults += [*check_rules(rules, lines, faults), *_meant_for(rules, lines, faults, area, year)]
    if faults:
        raise PolicyFaults(faults)
    return rules


def _meant_for(
    rules: Rules, lines: Lines, faults: list[PolicyFault], area: str | None, year: int | None
) -> Iterator[PolicyFault]:
    """The faults of a file for another area or year; a key that has a fault already is not compared."""
    spoilt = {fault.path for fault in faults}
    for key, said, expected in (("area", rules.area, area), ("year", rules.year, year)):
        if expected is not None and said != expected and key not in spoilt:
            yield PolicyFault(f"other_{key}", key, lines.line_of(key), {"value": said, "expected": expected})


def _syntax(fault: tomllib.TOMLDecodeError) -> PolicyFault:
    where = re.search(r"line (\d+)", str(fault))
    return PolicyFault("not_toml", "", int(where[1]) if where else None)


def _rules(top: PolicyTable) -> Rules:
    top.only(_TOP)
    if top.get("format", str, "", required=True) not in ("", FORMAT):
        top.fault("unknown_code", "format", key="format", value=top.content["format"], known=[FORMAT])
    return Rules(
        area=top.get("area", str, "", required=True),
        year=top.number("year", 2020, 2100, 2020, required=True),
        family=top.code("family", FAMILIES, required=True),
        basis=top.get("basis", str, ""),
        open_to=_open_to_grounds(top.table("apply")),
        pair_rule=_pair_rule(top),
        **_review(top.table("review")),
        central_tolerance=_tolerance(top.table("central")),
        **_guardians(top.table("guardians")),
        correction_days=_correction_days(top.table("corrections")),
        concurrent=_concurrent(top),
        documents_always=_documents_always(top.table("documents")),
        terms=_terms(top.table("grounds", required=True)),
        rules=tuple(map(_rule, top.tables("rule", required=True))),
        default=_default(top),
        examples=tuple(map(_example, top.tables("example"))),
    )


def _open_to_grounds(table: PolicyTable) -> frozenset[Ground]:
    table.only(["open_to"])
    return frozenset(map(Ground, table.codes("open_to", Ground)))


def _pair_rule(top: PolicyTable) -> str:
    table = top.table("pairs", required=True)
    table.only(["rule"])
    return table.code("rule", PAIR_RULES, required="pairs" in top.content)


def _review(table: PolicyTable) -> dict[str, Any]:
    """`answer_days`: the fewest and the most days that a clerk may give a family for its answer to a return."""
    table.only(["opens_early", "return_hours", "answer_days_least", "answer_days_most"])
    least = table.number("answer_days_least", 1, MOST_ANSWER_DAYS, ANSWER_DAYS[0])
    most = table.number("answer_days_most", least, MOST_ANSWER_DAYS, max(ANSWER_DAYS[1], least))
    return {
        "review_opens_early": table.get("opens_early", bool, False),
        "return_hours": table.number("return_hours", 1, MOST_RETURN_HOURS, RETURN_HOURS),
        "answer_days": (least, most),
    }


def _tolerance(table: PolicyTable) -> int:
    table.only(["tolerance"])
    return table.number("tolerance", 0, MOST_TOLERANCE, 0)


def _guardians(table: PolicyTable) -> dict[str, Any]:
    table.only(["decision_hours", "phone_doubt_days"])
    days = LEAST_DOUBT_DAYS, MOST_DOUBT_DAYS, PHONE_DOUBT_DAYS
    return {
        "decision_hours": table.number("decision_hours", 1, MOST_DECISION_HOURS, DECISION_HOURS),
        "phone_doubt_days": table.number("phone_doubt_days", *days),
    }


def _correction_days(table: PolicyTable) -> int:
    table.only(["days"])
    return table.number("days", 1, MOST_CORRECTION_DAYS, CORRECTION_DAYS)


def _concurrent(top: PolicyTable) -> Concurrent | None:
    if "siblings" not in top.content:
        return None
    table = top.table("siblings")
    table.only(["concurrent_tier", "natures"])
    tier = table.number("concurrent_tier", BEST, WORST, WORST, required=True)
    return Concurrent(tier, frozenset(table.codes("natures", NATURES)))


def _documents_always(table: PolicyTable) -> tuple[Document, ...]:
    table.only(["always"])
    return tuple(map(Document, table.codes("always", Document)))


def _terms(grounds: PolicyTable) -> dict[Ground, GroundTerms]:
    grounds.only(Ground)
    return {
        Ground(code): _one_ground(Ground(code), grounds.table(code)) for code in grounds.content if code in set(Ground)
    }


def _one_ground(ground: Ground, table: PolicyTable) -> GroundTerms:
    more = TERMS_OF_GROUND.get(ground, ())
    table.only(["documents", *more])
    documents = tuple(map(Document, table.codes("documents", Document, required=True)))
    for document in documents:
        if not set(PROVES[document]) & set(FACTS_OF_GROUND[ground]):
            table.fault("proves_nothing", "documents", value=document, ground=ground)
    return GroundTerms(
        documents=documents,
        streets=frozenset(table.codes("streets")) if "streets" in more else frozenset(),
        kinds=frozenset(table.codes("kinds", CARE_KINDS)) if "kinds" in more else frozenset(),
        at_least=table.number("at_least", 2, 9, 2) if "at_least" in more else 2,
        with_sites=table.get("with_sites", bool, False) if "with_sites" in more else False,
    )


def _rule(table: PolicyTable) -> Rule:
    table.only(["code", "tier", "ways", "natures"])
    code = table.get("code", str, "", required=True)
    if code and not _RULE_CODE.match(code):
        table.fault("bad_rule_code", "code", value=code)
    ways = []
    for way in table.get("ways", list, [], required=True):
        if not isinstance(way, list) or not way:
            table.fault("wrong_type", "ways", key="ways", expected="list_of_ways")
            continue
        ways.append(tuple(map(Ground, table.checked_codes(way, "ways", Ground, required=True))))
    if not ways and table.content.get("ways") == []:
        table.fault("empty_list", "ways", key="ways")
    return Rule(
        code=code,
        tier=table.number("tier", BEST, WORST, WORST, required=True),
        ways=tuple(ways),
        natures=frozenset(table.codes("natures", NATURES)),
    )


def _default(top: PolicyTable) -> int:
    table = top.table("default", required=True)
    table.only(["tier"])
    return table.number("tier", BEST, WORST, WORST, required="default" in top.content)


def _example(table: PolicyTable) -> Example:
    table.only(["facts", "nature", "serves", "tier"])
    facts = table.table("facts", required=True)
    facts.only(Fact)
    for code in facts.content:
        facts.get(code, FACT_TYPES.get(code, str))
    return Example(
        facts=tuple((Fact(code), value) for code, value in facts.content.items() if code in set(Fact)),
        nature=table.code("nature", NATURES, required=True),
        serves=table.get("serves", bool, False),
        tier=table.number("tier", BEST, WORST, WORST, required=True),
    )
