"""The sentences beside which a signer ticks each difference of a run, and the last one about its digest."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _

from enrollment.draw.comparison.last_year import RulePart
from enrollment.draw.run_rows import Run
from enrollment.results import run_signing
from enrollment.results.run_comparison import Comparison, Group, LastRules, LastRulesPart, Line, RulesTried, Share
from enrollment.results.run_signing import Difference, ReadDifference
from portal.officials.scope import area_names
from portal.text.formats import grouped, percent
from portal.text.words import word


def sentences(run: Run, compared: Comparison | None) -> list[tuple[str, str]]:
    """(key, sentence) of each difference, in the order of the tables; the digest comes last."""
    areas = area_names()
    found = [(key, _sentence(each, compared, areas)) for key, each in run_signing.differences(compared)]
    digest = run.digest or ""
    ends = f"{digest[:8]} … {digest[-8:]}"
    return [*found, (run_signing.DIGEST, _("摘要 %(digest)s，我和大屏或另一位签署人对过", digest=ends))]


def _sentence(each: Difference, compared: Comparison | None, areas: dict[str, str]) -> str:
    if isinstance(each, RulesTried):
        return _rules(each, areas)
    if isinstance(each, LastRules):
        better, worse = grouped(each.better), grouped(each.worse)
        return _(
            "和 %(year)s 年的规则比，%(better)s 个孩子派得更好，%(worse)s 个不如：我看过了",
            year=each.year, better=better, worse=worse,
        )  # fmt: skip
    if isinstance(each, LastRulesPart):
        return _(
            "单看%(part)s（%(told)s），%(better)s 个孩子派得更好，%(worse)s 个不如：我看过了",
            part=word("rule_part", each.part),
            told=told_of(each),
            better=grouped(each.better),
            worse=grouped(each.worse),
        )
    return _line(each, compared, areas)


def told_of(part: LastRulesPart) -> str:
    """What a part of the rules was a year before and is now."""
    if part.part == RulePart.TIERS:
        return _("%(n)s 个孩子的优先级不同", n=grouped(part.told[0]))
    if part.part == RulePart.POOLS:
        programmes, before, now = map(grouped, part.told)
        return _("%(n)s 个招生计划不同，预留学位 %(before)s → %(now)s", n=programmes, before=before, now=now)
    if part.part == RulePart.PAIR_RULE:
        before, now = (word("pair_rule", each) for each in part.told)
    else:
        before, now = map(grouped, part.told)
    return _("%(before)s → %(now)s", before=before, now=now)


@dataclass(frozen=True)
class ReadSentence:
    """A difference as its signer read it, and who ticked it when."""

    sentence: str
    by: tuple[tuple[str, dt.datetime], ...]


def read_sentences(run: Run, compared: Comparison | None, read: Iterable[ReadDifference]) -> list[ReadSentence]:
    """What the signers ticked, in words.  A difference that the comparison does not show any more has its key."""
    known = dict(sentences(run, compared))
    return [ReadSentence(known.get(each.key, each.key), each.by) for each in read]


def name_of(line: Line, areas: dict[str, str]) -> str:
    named = {Group.NATURE: lambda: word("nature", line.code), Group.GROUND: lambda: word("ground", line.code)}
    name = named[line.group]() if line.group in named else areas.get(line.code, line.code)
    return word("compared", f"{line.group}_{line.measure}", name=name)


def _line(line: Line, compared: Comparison | None, areas: dict[str, str]) -> str:
    others = []
    if compared is not None and compared.before is not None and line.before is not None:
        others.append(_("第 %(n)s 次 %(share)s", n=compared.before.number, share=_share(line.before)))
    if line.last_year is not None:
        others.append(_("去年 %(share)s", share=_share(line.last_year)))
    if line.is_unusual and line.dry_runs is not None:
        low, high = (percent(part, line.dry_runs.whole) for part in (line.dry_runs.low, line.dry_runs.high))
        others.append(_("试算 %(low)s 到 %(high)s", low=low, high=high))
    said = _("、").join(others)
    return _("%(what)s %(now)s，%(others)s：我看过了", what=name_of(line, areas), now=_share(line.now), others=said)


def _rules(tried: RulesTried, areas: dict[str, str]) -> str:
    return _(
        "%(area)s的规则是在 %(then)s 个家庭上试算的，这次有 %(now)s 个：我看过了",
        area=areas.get(tried.area, tried.area),
        then=grouped(tried.applications),
        now=grouped(tried.applications_now),
    )


def _share(share: Share) -> str:
    return percent(share.part, share.whole)
