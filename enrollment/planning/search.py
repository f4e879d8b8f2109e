"""The search for a plan: numbers are read once, HiGHS works outside any transaction, the best plan is kept at every step."""

import datetime as dt
import importlib.metadata
import math
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from allocation.planning import arithmetic, conflict, effects, model
from allocation.planning.conflict import Promise
from allocation.planning.model import Effort, Solved, Watch
from allocation.planning.problem import ALL, Problem
from enrollment.planning import plans, problem_reader
from enrollment.planning.plan_rows import MeasurePlan, PlanState
from enrollment.planning.problem_reader import Basis
from enrollment.planning.question import Question

CURVE = (-100, -50, 50, 100, 150, 200)
"""Other public targets, in hundredths of a percent beside the one that is asked."""

PATIENCE = 1.0
"""Seconds between two looks whether somebody stopped the search."""

EFFORT = Effort((60.0, 120.0, 420.0))
OF_A_POINT, OF_A_PROMISE = Effort((5.0, 15.0, 40.0)), Effort((5.0, 10.0, 20.0))


@dataclass(frozen=True)
class Task:
    """What is searched for; `before` are the starts of the last search."""

    plan_id: uuid.UUID
    basis: Basis
    before: dict[str, int]


@dataclass(frozen=True)
class Reporter:
    """How the search tells what it does: `step` gets the code of a step, done and all seconds; `save` a result;
    `stopped` says whether an official stopped it."""

    step: Callable[[str, int, int], None]
    save: Callable[[dict[str, Any]], None]
    stopped: Callable[[], bool]


def read(session: Session, plan_id: uuid.UUID, *, now: dt.datetime) -> Task | None:
    """None if the search was stopped.  Refuses as `problem_reader.read`."""
    plan = plans.get(session, plan_id)
    if plan.state != PlanState.RUNNING:
        return None
    before = dict((plan.result or {}).get("starts") or {})
    basis = problem_reader.read(session, Question.from_json(plan.question), plan.locks, now=now)
    plan.basis, plan.result = basis.to_json(), None
    return Task(plan.id, basis, before)


def run(task: Task, tell: Reporter, effort: Effort = EFFORT) -> dict[str, Any]:
    """Search, check, explain what cannot be, and price other targets.  Returns the whole result."""
    watched = _Watched(task, tell, sum(effort.seconds))
    problem = task.basis.problem
    result = _result(task, None)
    try:
        found = model.solve(problem, effort, Watch(watched.improved, watched.ended))
    except model.NotFound:
        return result | {"stopped": watched.stopped}
    except model.Impossible:
        _explain(problem, result, None, watched)
        return result
    result = _result(task, found)
    if result["checked"]:
        tell.save(result)
    if found.stopped:
        return result
    if found.figures.unseated or found.figures.short:
        _explain(problem, result, _all_seated(found), watched)
        tell.save(result)
    else:
        for points in CURVE:
            if watched.ended():
                break
            point = _point(problem, points, watched)
            if point is None:
                break
            result["curve"].append(point)
            tell.save(result)
            if point["short"]:
                break
    return result | {"stopped": watched.stopped}


class _Watched:
    """What happens between the solver and the reporter."""

    def __init__(self, task: Task, tell: Reporter, seconds: float) -> None:
        self.task, self.tell, self.seconds = task, tell, round(seconds)
        self.began = self.looked = time.monotonic()
        self.step, self.stopped = model.STAGES[0], False

    def improved(self, stage: str, starts: dict[str, int], bound: float) -> None:
        self.step = stage
        plan = arithmetic.figures(self.task.basis.problem, starts)
        found = _result(self.task, None) | _starts(self.task, starts, plan)
        self.tell.save(found | {"stage": stage, "bound": _finite(bound)})

    def ended(self) -> bool:
        if self.stopped or time.monotonic() - self.looked < PATIENCE:
            return self.stopped
        self.looked = time.monotonic()
        self.tell.step(self.step, min(round(self.looked - self.began), self.seconds), self.seconds)
        self.stopped = self.tell.stopped()
        return self.stopped


def _result(task: Task, found: Solved | None) -> dict[str, Any]:
    """A result without a plan, or with the one that was found."""
    result: dict[str, Any] = {
        "starts": None,
        "claimed": None,
        "checked": False,
        "stopped": False,
        "digest": task.basis.problem.digest,
        "solver": f"HiGHS {importlib.metadata.version('highspy')}",
        "before": task.before,
        "proofs": [],
        "curve": [],
        "conflict": None,
    }
    if found is None:
        return result
    return (
        result
        | _starts(task, found.starts, found.figures)
        | {
            "proofs": [asdict(one) | {"bound": _finite(one.bound)} for one in found.proofs],
            "seconds": round(found.seconds, 1),
            "first_plan_seconds": round(found.first_plan_seconds, 1),
            "stopped": found.stopped,
        }
    )


def _starts(task: Task, starts: dict[str, int], plan: arithmetic.Figures) -> dict[str, Any]:
    """A plan with its claim, and whether it stands up to plain arithmetic."""
    faults = arithmetic.faults(task.basis.problem, starts, plan.rank)
    return {"starts": starts, "claimed": list(plan.rank), "checked": not faults}


