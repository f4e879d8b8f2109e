"""Why a plan cannot keep everything that is asked: a smallest set of promises that do not go together.

A deletion filter over promises that an official can name (at most six).  Places, room, and families who stay where they
are, are no promises and are never given up.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from allocation.planning import arithmetic, model
from allocation.planning.problem import AreaYear, Lock, Problem


class Promise(StrEnum):
    """In the order in which they are tried to be done without, so that the conflict names the later ones."""

    LOCKS = "locks"
    MOST = "most"
    BUDGET = "budget"
    SEATED = "seated"
    COVERED = "covered"
    PUBLIC = "public"


@dataclass(frozen=True)
class Conflict:
    """`without[promise]` are the starts of a plan that keeps all other promises of the conflict, checked by plain
    arithmetic.  `proved` is False where the time was over before every answer was certain."""

    without: dict[Promise, dict[str, int]]
    proved: bool


def explain(problem: Problem, seconds: float = 20.0) -> Conflict:
    """The conflict of a problem of which no plan keeps everything.

    That nobody is without a place is a promise of its own only where it cannot be kept even without the targets: a share
    must never be reached by leaving children out.
    """
    given_up: set[Promise] = set()
    without: dict[Promise, dict[str, int]] = {}
    proved = True
    for needless in ({Promise.PUBLIC, Promise.COVERED}, {Promise.SEATED}):
        try:
            if plan_without(problem, given_up | needless | {Promise.PUBLIC, Promise.COVERED}, seconds) is not None:
                break
        except model.NotFound:
            proved = False
            break
        given_up |= needless | {Promise.PUBLIC, Promise.COVERED}
    kept = {Promise.SEATED} if not given_up else set()
    for promise in Promise:
        if promise in given_up | kept:
            continue
        try:
            starts = plan_without(problem, given_up | {promise}, seconds)
        except model.NotFound:
            proved = False
            continue
        if starts is None:
            given_up.add(promise)
        else:
            without[promise] = starts
    return Conflict(without, proved)


def plan_without(problem: Problem, given_up: set[Promise], seconds: float = 20.0) -> dict[str, int] | None:
    """The starts of a plan that keeps all promises but these; None where there is none.  Raises model.NotFound."""
    relaxed, seat = relax(problem, given_up), Promise.SEATED not in given_up
    starts = model.is_possible(relaxed, seconds=seconds, seat=seat)
    if starts is None:
        return None
    found = arithmetic.figures(relaxed, starts)
    if arithmetic.faults(relaxed, starts) or found.short or (found.unseated and seat):
        raise AssertionError("the solver's plan does not stand up to plain arithmetic")
    return starts


def relax(problem: Problem, given_up: set[Promise]) -> Problem:
    """The problem without these promises; `SEATED` is none of its rows."""
    if Promise.LOCKS in given_up:
        problem = replace(problem, measures=tuple(replace(each, lock=Lock.FREE) for each in problem.measures))
    if Promise.MOST in given_up:
        problem = replace(problem, most={})
    if Promise.BUDGET in given_up:
        problem = replace(problem, budget=None)
    public, covered = Promise.PUBLIC not in given_up, Promise.COVERED not in given_up
    if public and covered:
        return problem
    return replace(
        problem,
        years=tuple(tuple(_asked(each, public, covered) for each in line) for line in problem.years),
        city_targets=tuple((one * public, other * covered) for one, other in problem.city_targets),
    )


def _asked(each: AreaYear, public: bool, covered: bool) -> AreaYear:
    return replace(each, public_target=each.public_target * public, covered_target=each.covered_target * covered)
