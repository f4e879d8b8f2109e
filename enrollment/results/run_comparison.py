"""What a run is compared with before two people sign it: the run before it in its round, last year's result, and the dry runs
of the rules.

A share is compared with a share of the same children: of an area, of a verified ground, of all.  Counts of sensitive
grounds are told only where neither they nor their difference point to a few children.
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from enrollment.draw import runs
from enrollment.draw.comparison import dry_runs
from enrollment.draw.comparison.last_year import RulePart
from enrollment.draw.run_rows import Run, RunState, WishReason
from enrollment.ground.audit import AuditEntry
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.results import run_causes
from enrollment.results.run_causes import Cause
from enrollment.season import small_cells
from enrollment.season.facts import SENSITIVE_GROUNDS
from enrollment.season.policy_rows import Policy
from enrollment.season.round_rows import Round, RoundKind, RoundPolicy

MARKED_POINTS = 3
"""A share is marked if it differs by so many percentage points or more."""

MARKED_CHILDREN = small_cells.FEWEST
"""Shares of fewer children are not marked: one child more or less would mark them."""


class Measure(StrEnum):
    """What is counted of a group of children."""

    PLACED = "placed"
    FIRST = "first"
    OF_NATURE = "of_nature"


class Group(StrEnum):
    ALL = "all"
    NATURE = "nature"
    AREA = "area"
    GROUND = "ground"


@dataclass(frozen=True)
class Share:
    """`part` of `whole` children; `part` is None where it would point to a few of them."""

    part: int | None
    whole: int


@dataclass(frozen=True)
class Range:
    """The least, the middle and the largest number of children that a figure had in the dry runs, of `whole` children."""

    low: int
    middle: int
    high: int
    whole: int

    def holds(self, share: Share) -> bool:
        """Whether the share lies in the range."""
        return share.part is not None and (self.low * share.whole <= share.part * self.whole <= self.high * share.whole)

    def is_far_from(self, share: Share) -> bool:
        """Further outside than a quarter of the range, and by more than one child.

        About 1 figure in 100 lies outside the range of 200 draws by chance; a quarter further, about 1 in 20,000.
        """
        if share.part is None:
            return False
        outside = max(self.low - share.part, share.part - self.high)
        return outside > 1 and outside * 4 > self.high - self.low


@dataclass(frozen=True)
class Line:
    """One share of the run beside the same share before; `code` is an area, a nature or a ground, "" for all children.

    `dry_runs` is what other tickets would have given; `cause` is set for what is marked.
    """

    group: Group
    code: str
    measure: Measure
    now: Share
    before: Share | None
    last_year: Share | None
    dry_runs: Range | None = None
    cause: Cause | None = None

    @property
    def is_unusual(self) -> bool:
        """Other tickets would have given quite another figure."""
        return self.dry_runs is not None and self.dry_runs.is_far_from(self.now)

    @property
    def is_marked(self) -> bool:
        return self.is_unusual or any(_differs(self.now, other) for other in (self.before, self.last_year))

    @property
    def differs_from_before(self) -> bool:
        return _differs(self.now, self.before)


@dataclass(frozen=True)
class RulesTried:
    """The dry run of the rules of an area before they were signed, beside what the run applied them to.

    `applications` and `wishes` are those of the dry run; `winners` and `losers` the families that stood better or worse
    than under the rules before.
    """

    area: str
    version: int
    tried_at: dt.datetime
    applications: int
    wishes: int
    winners: int
    losers: int
    applications_now: int
    wishes_now: int

    @property
    def is_marked(self) -> bool:
        """The families of the run differ by a tenth or more from those that the rules were tried with."""
        return abs(self.applications_now - self.applications) * 10 >= max(self.applications, 1)


@dataclass(frozen=True)
class LastRulesPart:
    """One part of the rules that differs, tried alone.  `told` is what it was and is, as `last_year.compare` says it."""

    part: RulePart
    told: tuple[Any, ...]
    better: int
    worse: int

    @property
    def is_marked(self) -> bool:
        return bool(self.better or self.worse)


@dataclass(frozen=True)
class LastRules:
    """The same children with the same wishes, tickets and places under the rules of the year before: how many this run
    places better or worse, of all and of each ground (children, better, worse), and by each part of the rules alone."""

    year: int
    children: int
    better: int
    worse: int
    grounds: Mapping[str, tuple[int, int, int]]
    parts: tuple[LastRulesPart, ...] = ()

    @property
    def same(self) -> int:
        return self.children - self.better - self.worse

    @property
    def is_marked(self) -> bool:
        """Somebody's place depends on which rules hold."""
        return bool(self.better or self.worse)


class Compared(StrEnum):
    """What a run can be compared with."""

    DRY_RUNS = "dry_runs"
    BEFORE = "before"
    LAST_YEAR = "last_year"
    RULES = "rules"


