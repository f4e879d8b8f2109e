"""Every plan is played through by the engine: after its search, and again when an official asks.

The families are those of the newest published run of a main round, with their wishes, tiers and reserved places as they
were frozen.  What the engine is given beyond that stands in `allocation/planning/town_market.py`.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from allocation.arrays import Array
from allocation.planning import arithmetic, simulation
from allocation.planning.arithmetic import Seated
from allocation.planning.problem import ALL, INCLUSIVE, OTHER, PUBLIC, Measure, Problem
from allocation.planning.simulation import Played
from allocation.planning.town_market import COHORTS, Change, Project, Town, entering_parts
from enrollment.chances import estimate_market
from enrollment.draw import market_builder, market_files
from enrollment.draw.draws import Snapshot
from enrollment.draw.round_market import OfferedProgramme
from enrollment.draw.run_rows import Run
from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.classifications import Level, Nature
from enrollment.ground.errors import Refused
from enrollment.ground.jobs import Job, JobState
from enrollment.places import programmes
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.measures import library
from enrollment.places.measures.rows import ENDS, OPENS
from enrollment.places.measures.rows import Measure as MeasureRow
from enrollment.planning import plans
from enrollment.planning.plan_rows import MeasurePlan, PlanState
from enrollment.planning.problem_reader import Basis
from enrollment.planning.simulation_rows import PlanSimulation
from enrollment.season.round_rows import Round, RoundKind

KIND = "simulate_plan"
DRAWS = 20
LOW, HIGH = 5, 95
"""The interval holds nine of ten draws."""

KINDS = {Nature.PUBLIC: PUBLIC, Nature.INCLUSIVE: INCLUSIVE}
STAY = {Level.LOWER: COHORTS, Level.MIDDLE: 2, Level.UPPER: 1}
FIGURES = ("public", "inclusive", "other", "unplaced")


@dataclass(frozen=True)
class Source:
    """The published run whose families are asked again."""

    run_id: uuid.UUID
    number: int
    digest: str
    year: int
    name: str
    published_at: dt.datetime | None


@dataclass(frozen=True)
class Task:
    """What is played through."""

    plan_id: uuid.UUID
    basis: Basis
    starts: dict[str, int]
    town: Town
    projects: tuple[Project, ...]
    source: Source

    @property
    def draws(self) -> int:
        """Of all years together."""
        return DRAWS * self.basis.problem.horizon


def of_plan(session: Session, plan_id: uuid.UUID) -> PlanSimulation | None:
    """The newest simulation of a plan, with its result."""
    return session.get(PlanSimulation, plan_id, options=[undefer(PlanSimulation.result)], populate_existing=True)


def result_for(plan: MeasurePlan, row: PlanSimulation | None) -> dict[str, Any] | None:
    """The result, if it was made for the measures and numbers that the plan has now."""
    if row is None or row.result is None or plan.result is None:
        return None
    made_for = (row.result["digest"], row.result["starts"])
    return row.result if made_for == (plan.result["digest"], plan.result["starts"]) else None


def is_running(session: Session, row: PlanSimulation | None) -> bool:
    """Whether a worker plays the plan through or is about to; not when its job has failed."""
    job = job_of(session, row)
    return row is not None and row.state == PlanState.RUNNING and job is not None and job.state != JobState.FAILED


def job_of(session: Session, row: PlanSimulation | None) -> Job | None:
    """The newest job of a simulation."""
    if row is None or row.job_id is None:
        return None
    return session.get(Job, row.job_id, populate_existing=True)


def ask(session: Session, plan_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Play a plan through again, also a signed one: its numbers stay.  Refuses `only_the_city` and `plan_not_ready`."""
    if not by.is_any(Role.CITY_OFFICIAL):
        raise Refused("only_the_city")
    plan = plans.get(session, plan_id)
    if not _may_be_played(plan):
        raise Refused("plan_not_ready")
    enqueue(session, plan, now=now)
    audit.record(session, "ask_simulate_plan", "measure_plan", plan.id, by=by, now=now, name=plan.name)


def enqueue_after_search(session: Session, plan_id: uuid.UUID, *, now: dt.datetime) -> None:
    """After a search that has found a plan that stands up to arithmetic."""
    plan = plans.get(session, plan_id)
    if _may_be_played(plan):
        enqueue(session, plan, now=now)


def _may_be_played(plan: MeasurePlan) -> bool:
    return plan.basis is not None and bool((plan.result or {}).get("checked"))


def enqueue(session: Session, plan: MeasurePlan, *, now: dt.datetime) -> None:
    """Begin a simulation in the background, unless one of the plan is waiting or running."""
    row = session.get(PlanSimulation, plan.id, with_for_update=True)
    if is_running(session, row):
        return
    if row is None:
        row = PlanSimulation(plan_id=plan.id)
        session.add(row)
    row.state, row.asked_at, row.result, row.ended_at = PlanState.RUNNING, now, None, None
    row.job_id = jobs.enqueue(session, KIND, {"plan": str(plan.id)}, now=now)
    session.flush()