def _finite(bound: float) -> float | None:
    """A bound, or None while nothing is proved."""
    return bound if math.isfinite(bound) else None


def _all_seated(found: Solved) -> bool | None:
    """Whether every child can have a place, as far as the search has proved it."""
    seats = found.proofs[0]
    if not seats.value:
        return True
    return False if seats.bound >= 1 else None


def _explain(problem: Problem, result: dict[str, Any], all_seated: bool | None, watched: _Watched) -> None:
    """The promises that do not go together and what no measure can reach; then, one after the other, what a plan without
    each promise costs.  `result` is kept after each step, so that the page can say the reason first."""
    watched.step = "conflict"
    found = conflict.explain(problem, all_seated=all_seated)
    told = [{"promise": str(promise), "possible": None} for promise in found.without]
    result["conflict"] = {"promises": told, "proved": found.proved, "out_of_reach": _out_of_reach(problem)}
    watched.tell.save(result)
    for at, promise in enumerate(found.without):
        if watched.ended():
            break
        told[at] = {"promise": str(promise)} | _without(problem, promise, watched)
        watched.tell.save(result)


def _without(problem: Problem, promise: Promise, watched: _Watched) -> dict[str, Any]:
    """The best plan without one promise: whether it keeps all the others, and its figures.  `possible` is None as long as
    nobody has looked, or where the search was stopped first."""
    relaxed = conflict.relax(problem, {promise})
    try:
        found = model.solve(relaxed, OF_A_PROMISE, Watch(stopped=watched.ended))
    except model.Impossible:
        return {"possible": False}
    except model.NotFound:
        return {"possible": None}
    plan = found.figures
    checked = not arithmetic.faults(relaxed, found.starts, plan.rank)
    seated = not plan.unseated or promise == Promise.SEATED
    possible = checked and seated and not plan.short
    public, covered = _least_shares(problem, plan)
    return {
        "possible": None if found.stopped and not possible else possible,
        "public": public,
        "covered": covered,
        "money": plan.money,
        "most_a_year": max(plan.spent),
        "ended": sum(each.code in found.starts and sum(each.places) < 0 for each in relaxed.measures),
    }


def _least_shares(problem: Problem, plan: arithmetic.Figures) -> tuple[int, int]:
    """The lowest public share, and of public and inclusive together, where a target is asked; in hundredths of a percent,
    rounded down."""
    asked = [
        (one, public, covered)
        for line, targets in zip((*plan.seated, plan.city), (*_targets(problem), problem.city_targets), strict=True)
        for one, (public, covered) in zip(line, targets, strict=True)
        if one.all
    ]
    public = min((ALL * one.public // one.all for one, target, _other in asked if target), default=0)
    covered = min((ALL * (one.public + one.inclusive) // one.all for one, _other, target in asked if target), default=0)
    return public, covered


def _targets(problem: Problem) -> list[list[tuple[int, int]]]:
    return [[(each.public_target, each.covered_target) for each in line] for line in problem.years]


def _out_of_reach(problem: Problem) -> list[list[Any]]:
    """Areas and years whose targets no measures of the list reach, by plain arithmetic: area, year, children missing both ways."""
    found = []
    for area in range(len(problem.areas)):
        for year in range(problem.horizon):
            public, covered = arithmetic.best_public(problem, area, year).children_short
            if public or covered:
                found.append([area, year, public, covered])
    return found


def _point(problem: Problem, points: int, watched: _Watched) -> dict[str, Any] | None:
    """The price of another public target, by solving again; None if the search was stopped meanwhile."""
    watched.step = "curve"
    moved = effects.with_public_target(problem, points)
    target = max(public for public, _covered in moved.city_targets)
    try:
        found = model.solve(moved, OF_A_POINT, Watch(stopped=watched.ended))
    except (model.Impossible, model.NotFound):
        return {"target": target, "money": None, "gap": None, "short": -1}
    if found.stopped:
        return None
    money = next((proof for proof in found.proofs if proof.stage == "money"), None)
    return {
        "target": target,
        "money": found.figures.money,
        "gap": round(money.gap) if money and math.isfinite(money.bound) else None,
        "short": -(-found.figures.short // ALL),
    }


def save(session: Session, plan_id: uuid.UUID, job_id: uuid.UUID, result: dict[str, Any]) -> None:
    """Keep what was found so far; not if another search has begun."""
    plan = plans.get(session, plan_id)
    if plan.job_id == job_id and plan.signed_at is None:
        plan.result = result


def was_stopped(session: Session, plan_id: uuid.UUID) -> bool:
    """For the worker, during the search."""
    return plans.get(session, plan_id).state != PlanState.RUNNING


def finish(session: Session, plan_id: uuid.UUID, *, now: dt.datetime) -> None:
    """The search has ended by itself, or it was stopped with its best plan."""
    plan = plans.get(session, plan_id)
    plan.solved_at = now
    if plan.state == PlanState.RUNNING:
        plan.state, plan.version = PlanState.DONE, plan.version + 1


def refuse(session: Session, plan_id: uuid.UUID) -> None:
    """The numbers of the plan cannot be read; the result of the job says why."""
    plan: MeasurePlan = plans.get(session, plan_id)
    plan.state, plan.version = PlanState.REFUSED, plan.version + 1