@dataclass(frozen=True)
class Comparison:
    before: Run | None
    last_year: Run | None
    lines: tuple[Line, ...]
    rules: tuple[RulesTried, ...]
    dry_runs: int
    last_rules: LastRules | None

    @property
    def marked(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.is_marked)

    @property
    def like_before(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if not line.is_marked)


def of_run(session: Session, run: Run) -> Comparison:
    """The comparison of a run that was computed; of a central run only with the run before it, which has no wishes."""
    round_ = session.get_one(Round, run.round_id)
    before, last_year = _before(session, run), _last_year(session, run, round_)
    summary = run.summary or {}
    lines = lines_of(
        summary,
        (before.summary or {}) if before else {},
        (last_year.summary or {}) if last_year else {},
    )
    return Comparison(
        before,
        last_year,
        tuple(_with_causes(session, run, before, last_year, list(lines))),
        tuple(_rules(session, run, round_)) if run.replays is None and round_.kind != RoundKind.CENTRAL else (),
        int(summary.get("dry_runs", {}).get("draws", 0)),
        _last_rules(summary, round_),
    )


def _last_rules(summary: Mapping[str, Any], round_: Round) -> LastRules | None:
    told = summary.get("last_rules")
    if not told:
        return None
    children, better, worse = told["all"]
    grounds = {ground: (of_all, more, less) for ground, (of_all, more, less) in told["grounds"].items()}
    alone = told.get("parts", {})
    parts = tuple(LastRulesPart(part, tuple(told["rules"][part]), *alone[part]) for part in RulePart if part in alone)
    return LastRules(round_.year - 1, children, better, worse, grounds, parts)


def compared_with(session: Session, run: Run) -> frozenset[Compared]:
    """What there is to compare the run with, without a figure of it; it costs the same for any number of children."""
    round_ = session.get_one(Round, run.round_id)
    tried = select(Policy.id).join(RoundPolicy, RoundPolicy.policy_id == Policy.id)
    tried = tried.where(RoundPolicy.round_id == round_.id, Policy.dry_run_at.is_not(None)).limit(1)
    known = {
        Compared.DRY_RUNS: bool((run.summary or {}).get("dry_runs")),
        Compared.BEFORE: _before(session, run) is not None,
        Compared.LAST_YEAR: _last_year(session, run, round_) is not None,
        Compared.RULES: run.replays is None and session.scalar(tried) is not None,
    }
    return frozenset(each for each, there in known.items() if there)


def _with_causes(
    session: Session, run: Run, before: Run | None, last_year: Run | None, lines: list[Line]
) -> Iterator[Line]:
    """The lines, the marked ones with their causes."""
    inputs: dict[uuid.UUID, run_causes.Inputs] = {}

    def inputs_of(one: Run) -> run_causes.Inputs:
        if one.id not in inputs:
            inputs[one.id] = run_causes.inputs_of(session, one)
        return inputs[one.id]

    for line in lines:
        if not line.is_marked:
            yield line
            continue
        other, share = (
            (before, line.before) if line.differs_from_before or not last_year else (last_year, line.last_year)
        )
        if other is None or share is None:
            yield replace(line, cause=Cause(None, None, None, False, line.is_unusual))
            continue
        where = {
            "area": line.code if line.group == Group.AREA else "",
            "nature": line.code if line.group == Group.NATURE else "",
        }
        had, has = inputs_of(other), inputs_of(run)
        yield replace(
            line,
            cause=Cause(
                run_causes.changed(had.places_of(**where), has.places_of(**where)) if has.places else None,
                run_causes.changed(share.whole, line.now.whole) if line.group != Group.NATURE else None,
                run_causes.demand(had, has, **where) if line.group != Group.GROUND and run.replays is None else None,
                line.dry_runs is not None and line.dry_runs.holds(share),
                line.is_unusual,
            ),
        )


def _before(session: Session, run: Run) -> Run | None:
    """The run that a replay follows; otherwise the newest one before it in its round."""
    if run.replays is not None:
        return runs.one(session, run.replays)
    earlier = (each for each in runs.of_round(session, run.round_id) if each.number < run.number)
    return next((each for each in earlier if each.summary and each.state != RunState.FAILED), None)


def _last_year(session: Session, run: Run, round_: Round) -> Run | None:
    """The first published result of a round of the same kind of the year before."""
    if run.replays is not None or round_.kind == RoundKind.CENTRAL:
        return None
    found = (
        select(Run)
        .join(Round, Round.id == Run.round_id)
        .where(
            Round.year == round_.year - 1,
            Round.kind == round_.kind,
            Run.replays.is_(None),
            Run.published_at.is_not(None),
        )
        .order_by(Round.number)
        .limit(1)
    )
    return session.scalars(found).first()