def read(session: Session, plan_id: uuid.UUID) -> Task | None:
    """Everything the engine needs; None if the plan has no measures to play any more.  Refuses `simulation_without_run`."""
    plan = plans.get(session, plan_id)
    if not _may_be_played(plan) or plan.basis is None or plan.result is None:
        return None
    found = newest_source(session)
    if found is None:
        raise Refused("simulation_without_run")
    run, source = found
    basis, starts = Basis.from_json(plan.basis), dict(plan.result["starts"])
    town, kindergartens = _town(session, run, basis.problem.areas)
    rows = library.of_codes(session, list(starts))
    projects = tuple(_projects(rows, basis.problem, starts, kindergartens))
    return Task(plan.id, basis, starts, town, projects, source)


def newest_source(session: Session) -> tuple[Run, Source] | None:
    """The newest published run of a main round that placed all its families; a later replay holds only those who wait."""
    found = session.execute(
        select(Run, Round)
        .join(Round, Round.id == Run.round_id)
        .where(Round.kind == RoundKind.MAIN, Run.published_at.is_not(None), Run.replays.is_(None))
        .order_by(Run.published_at.desc(), Run.id)
        .limit(1)
    ).first()
    if found is None:
        return None
    run, round_ = found
    return run, Source(run.id, run.number, run.digest or "", round_.year, round_.name, run.published_at)


def _town(session: Session, run: Run, areas: tuple[str, ...]) -> tuple[Town, dict[str, int]]:
    """The frozen market of a run, and the numbers of its kindergartens by code.  Areas without children come last."""
    snapshot = session.get_one(Snapshot, run.snapshot_id)
    frozen = market_files.read(market_files.unpack(snapshot.market))
    known = programmes.by_code(session, int(frozen.season))
    market = market_builder.decode(frozen, {code: each.id for code, each in known.items()})
    offered = market.programmes
    attached = set(session.scalars(select(Kindergarten.code).where(Kindergarten.attached.is_(True))))
    number = {code: at for at, code in enumerate(dict.fromkeys((*areas, *(each.area for each in offered))))}
    town = Town(
        market=estimate_market.encode(market),
        area=np.array([number[each.area] for each in offered], dtype=np.int64),
        kind=np.array([_kind(each, attached) for each in offered], dtype=np.int64),
        stay=np.array([STAY.get(Level(each.level), 0) for each in offered], dtype=np.int64),
        areas=len(number),
    )
    return town, {code: at for at, code in enumerate(dict.fromkeys(each.kindergarten for each in offered))}


def _kind(programme: OfferedProgramme, attached: set[str]) -> int:
    return OTHER if programme.kindergarten in attached else KINDS.get(Nature(programme.nature), OTHER)


def _projects(
    rows: Iterable[MeasureRow], problem: Problem, starts: dict[str, int], kindergartens: dict[str, int]
) -> Iterable[Project]:
    """The measures of the plan with the numbers that it was made of; those that begin to count after its years are left out."""
    of_plan_ = {each.code: each for each in problem.measures}
    for row in rows:
        measure = of_plan_[row.code]
        since = starts[row.code] + measure.lead
        change = Change.ADD if row.kind in OPENS else Change.END if row.kind in ENDS else Change.TURN
        gains = [kind for kind in range(3) if measure.places[kind] > 0]
        loses = [kind for kind in range(3) if measure.places[kind] < 0]
        place = row.kindergarten
        if not gains and not loses:
            continue
        yield Project(
            code=row.code,
            change=change,
            area=measure.area,
            kindergarten=-1 if place is None else kindergartens.get(place.code, -1),
            was=loses[0] if loses else gains[0],
            kind=gains[0] if gains else loses[0],
            places=max(abs(places) for places in measure.places),
            since=since,
            ramp=measure.ramp,
        )


