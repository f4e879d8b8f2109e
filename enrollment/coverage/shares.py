"""Public share and inclusive coverage from the roll: today, and after this year's intake.

The counting is in `counts.py`, the figures of children in `indicator.py`.
A `Definition` says what is counted; it is shown beside every figure.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from allocation.coverage import Coverage
from enrollment.coverage import counts, indicator, rollup
from enrollment.coverage.indicator import SWITCHES, Children, Definition
from enrollment.coverage.snapshots import Counted, Snapshot
from enrollment.coverage.targets import Targets, YearTargets, targets_on
from enrollment.ground.classifications import CLASS_LEVELS, Nature
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollClass
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round


@dataclass(frozen=True)
class CoverageLine:
    """An area's or a kindergarten's children on roll at the reference date, and after the intake.

    `least` are the children of `now` beside what the state asks of each county.  A single kindergarten has no targets:
    it is public or not, and no share of its own is judged.
    """

    code: str
    name: str
    name_en: str
    now: Coverage
    after: Coverage

    @property
    def empty(self) -> bool:
        """No child on roll, and none to come."""
        return not self.now.all and not self.after.all


Line = TypeVar("Line", bound=CoverageLine)


@dataclass(frozen=True)
class AreaLine(CoverageLine):
    """The line of an area or of the city."""

    least: Coverage


@dataclass(frozen=True)
class KindergartenLine(CoverageLine):
    """The line of a kindergarten; a site has the `nature` of its parent, and `attached` classes are of a school."""

    nature: str
    attached: bool
    children: Mapping[str, int]


@dataclass(frozen=True)
class Shares:
    """The city and its areas.

    `targets` are those of the reference date, `later` those of the intake's year, beside which "after" stands.
    `roll_of` is the newest date of the counted rolls, None without a roll; `coming` is the number of children with an offer
    that "after" adds.  `effects` are the city's children by the definition with one switch the other way round.
    """

    definition: Definition
    year: int
    targets: YearTargets
    later: YearTargets
    city: AreaLine
    areas: tuple[AreaLine, ...]
    roll_of: dt.date | None
    coming: int
    snapshot: Snapshot
    effects: Mapping[str, Coverage]


def city_shares(session: Session, definition: Definition, *, year: int) -> Shares:
    """Both shares of the city and of every area, in the areas' order; `year` is the intake that "after" adds."""
    snapshot = rollup.read(session, definition.on, year)
    names = {a.code: (a.name, a.name_en) for a in session.scalars(select(Area).order_by(Area.position))}
    goals = targets_on(session, definition.on)
    later = targets_on(session, max(definition.on, dt.date(year, 9, 1)), year=year)
    now, after = (_by_area(rows, definition) for rows in (snapshot.now, snapshot.after))
    areas = tuple(
        AreaLine(
            code,
            *both,
            indicator.share(now[code], definition, goals.of_area(code)),
            indicator.share(after[code], definition, later.of_area(code)),
            indicator.share(now[code], definition, goals.national),
        )
        for code, both in names.items()
    )
    coming = indicator.share((each.children for each in snapshot.coming), definition).all
    everybody = [each.children for each in snapshot.now]
    effects = {
        switch: indicator.share(everybody, definition.turned(switch), goals.city)
        for switch in SWITCHES
        if switch != "at_parent"  # moves children between areas and leaves the city as it is
    }
    return Shares(
        definition,
        year,
        goals,
        later,
        _total(areas, goals, later),
        areas,
        snapshot.roll_of,
        coming,
        snapshot,
        effects,
    )


def _by_area(rows: Iterable[Counted], definition: Definition) -> Mapping[str, list[Children]]:
    by_area: dict[str, list[Children]] = defaultdict(list)
    for row in rows:
        by_area[row.area_by(definition.at_parent)].append(row.children)
    return by_area