def lines_of(summary: Mapping[str, Any], before: Mapping[str, Any], last_year: Mapping[str, Any]) -> Iterator[Line]:
    """The shares of a summary, each beside the same share of the two others; these may be empty."""
    now, earlier, older = _shares(summary), _shares(before), _shares(last_year)
    for (group, code, measure), share in now.items():
        key = (group, code, measure)
        sensitive = group == Group.GROUND and code in SENSITIVE_GROUNDS
        yield Line(
            group,
            code,
            measure,
            share,
            _beside(share, earlier.get(key), sensitive),
            _beside(share, older.get(key), sensitive),
            _range_of(summary, key, share),
        )


def _range_of(summary: Mapping[str, Any], key: tuple[Group, str, Measure], share: Share) -> Range | None:
    """None for a run from before there were dry runs, and where the share itself is not told."""
    found = summary.get("dry_runs", {}).get("ranges", {}).get(dry_runs.key(*key))
    if not found or share.part is None:
        return None
    low, middle, high = found
    return Range(low, middle, high, share.whole)


def _beside(now: Share, before: Share | None, sensitive: bool) -> Share | None:
    """Of nearly the same children, the difference of two counts of a sensitive ground would tell about a few of them."""
    if before is None or not sensitive or now.part is None or before.part is None:
        return before
    close = small_cells.is_small(abs(now.whole - before.whole)) or small_cells.is_small(abs(now.part - before.part))
    return Share(None, before.whole) if close else before


def _shares(summary: Mapping[str, Any]) -> dict[tuple[Group, str, Measure], Share]:
    if not summary:
        return {}
    children, placed = int(summary["children"]), int(summary["placed"])
    found = {(Group.ALL, "", Measure.PLACED): Share(placed, children)}
    if summary.get("by_rank"):
        found[Group.ALL, "", Measure.FIRST] = Share(int(summary["by_rank"].get("1", 0)), children)
    for nature, count in summary.get("by_nature", {}).items():
        found[Group.NATURE, nature, Measure.OF_NATURE] = Share(int(count), placed)
    for code, counts in (summary.get("by_area") or summary.get("by_home") or {}).items():
        found |= _of_group(Group.AREA, code, counts)
    for code, counts in (summary.get("by_ground") or {}).items():
        found |= _of_group(Group.GROUND, code, counts)
    return found


def _of_group(group: Group, code: str, counts: Mapping[str, Any]) -> dict[tuple[Group, str, Measure], Share]:
    measures = [measure for measure in (Measure.PLACED, Measure.FIRST) if measure in counts]
    return {(group, code, measure): Share(counts[measure], int(counts["children"])) for measure in measures}


def _differs(now: Share, before: Share | None) -> bool:
    if before is None or now.part is None or before.part is None:
        return False
    if min(now.whole, before.whole) < MARKED_CHILDREN:
        return False
    # whole numbers: |a/b - c/d| >= points / 100
    return abs(now.part * before.whole - before.part * now.whole) * 100 >= MARKED_POINTS * now.whole * before.whole


def _rules(session: Session, run: Run, round_: Round) -> Iterator[RulesTried]:
    applied = _applied_to(session, run.id)
    found = (
        select(Policy)
        .join(RoundPolicy, RoundPolicy.policy_id == Policy.id)
        .where(RoundPolicy.round_id == round_.id)
        .order_by(Policy.area_code)
    )
    for made in session.scalars(found):
        tried = _newest_dry_run(session, made)
        if tried is not None:
            at, told = tried
            applications, wishes = applied.get(made.area_code, (0, 0))
            yield RulesTried(
                made.area_code,
                made.version,
                at,
                told["applications"],
                told["wishes"],
                told["winners"],
                told["losers"],
                applications,
                wishes,
            )


def _newest_dry_run(session: Session, made: Policy) -> tuple[dt.datetime, Mapping[str, int]] | None:
    """The last dry run before the rules were signed, as the audit has it."""
    found = select(AuditEntry).where(
        AuditEntry.subject == "policy", AuditEntry.subject_id == str(made.id), AuditEntry.act == "dry_run_policy"
    )
    if made.signed_at is not None:
        found = found.where(AuditEntry.at <= made.signed_at)
    last = session.scalars(found.order_by(AuditEntry.at.desc(), AuditEntry.number.desc()).limit(1)).first()
    return (last.at, last.details) if last else None


def _applied_to(session: Session, run_id: uuid.UUID) -> dict[str, tuple[int, int]]:
    """For each area how many applications of the run have a wish there, and how many wishes."""
    counted = (
        select(Kindergarten.area_code, func.count(distinct(WishReason.application_id)), func.count())
        .select_from(WishReason)
        .join(Programme, Programme.id == WishReason.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(WishReason.run_id == run_id)
        .group_by(Kindergarten.area_code)
    )
    return {area: (int(families), int(wishes)) for area, families, wishes in session.execute(counted)}
