"""The result of a dry run as tables: by priority, by kindergarten, and each wish that gains or loses."""

import csv
import io
from dataclasses import dataclass

from sqlalchemy import select

from enrollment.chances import policy_trial
from enrollment.laboratory import policy_outcomes, studies
from enrollment.laboratory.metrics import Metric
from enrollment.laboratory.study_rows import LaboratoryStudy
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.spreadsheets import escape_formula
from enrollment.season import policy_approval
from enrollment.season.policy_comparison import KindergartenChanges, PolicyComparison, WishChange
from enrollment.season.policy_rows import Policy
from enrollment.season.rules import Rules
from portal.officials.laboratory import figures
from portal.officials.laboratory.figures import Line
from portal.text.policy_rules import priority, rule_words
from portal.text.words import word
from portal.web.unit_of_work import db

PER_PAGE = 50
SHOWN_OUTCOMES = (Metric.OWN, Metric.UNPLACED, Metric.NAMED_FIRST, Metric.SERVED, Metric.COMPLAINT)
MOST_KINDERGARTENS = 30


@dataclass(frozen=True)
class Shown:
    """`rows` is one page of the wishes that win or lose; `.number`, `.last` and `.total` are for the pager."""

    trial: PolicyComparison
    before: Rules | None
    after: Rules
    names: dict[str, str]
    kindergartens: list[tuple[str, KindergartenChanges]]
    rows: list[WishChange]
    number: int
    last: int
    total: int


def shown(made: Policy, page: int = 1) -> Shown:
    trial, before, after = _trial(made)
    last = max(-(-len(trial.moved) // PER_PAGE), 1)
    number = min(max(page, 1), last)
    rows = trial.moved[(number - 1) * PER_PAGE : number * PER_PAGE]
    touched = [(code, swing) for code, swing in trial.kindergartens.items() if swing.wins or swing.loses]
    touched.sort(key=lambda pair: (-pair[1].wins - pair[1].loses, pair[0]))
    names = _names({row.kindergarten for row in rows} | {code for code, _swing in touched[:MOST_KINDERGARTENS]})
    return Shown(trial, before, after, names, touched[:MOST_KINDERGARTENS], rows, number, last, total=len(trial.moved))


@dataclass(frozen=True)
class Outcomes:
    """The study of a dry run: the figures of the version before and of this one, and (children, better, worse) of all."""

    study: LaboratoryStudy
    running: bool
    lines: list[Line]
    everybody: tuple[int | None, int | None, int | None] | None


def outcomes(made: Policy) -> Outcomes | None:
    """None where nothing was drawn."""
    study = policy_outcomes.newest(db(), made.id)
    if study is None:
        return None
    result = study.variants[-1].result
    everybody = tuple(result["groups"][0][1:]) if result else None
    return Outcomes(study, studies.is_running(db(), study), figures.lines(study, SHOWN_OUTCOMES), everybody)


def _trial(made: Policy) -> tuple[PolicyComparison, Rules | None, Rules]:
    earlier = policy_approval.previous_version(db(), made)
    trial = policy_approval.compare_with_previous(db(), made, policy_trial.cases_for(db(), made.id))
    return trial, policy_approval.rules_of(earlier) if earlier else None, policy_approval.rules_of(made)


def _names(codes: set[str]) -> dict[str, str]:
    found = select(Kindergarten.code, Kindergarten.name).where(Kindergarten.code.in_(codes))
    return {row.code: row.name for row in db().execute(found)}


def as_csv(made: Policy) -> str:
    """Every wish that gains or loses, with registration codes and without names."""
    trial, before, after = _trial(made)
    names = _names({row.kindergarten for row in trial.moved})
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\n")
    heads = ("code", "kindergarten", "before", "rule_before", "after", "rule_after", "change")
    writer.writerow([word("trial_column", head) for head in heads])
    for row in trial.moved:
        writer.writerow(
            escape_formula(cell)
            for cell in (
                row.code,
                names.get(row.kindergarten, row.kindergarten),
                priority(row.before.tier),
                rule_words(before or after, row.before.rule),
                priority(row.after.tier),
                rule_words(after, row.after.rule),
                word("trial_change", row.change),
            )
        )
    return out.getvalue()