def area_shares(session: Session, area: str, definition: Definition, *, year: int) -> tuple[KindergartenLine, ...]:
    """The same for each open kindergarten and site of an area, the largest first."""
    at_parent = func.coalesce(counts.PARENT.area_code, Kindergarten.area_code)
    inside = (at_parent if definition.at_parent else Kindergarten.area_code) == area
    found = session.execute(
        select(
            Kindergarten.code,
            Kindergarten.name,
            counts.nature_column().label("nature"),
            Kindergarten.attached,
        )
        .outerjoin(counts.PARENT, counts.PARENT.id == Kindergarten.parent_id)
        .where(inside, counts.open_condition(definition.on))
    ).all()
    snapshot = counts.count(
        session,
        definition.on,
        year,
        by_kindergarten=True,
        within=inside,
        areas=None if definition.at_parent else [area],
    )
    now, after = _by_place(snapshot.now), _by_place(snapshot.after)
    lines = (
        KindergartenLine(
            row.code,
            row.name,
            row.name,
            indicator.share(now[row.code], definition),
            indicator.share(after[row.code], definition),
            row.nature,
            row.attached,
            _levels(now[row.code], definition),
        )
        for row in found
    )
    return tuple(sorted(lines, key=lambda line: (-line.now.all, line.code)))


def levels_of(figures: Shares) -> dict[str, Coverage]:
    """The city's children by class level, beside its targets; a level without children is left out."""
    by_level: dict[str, list[Children]] = defaultdict(list)
    for row in figures.snapshot.now:
        by_level[row.children.level].append(row.children)
    found = {
        level: indicator.share(by_level[level], figures.definition, figures.targets.city)
        for level in CLASS_LEVELS
        if level in by_level
    }
    return {level: coverage for level, coverage in found.items() if coverage.all}


def areas_of_level(figures: Shares, level: str) -> dict[str, Coverage]:
    """The children of one class level by area, beside the targets of the area."""
    by_area = _by_area((row for row in figures.snapshot.now if row.children.level == level), figures.definition)
    return {
        line.code: indicator.share(by_area[line.code], figures.definition, figures.targets.of_area(line.code))
        for line in figures.areas
    }


def _by_place(rows: Iterable[Counted]) -> Mapping[str, list[Children]]:
    by_place: dict[str, list[Children]] = defaultdict(list)
    for row in rows:
        by_place[row.place].append(row.children)
    return by_place


def _levels(children: Iterable[Children], definition: Definition) -> Counter[str]:
    levels: Counter[str] = Counter()
    for some in children:
        if definition.counts(some.level):
            levels[some.level] += some.number
    return levels


def private_kindergartens(session: Session, area: str, on: dt.date, *, with_inclusive: bool) -> int:
    """How many open private kindergartens an area has."""
    natures = [Nature.PRIVATE, Nature.INCLUSIVE] if with_inclusive else [Nature.PRIVATE]
    found = (
        select(func.count())
        .select_from(Kindergarten)
        .where(Kindergarten.area_code == area, Kindergarten.nature.in_(natures), counts.open_condition(on))
    )
    return session.scalar(found) or 0


def intake_is_published(session: Session, year: int) -> bool:
    """Whether a round of the year is published: before that, "after the intake" would count leavers but no new class."""
    published = select(Round.id).where(Round.year == year, Round.stage == RoundStage.PUBLISHED)
    return session.scalar(published.limit(1)) is not None


def without_intake(line: Line) -> Line:
    """The line with no children "after the intake", so that both shares read —."""
    nobody = Coverage(0, 0, 0, line.after.public_target, line.after.inclusive_target)
    return replace(line, after=nobody)


def first_school_year(session: Session) -> int | None:
    """The school year of the oldest roll; None without a roll."""
    return session.scalar(select(func.min(RollClass.school_year)))


def _total(areas: Sequence[AreaLine], goals: YearTargets, later: YearTargets) -> AreaLine:
    def beside(targets: Targets) -> Coverage:
        return Coverage(0, 0, 0, targets.public, targets.inclusive)

    now = sum((area.now for area in areas), beside(goals.city))
    least = now.with_targets(goals.national.public, goals.national.inclusive)
    return AreaLine("", "", "", now, sum((area.after for area in areas), beside(later.city)), least)
