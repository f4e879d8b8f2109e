"""The mixed-integer program of a plan and its solution by HiGHS: children without a place first, then the shortage of the
two shares, then money.

One binary for each measure and year in which it may begin; children are continuous, because for given measures the best
numbers are whole (docs/coverage.md).  One thread and a fixed seed: without a time limit the same problem gives the same
plan.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np

from allocation.planning import arithmetic
from allocation.planning.linear_solver import open_solver
from allocation.planning.problem import ALL, OTHER, Lock, Problem

INFINITE = highspy.kHighsInf
STAGES = ("unseated", "short", "money")
MONEY_GAP = 50.0
"""The money stage ends within this distance, in 10,000 yuan, of what is proved to be possible."""


@dataclass(frozen=True)
class Effort:
    """How long to search: seconds for each stage, and nodes where the same end is wanted on every machine (0: no limit)."""

    seconds: tuple[float, float, float] = (60.0, 120.0, 420.0)
    nodes: int = 0
    money_gap: float = MONEY_GAP


@dataclass(frozen=True)
class Proof:
    """What a stage reached and what is proved to be impossible to go below; `seconds` since the search began."""

    stage: str
    value: float
    bound: float
    seconds: float

    @property
    def gap(self) -> float:
        return max(self.value - self.bound, 0.0)


@dataclass(frozen=True)
class Solved:
    """A plan: the year in which each chosen measure begins, its figures by plain arithmetic, and the proofs of its stages.

    `stopped`: somebody ended the search.
    """

    starts: dict[str, int]
    figures: arithmetic.Figures
    proofs: tuple[Proof, ...]
    seconds: float
    first_plan_seconds: float
    stopped: bool = False


class Impossible(Exception):
    """No plan keeps the limits of money, of kinds, of room and of what officials have decided."""


class NotFound(Exception):
    """The time was over before any plan was found."""


@dataclass
class Watch:
    """What is told during a search: the stage, a better plan, and the bound of the stage; and whether it should end."""

    tell: Callable[[str, dict[str, int], float], None] = lambda _stage, _starts, _bound: None
    stopped: Callable[[], bool] = lambda: False


def solve(problem: Problem, effort: Effort = Effort(), watch: Watch | None = None) -> Solved:
    """The best plan that is found.  Raises Impossible and NotFound."""
    return _Search(problem, effort, watch or Watch()).run()


def is_possible(problem: Problem, *, seconds: float, seat: bool) -> dict[str, int] | None:
    """The starts of some plan that reaches every target and, if `seat`, leaves nobody without a place; None where there is
    none.  Raises NotFound if the time was over first."""
    return _Search(problem, Effort((seconds, seconds, seconds)), Watch()).reach(seat)


@dataclass
class _Rows:
    """The rows of the program as they are written."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def add(self, lower: float, upper: float, terms: list[tuple[int, float]]) -> None:
        self.start.append(len(self.index))
        self.lower.append(lower)
        self.upper.append(upper)
        used = [(column, value) for column, value in terms if value]
        self.index += [column for column, _value in used]
        self.value += [value for _column, value in used]