def run(task: Task, tell: Callable[[int], None]) -> dict[str, Any]:
    """Play the plan through; `tell` gets the draws done and may raise to stop."""
    problem = task.basis.problem
    expected = np.array([[one.children for one in line] for line in problem.years], dtype=float).swapaxes(0, 1)
    more = task.town.areas - len(problem.areas)
    today = np.array([sum(one) for one in task.basis.today], dtype=float)
    factors = expected.sum(axis=2) / np.maximum(today, 1)
    factors = np.concatenate((factors, np.ones((problem.horizon, more))), axis=1)
    played = simulation.play(task.town, task.projects, factors, draws=DRAWS, seed=task.source.year, tell=tell)
    roll = played.roll(np.concatenate((expected, np.zeros((problem.horizon, more, 3))), axis=1))[
        :, :, : len(problem.areas)
    ]
    plan, without = arithmetic.figures(problem, task.starts), arithmetic.figures(problem, {})
    youngest = arithmetic.figures(_of_one_september(problem), task.starts).city
    return {
        "digest": problem.digest,
        "starts": task.starts,
        "draws": DRAWS,
        "source": {
            "run": str(task.source.run_id),
            "number": task.source.number,
            "digest": task.source.digest,
            "year": task.source.year,
            "name": task.source.name,
            "published": task.source.published_at.isoformat() if task.source.published_at else None,
            "children": task.town.market.children,
        },
        "entering": [_entering(played, youngest[year], without.city[year], year) for year in range(problem.horizon)],
        "shares": [
            ["", _shares(plan.city, roll.sum(axis=2))],
            *(
                [code, _shares(line, roll[:, :, area])]
                for area, (code, line) in enumerate(zip(problem.areas, plan.seated, strict=True))
            ),
        ],
        "measures": list(_measures(played, problem)),
    }


def _of_one_september(problem: Problem) -> Problem:
    """The same problem for the children of one September alone, of whom it has a third: each measure offers them a third of
    its places in every year, where its ramp lets it."""

    def ramp(each: Measure) -> tuple[int, ...]:
        parts = entering_parts(each.ramp, len(each.ramp) + COHORTS)
        return tuple(min(round(part * COHORTS), 100) for part in parts)

    return replace(problem, measures=tuple(replace(each, ramp=ramp(each)) for each in problem.measures))


def _entering(played: Played, planned: Seated, without: Seated, year: int) -> dict[str, Any]:
    """The children of one September.  The round has no families who never apply, so what the plan changes for the children
    of one September (`planned` over `without` measures) is asked of the same part of the families."""
    children = int(played.children[year])
    drawn = np.concatenate((played.entering(year), played.unplaced[year][:, None]), axis=1)
    before = np.concatenate((played.entering_before(year), played.unplaced_before[year][:, None]), axis=1).mean(axis=0)
    changes = [one - other for one, other in zip(_parts(planned), _parts(without), strict=True)]
    rows = {
        name: [
            max(round(float(before[at]) + children * changes[at]), 0),
            *_interval(drawn[:, at]),
            round(float(before[at])),
        ]
        for at, name in enumerate(FIGURES)
    }
    return {"children": children} | rows


def _parts(one: Seated) -> list[float]:
    everybody = max(one.all + one.unseated, 1)
    return [number / everybody for number in (one.public, one.inclusive, one.other, one.unseated)]


def _shares(planned: Iterable[Seated], roll: Array) -> list[dict[str, list[int]]]:
    """Both shares by year in hundredths of a percent: planned, mean, and the two ends of the interval."""
    found = []
    for year, one in enumerate(planned):
        children = np.maximum(roll[year].sum(axis=1), 1)
        public = ALL * roll[year][:, PUBLIC] / children
        covered = ALL * (roll[year][:, PUBLIC] + roll[year][:, INCLUSIVE]) / children
        everybody = max(one.all, 1)
        found.append(
            {
                "public": [ALL * one.public // everybody, *_interval(public)],
                "covered": [ALL * (one.public + one.inclusive) // everybody, *_interval(covered)],
            }
        )
    return found


def _measures(played: Played, problem: Problem) -> Iterable[list[Any]]:
    """For each measure that brings or turns places, in the last year: code, the first year in force, places of one
    September, how many of these the plan counts on, and how many are taken with the interval."""
    year = problem.horizon - 1
    for each in played.town.in_force(year):
        if each.change == Change.END:
            continue
        places, taken = played.filled(each, year)
        if places:
            yield [each.code, each.since, places, places * problem.fill // 100, *_interval(taken)]


def _interval(values: Array) -> list[int]:
    """The mean, and the ends between which nine of ten draws lie, outwards to whole numbers."""
    low, high = np.percentile(values, (LOW, HIGH))
    return [round(float(np.mean(values))), int(np.floor(low + 1e-9)), int(np.ceil(high - 1e-9))]


def finish(session: Session, plan_id: uuid.UUID, job_id: uuid.UUID, result: dict[str, Any] | None, *, now: dt.datetime) -> None:  # fmt: skip
    """Keep what was found; without a result there is nothing to play, and the result of the job says why.  Not if another
    simulation has begun meanwhile."""
    simulated = session.get(PlanSimulation, plan_id, with_for_update=True)
    if simulated is None or simulated.job_id != job_id:
        return
    simulated.state = PlanState.REFUSED if result is None else PlanState.DONE
    simulated.result, simulated.ended_at = result, now
    session.flush()
