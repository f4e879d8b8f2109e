"""The numbers of a plan: children from the forecast, seats from the roll, wishes of the last families, and the measures."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from allocation.coverage import Coverage
from allocation.planning.problem import ALL, FULL, INCLUSIVE, OTHER, PUBLIC, AreaYear, Lock, Measure, Problem
from enrollment.applications.application_rows import Application, Wish
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.coverage import seats
from enrollment.coverage.forecast import outlook
from enrollment.coverage.forecast.outlook import Outlook, September
from enrollment.coverage.indicator import Definition
from enrollment.coverage.shares import Shares, city_shares
from enrollment.ground.city_time import today
from enrollment.ground.classifications import Nature
from enrollment.ground.errors import Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.measures import library, ramps
from enrollment.places.measures.rows import ENDS, MeasureKind, MeasureStage
from enrollment.places.measures.rows import Measure as MeasureRow
from enrollment.places.programmes import Programme
from enrollment.planning.question import Question, group_of
from enrollment.season.round_rows import Round, RoundKind, RoundStage

FEWEST_WISHES = 100
"""First wishes of an area below which they say nothing about what its families want."""

ROUNDS_OF_WISHES = 2
"""The newest main rounds whose wishes are asked: that of the last registration, and the one before."""

HIGHER = 105
"""Per cent of the expected children for whom there is room where the forecast has no interval."""


@dataclass(frozen=True)
class Basis:
    """What a plan starts from.  `forecast_until` is the last September of the forecast (0: there is none, today's children
    are taken for all years); later years repeat it.  `today` are the children of now by area, `wishes` how many first
    wishes say what families of the city want."""

    problem: Problem
    on: dt.date
    forecast: str
    forecast_until: int
    today: tuple[tuple[int, int, int], ...]
    wishes: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"on": self.on.isoformat()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Basis":
        of = dict(stored)
        return cls(
            problem=_problem_of(of["problem"]),
            on=dt.date.fromisoformat(of["on"]),
            forecast=of["forecast"],
            forecast_until=of["forecast_until"],
            today=tuple(_three(one) for one in of["today"]),
            wishes=of["wishes"],
        )


def first_september(session: Session, now: dt.datetime) -> int:
    """The year of the next September that a plan can be made for."""
    shares = _shares(session, today(now))
    return (shares.snapshot.school_year or today(now).year - 1) + 1


def read(session: Session, question: Question, locks: dict[str, str], *, now: dt.datetime) -> Basis:
    """The problem of a question.  Refuses `plan_no_roll` and `plan_no_measures`, and what the question refuses."""
    on = today(now)
    shares = _shares(session, on)
    if shares.snapshot.school_year is None:
        raise Refused("plan_no_roll")
    first = shares.snapshot.school_year + 1
    rows = [each for each in library.all_measures(session) if not is_open(each, first)]
    if not rows:
        raise Refused("plan_no_measures")
    question = question.checked(first)
    expected = outlook.outlook(session, shares)
    septembers = expected.septembers if isinstance(expected, Outlook) else {}
    areas = [line.code for line in shares.areas if line.now.all]
    number = {code: at for at, code in enumerate(areas)}
    now_of = {line.code: kinds_of(line.now) for line in shares.areas}
    places = _places(session, on, areas, now_of)
    measures = tuple(measures_of(rows, number, locks, first, question.years, ramps.in_force(session)))
    willing, wishes = _willing(session, areas, now)
    return Basis(
        problem=Problem(
            areas=tuple(areas),
            first_year=first,
            years=tuple(
                _years(question, first, now_of[code], septembers.get(code, ()), sum(places[at]))
                for at, code in enumerate(areas)
            ),
            places=places,
            measures=measures,
            city_targets=tuple(_city_targets(question, first, shares.city.now)),
            budget=None if question.budget is None else (question.budget,) * question.years,
            most=_most(question, measures),
            willing=willing,
            fill=question.fill,
            stay=question.stay,
        ),
        on=on,
        forecast=expected.digest if isinstance(expected, Outlook) else "",
        forecast_until=first + len(expected.city) - 1 if isinstance(expected, Outlook) else 0,
        today=tuple(now_of[code] for code in areas),
        wishes=wishes,
    )


def _shares(session: Session, on: dt.date) -> Shares:
    return city_shares(session, Definition(on), year=on.year)


def kinds_of(coverage: Coverage) -> tuple[int, int, int]:
    return coverage.public, coverage.inclusive, coverage.all - coverage.public - coverage.inclusive


def _share(part: int, everybody: int) -> int:
    return part * ALL // everybody if everybody else 0


def _years(
    question: Question, first: int, now: tuple[int, int, int], septembers: Iterable[September], places: int
) -> tuple[AreaYear, ...]:
    """The Septembers of an area; after the last one of the forecast its numbers stay."""
    known = list(septembers)
    found = []
    for lead in range(question.years):
        there = known[min(lead, len(known) - 1)] if known else None
        children = now if there is None else kinds_of(there.coverage)
        high = sum(children) * HIGHER // 100
        if there is not None and there.children_band is not None:
            high = round(there.children_band.high)
        public, covered = _share(now[PUBLIC], sum(now)), _share(now[PUBLIC] + now[INCLUSIVE], sum(now))
        found.append(
            AreaYear(
                children,
                min(places, high),
                question.target(question.public, public, first + lead, first),
                question.target(question.covered, covered, first + lead, first),
            )
        )
    return tuple(found)


def _city_targets(question: Question, first: int, now: Coverage) -> Iterable[tuple[int, int]]:
    public, covered = _share(now.public, now.all), _share(now.public + now.inclusive, now.all)
    for year in range(first, first + question.years):
        yield (
            question.target(question.public, public, year, first),
            question.target(question.covered, covered, year, first),
        )


def _places(
    session: Session, on: dt.date, areas: list[str], now: dict[str, tuple[int, int, int]]
) -> tuple[tuple[int, int, int], ...]:
    """Seats by kind; classes of schools count with the other ones, as the indicator counts their children."""
    found = {code: [0, 0, 0] for code in areas}
    kinds = {Nature.PUBLIC: PUBLIC, Nature.INCLUSIVE: INCLUSIVE}
    for one in seats.seats_of(session, on):
        if one.area in found:
            found[one.area][OTHER if one.attached else kinds.get(Nature(one.nature), OTHER)] += one.number
    return tuple(_three(max(pair) for pair in zip(found[code], now[code], strict=True)) for code in areas)


def _willing(session: Session, areas: list[str], now: dt.datetime) -> tuple[tuple[int | None, ...], int]:
    """The part of first wishes of the newest main round that name a public kindergarten, by the area where it is.

    A round counts once its registration has ended.  An area with few wishes in it has those of the year before.
    """
    closed = (
        select(Round.id)
        .where(Round.kind == RoundKind.MAIN, Round.stage != RoundStage.PLANNED, Round.closes_at <= now)
        .order_by(Round.year.desc(), Round.number)
        .limit(ROUNDS_OF_WISHES)
    )
    counted: dict[str, tuple[int, int]] = {}
    for round_id in session.scalars(closed).all():
        for area, first in _first_wishes(session, round_id).items():
            if area in areas and counted.get(area, (0, 0))[0] < FEWEST_WISHES <= first[0]:
                counted[area] = first
            elif area in areas:
                counted.setdefault(area, first)
    none = (0, 0)
    parts = tuple(
        _share(public, everybody) if everybody >= FEWEST_WISHES else None
        for everybody, public in (counted.get(code, none) for code in areas)
    )
    return parts, sum(everybody for everybody, _public in counted.values())


def _first_wishes(session: Session, round_id: uuid.UUID) -> dict[str, tuple[int, int]]:
    """By area of the kindergarten: the first wishes of handed-in applications of a round, and those for a public one."""
    query = (
        select(Kindergarten.area_code, func.count(), func.count().filter(Kindergarten.nature == Nature.PUBLIC))
        .select_from(Wish)
        .join(Application, Application.id == Wish.application_id)
        .join(Programme, Programme.id == Wish.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Wish.round_id == round_id, Wish.rank == 1, Application.stage.in_(HANDED_IN))
        .group_by(Kindergarten.area_code)
    )
    return {area: (everybody, public) for area, everybody, public in session.execute(query)}


def is_open(row: MeasureRow, first: int) -> bool:
    """Whether the roll has the places of a project already, so that no plan may count them again: it is done, or it is under
    way and was to open before the September of `first`."""
    return row.stage == MeasureStage.DONE or (row.stage == MeasureStage.UNDERWAY and row.opens < first)


def measures_of(
    rows: Iterable[MeasureRow],
    number: Mapping[str, int],
    locks: Mapping[str, str],
    first: int,
    years: int,
    ramp_of: Mapping[str, tuple[int, ...]],
) -> Iterable[Measure]:
    """Measures of areas with children.  Of those for one kindergarten at most one is taken.

    The work of a project under way has begun: it opens in its year, its money is spent, and no lock takes it back.  One that
    opens after these years is left out.
    """
    for row in rows:
        decided = row.stage == MeasureStage.UNDERWAY
        if row.area_code not in number or (decided and row.opens >= first + years):
            continue
        yield Measure(
            code=row.code,
            kind=str(group_of(row.kind)),
            area=number[row.area_code],
            places=_change(row),
            cost=0 if decided else row.cost,
            yearly=row.yearly,
            earliest=0 if decided else row.earliest_year - first,
            lead=row.opens - first if decided else row.lead_years,
            site="" if row.kindergarten is None else row.kindergarten.code,
            lock=Lock.MUST if decided else Lock(locks.get(row.code, Lock.FREE)),
            ramp=ramp_of.get(row.kind, FULL),
            decided=decided,
        )


def _most(question: Question, measures: Iterable[Measure]) -> dict[str, int]:
    """The caps of kinds; what is under way does not use them up."""
    begun = Counter(each.kind for each in measures if each.decided)
    return {kind: most + begun[kind] for kind, most in question.most.items()}


def _change(row: MeasureRow) -> tuple[int, int, int]:
    """How the places of the area change by kind."""
    kinds = {Nature.PUBLIC: PUBLIC, Nature.INCLUSIVE: INCLUSIVE}
    of_place = OTHER if row.kindergarten is None else kinds.get(Nature(row.kindergarten.nature), OTHER)
    if row.kindergarten is not None and row.kindergarten.attached:
        of_place = OTHER
    change = [0, 0, 0]
    if row.kind in ENDS:
        change[of_place] -= row.places
    elif row.kind in (MeasureKind.TO_PUBLIC, MeasureKind.TO_INCLUSIVE):
        change[of_place] -= row.places
        change[PUBLIC if row.kind == MeasureKind.TO_PUBLIC else INCLUSIVE] += row.places
    else:
        change[kinds.get(Nature(row.nature), PUBLIC)] += row.places
    return _three(change)


def _three(numbers: Iterable[int]) -> tuple[int, int, int]:
    one, two, three = numbers
    return one, two, three


def _problem_of(stored: dict[str, Any]) -> Problem:
    return Problem(
        areas=tuple(stored["areas"]),
        first_year=stored["first_year"],
        years=tuple(
            tuple(AreaYear(**(one | {"children": _three(one["children"])})) for one in line) for line in stored["years"]
        ),
        places=tuple(_three(one) for one in stored["places"]),
        measures=tuple(
            Measure(
                **one
                | {"places": _three(one["places"]), "lock": Lock(one["lock"]), "ramp": tuple(one.get("ramp", FULL))}
            )
            for one in stored["measures"]
        ),
        city_targets=tuple((one[0], one[1]) for one in stored["city_targets"]),
        budget=None if stored["budget"] is None else tuple(stored["budget"]),
        most=stored["most"],
        willing=tuple(stored["willing"]),
        fill=stored["fill"],
        stay=stored["stay"],
    )
