"""Why a plan cannot keep everything that is asked: a smallest set of promises that do not go together.

A deletion filter over promises that an official can name (at most six).  Places, room, and families who stay where they
are, are no promises and are never given up.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from allocation.planning import arithmetic, model
from allocation.planning.problem import AreaYear, Lock, Measure, Problem


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


def explain(problem: Problem, seconds: float = 20.0, *, all_seated: bool | None = None) -> Conflict:
    """The conflict of a problem of which no plan keeps everything.

    That nobody is without a place is a promise of its own only where it cannot be kept even without the targets: a share
    must never be reached by leaving children out.  `all_seated` says whether that can be kept, where a search has proved it.
    """
    return _Filter(problem, seconds).conflict(all_seated)


class _Filter:
    """The deletion filter.  The solver is asked last: a promise that asks nothing is given up at once, targets that no
    measures reach are seen by arithmetic, and a plan that was found before may answer the next question too."""

    def __init__(self, problem: Problem, seconds: float) -> None:
        self.problem, self.seconds = problem, seconds
        self.plans: list[dict[str, int]] = []
        self.proved = True

    def conflict(self, all_seated: bool | None) -> Conflict:
        given_up, kept = self._seats(all_seated)
        without: dict[Promise, dict[str, int]] = {}
        for promise in Promise:
            if promise in given_up | kept:
                continue
            try:
                starts = self._plan(given_up, promise)
            except model.NotFound:
                self.proved = False
                continue
            if starts is None:
                given_up.add(promise)
            else:
                without[promise] = starts
        return Conflict(without, self.proved)

    def _seats(self, all_seated: bool | None) -> tuple[set[Promise], set[Promise]]:
        """The promises given up and those kept for good before the others are looked at."""
        targets = {Promise.PUBLIC, Promise.COVERED}
        if all_seated:
            return set(), {Promise.SEATED}
        given_up: set[Promise] = set()
        try:
            if all_seated is None and plan_without(self.problem, targets, self.seconds) is not None:
                return set(), {Promise.SEATED}
            given_up |= targets
            if plan_without(self.problem, targets | {Promise.SEATED}, self.seconds) is None:
                given_up |= {Promise.SEATED}
        except model.NotFound:
            self.proved = False
        return given_up, set() if given_up else {Promise.SEATED}

    def _plan(self, given_up: set[Promise], promise: Promise) -> dict[str, int] | None:
        """A plan without the promise too.  It is known that there is none with it."""
        wanted = given_up | {promise}
        relaxed = relax(self.problem, wanted)
        seat = Promise.SEATED not in wanted
        if promise != Promise.SEATED and relaxed == relax(self.problem, given_up):
            return None
        if seat and is_out_of_reach(relaxed):
            return None
        for known in self.plans:
            if keeps_all(relaxed, known, seat=seat):
                return known
        starts = plan_without(self.problem, wanted, self.seconds)
        if starts is not None:
            self.plans.append(starts)
        return starts


def is_out_of_reach(problem: Problem) -> bool:
    """Whether the targets of some area and year are beyond all measures together, if every child has a place."""
    best = (
        arithmetic.best_public(problem, area, year)
        for area in range(len(problem.areas))
        for year in range(problem.horizon)
    )
    return any(not one.unseated and any(one.children_short) for one in best)


def keeps_all(problem: Problem, starts: dict[str, int], *, seat: bool) -> bool:
    """Whether a plan keeps everything that is asked, by plain arithmetic."""
    found = arithmetic.figures(problem, starts)
    return not (arithmetic.faults(problem, starts) or found.short or (found.unseated and seat))


def plan_without(problem: Problem, given_up: set[Promise], seconds: float = 20.0) -> dict[str, int] | None:
    """The starts of a plan that keeps all promises but these; None where there is none.  Raises model.NotFound."""
    relaxed, seat = relax(problem, given_up), Promise.SEATED not in given_up
    starts = model.is_possible(relaxed, seconds=seconds, seat=seat)
    if starts is None:
        return None
    if not keeps_all(relaxed, starts, seat=seat):
        raise AssertionError("the solver's plan does not stand up to plain arithmetic")
    return starts


def relax(problem: Problem, given_up: set[Promise]) -> Problem:
    """The problem without these promises; `SEATED` is none of its rows."""
    if Promise.LOCKS in given_up:
        problem = replace(problem, measures=tuple(_unlocked(each) for each in problem.measures))
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


def _unlocked(each: Measure) -> Measure:
    """A measure whose work has begun is no promise: it stays."""
    return each if each.decided else replace(each, lock=Lock.FREE)


def _asked(each: AreaYear, public: bool, covered: bool) -> AreaYear:
    return replace(each, public_target=each.public_target * public, covered_target=each.covered_target * covered)