class _Program:
    """The columns and rows: for each area and year children in public, inclusive and other kindergartens, without a place,
    and both shortages; for the city both shortages; then the binaries."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.whole: list[bool] = []
        self.rows = _Rows()
        areas, years = len(problem.areas), problem.horizon
        self.children = [[[self._column(0, INFINITE) for _ in range(6)] for _ in range(years)] for _ in range(areas)]
        self.city = [[self._column(0, INFINITE) for _ in range(2)] for _ in range(years)]
        self.begin: dict[tuple[int, int], int] = {}
        for number, each in enumerate(problem.measures):
            if each.lock != Lock.NEVER:
                for year in problem.starts(each):
                    self.begin[number, year] = self._column(0, 1, whole=True)
        for area in range(areas):
            for year in range(years):
                self._area_rows(area, year)
        for year in range(years):
            self._city_rows(year)
            if problem.budget is not None:
                self.rows.add(-INFINITE, problem.budget[year], self._spending(year))
        self._measure_rows()

    def _column(self, lower: float, upper: float, *, whole: bool = False) -> int:
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.lower) - 1

    def _in_force(self, number: int, year: int) -> list[tuple[int, int]]:
        """The columns by which a measure is in force in a year, and for how many years before it."""
        last = year - self.problem.measures[number].lead
        return [(self.begin[number, start], last - start) for start in range(last + 1) if (number, start) in self.begin]

    def _area_rows(self, area: int, year: int) -> None:
        problem, rows = self.problem, self.rows
        now, limits = problem.years[area][year], problem.limits(area, year)
        public, inclusive, other, without, public_short, covered_short = self.children[area][year]
        changes: list[list[tuple[int, float]]] = [[], [], []]
        pulls: list[list[tuple[int, float]]] = [[], [], []]
        for number, each in enumerate(problem.measures):
            if each.area == area:
                for column, age in self._in_force(number, year):
                    places, pull = each.places_in(age), problem.pull(each, age)
                    for kind in range(3):
                        changes[kind].append((column, places[kind]))
                        pulls[kind].append((column, -pull[kind]))
        rows.add(now.all, now.all, [(public, 1), (inclusive, 1), (other, 1), (without, 1)])
        for kind, column in enumerate((public, inclusive, other)):
            minus = [(one, -value) for one, value in changes[kind]]
            rows.add(-INFINITE, problem.places[area][kind], [(column, 1), *minus])
            if any(value < 0 for _one, value in changes[kind]):
                least = limits.keep if kind == OTHER else 0
                rows.add(least - problem.places[area][kind], INFINITE, changes[kind])
        rows.add(-INFINITE, limits.public, [(public, 1), *pulls[0]])
        rows.add(-INFINITE, limits.covered, [(public, 1), (inclusive, 1), *pulls[1]])
        rows.add(-INFINITE, limits.willing, [(public, 1), *pulls[2]])
        self.lower[other] = limits.keep
        total: dict[int, float] = {}
        for column, value in (one for kind in changes for one in kind):
            total[column] = total.get(column, 0) + value
        if any(value < 0 for value in total.values()):
            rows.add(now.room - sum(problem.places[area]), INFINITE, list(total.items()))
        for target, part, short in (
            (now.public_target, [public], public_short),
            (now.covered_target, [public, inclusive], covered_short),
        ):
            self._share_row(target, part, [(public, 1), (inclusive, 1), (other, 1)], short)

    def _share_row(self, target: int, part: list[int], everybody: list[tuple[int, float]], short: int) -> None:
        if not target:
            self.upper[short] = 0
            return
        terms = {column: -target / ALL for column, _one in everybody}
        for column in part:
            terms[column] += 1
        self.rows.add(0, INFINITE, [*terms.items(), (short, 1)])

    def _city_rows(self, year: int) -> None:
        everybody = [(column, 1.0) for of_area in self.children for column in of_area[year][:3]]
        public = [of_area[year][0] for of_area in self.children]
        covered = public + [of_area[year][1] for of_area in self.children]
        for target, part, short in zip(
            self.problem.city_targets[year], (public, covered), self.city[year], strict=True
        ):
            self._share_row(target, part, everybody, short)

    def _spending(self, year: int) -> list[tuple[int, float]]:
        terms: dict[int, float] = {}
        for number, each in enumerate(self.problem.measures):
            if (number, year) in self.begin:
                terms[self.begin[number, year]] = terms.get(self.begin[number, year], 0) + each.cost
            for column, _age in self._in_force(number, year):
                terms[column] = terms.get(column, 0) + each.yearly
        return list(terms.items())

    def _measure_rows(self) -> None:
        sites: dict[str, list[int]] = {}
        kinds: dict[str, list[int]] = {}
        for number, each in enumerate(self.problem.measures):
            columns = [self.begin[number, year] for year in self.problem.starts(each) if (number, year) in self.begin]
            must = each.lock == Lock.MUST
            if len(columns) > 1 or must:
                self.rows.add(1 if must else 0, 1, [(column, 1) for column in columns])
            kinds.setdefault(each.kind, []).extend(columns)
            if each.site:
                sites.setdefault(each.site, []).extend(columns)
        for kind, most in self.problem.most.items():
            self.rows.add(-INFINITE, most, [(column, 1) for column in kinds.get(kind, [])])
        for columns in sites.values():
            if len(columns) > 1:
                self.rows.add(-INFINITE, 1, [(column, 1) for column in columns])

    def cost(self, stage: str) -> Any:
        """The objective of a stage by column; the shortage in whole children."""
        cost = np.zeros(len(self.lower))
        if stage == "money":
            for year in range(self.problem.horizon):
                for column, value in self._spending(year):
                    cost[column] += value
            return cost
        places = [3] if stage == "unseated" else [4, 5]
        for of_area in self.children:
            for columns in of_area:
                cost[[columns[place] for place in places]] = 1
        if stage == "short":
            cost[[column for columns in self.city for column in columns]] = 1
        return cost

    def model(self) -> Any:
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self.lower), len(self.rows.lower)
        model.col_cost_ = np.zeros(len(self.lower))
        model.col_lower_, model.col_upper_ = np.array(self.lower), np.array(self.upper)
        model.row_lower_, model.row_upper_ = np.array(self.rows.lower), np.array(self.rows.upper)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.array([*self.rows.start, len(self.rows.index)])
        model.a_matrix_.index_ = np.array(self.rows.index)
        model.a_matrix_.value_ = np.array(self.rows.value)
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[whole] for whole in self.whole]
        return model


class _Search:
    def __init__(self, problem: Problem, effort: Effort, watch: Watch) -> None:
        self.problem, self.effort, self.watch = problem, effort, watch
        self.program = _Program(problem)
        self.began = time.monotonic()
        self.first_plan = 0.0
        self.stopped = False
        self.failure: Exception | None = None
        self.best: dict[str, int] | None = None
        self.solver = open_solver()
        for option, value in (
            ("random_seed", 1),
            ("mip_rel_gap", 0.0),
            ("mip_feasibility_tolerance", 1e-7),
        ):
            self.solver.setOptionValue(option, value)
        self.solver.passModel(self.program.model())
        self.solver.cbMipInterrupt.subscribe(self._interrupt)
        self.solver.cbMipImprovingSolution.subscribe(self._improve)
        self.stage = STAGES[0]

    def run(self) -> Solved:
        proofs = []
        for number, stage in enumerate(STAGES):
            proofs.append(self._stage(number, stage))
            if self.stopped:
                break
        if self.best is None:
            raise NotFound
        found = arithmetic.figures(self.problem, self.best)
        spent = time.monotonic() - self.began
        return Solved(self.best, found, tuple(proofs), spent, self.first_plan, self.stopped)

    def reach(self, seat: bool) -> dict[str, int] | None:
        for stage in ("unseated", "short") if seat else ("short",):
            for column in np.flatnonzero(self.program.cost(stage)):
                self.solver.changeColBounds(int(column), 0.0, 0.0)
        try:
            self._stage(0, "unseated")
        except Impossible:
            return None
        return self.best

    def _stage(self, number: int, stage: str) -> Proof:
        self.stage = stage
        cost = self.program.cost(stage)
        self.solver.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        self.solver.setOptionValue("mip_abs_gap", self.effort.money_gap if stage == "money" else 1e-4)
        self.solver.setOptionValue("time_limit", self.solver.getRunTime() + self.effort.seconds[number])
        if self.effort.nodes:
            self.solver.setOptionValue("mip_max_nodes", self.effort.nodes)
        if self.best is not None:
            self._start_from(self.best)
        self.solver.run()
        if self.failure is not None:
            raise self.failure
        status = self.solver.getModelStatus()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            raise Impossible
        info = self.solver.getInfo()
        if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
            self._keep(self._starts_of(np.array(self.solver.getSolution().col_value)))
        if self.best is None:
            raise NotFound
        value = self._value(stage)
        bound = info.mip_dual_bound if math.isfinite(info.mip_dual_bound) else -math.inf
        if stage != "money":
            bound = max(bound, 0.0)
            self._hold(cost, value)
        return Proof(stage, value, min(bound, value), time.monotonic() - self.began)

    def _hold(self, cost: Any, value: float) -> None:
        """Later stages do not give up what this one reached."""
        used = np.flatnonzero(cost)
        self.solver.addRow(-INFINITE, value + 1e-5, len(used), used.astype(np.int32), cost[used])

    def _value(self, stage: str) -> float:
        plan = arithmetic.figures(self.problem, self.best or {})
        return float({"unseated": plan.unseated, "short": plan.short / ALL, "money": plan.money}[stage])

    def _keep(self, starts: dict[str, int]) -> bool:
        """Take these starts if they are better than the best ones."""
        rank = arithmetic.figures(self.problem, starts).rank
        if self.best is not None and rank >= arithmetic.figures(self.problem, self.best).rank:
            return False
        if self.best is None:
            self.first_plan = time.monotonic() - self.began
        self.best = starts
        return True

    def _starts_of(self, values: Any) -> dict[str, int]:
        return {
            self.problem.measures[number].code: year
            for (number, year), column in self.program.begin.items()
            if values[column] > 0.5
        }

    def _start_from(self, starts: dict[str, int]) -> None:
        codes = {each.code: number for number, each in enumerate(self.problem.measures)}
        chosen = {(codes[code], year) for code, year in starts.items()}
        columns = np.array(list(self.program.begin.values()), dtype=np.int32)
        values = np.array([1.0 if key in chosen else 0.0 for key in self.program.begin])
        self.solver.setSolution(len(columns), columns, values)

    def _interrupt(self, event: Any) -> None:
        """Exceptions of the watch must not pass through the solver; they are raised after it has ended."""
        try:
            self.stopped = self.stopped or self.watch.stopped()
        except Exception as failure:
            self.failure = failure
        if self.stopped or self.failure:
            event.interrupt()

    def _improve(self, event: Any) -> None:
        found = self._starts_of(np.array(event.data_out.mip_solution))
        if self._keep(found) and not self.failure:
            try:
                self.watch.tell(self.stage, found, float(event.data_out.mip_dual_bound))
            except Exception as failure:
                self.failure = failure
