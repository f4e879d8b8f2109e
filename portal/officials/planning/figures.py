"""The figures of one plan as its page shows them; every one follows by plain arithmetic from the numbers of the plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from allocation.coverage import Coverage, Percent
from allocation.planning import arithmetic, effects
from allocation.planning.arithmetic import Figures, Found, Seated
from allocation.planning.problem import Problem
from enrollment.planning.plan_rows import MeasurePlan
from enrollment.planning.problem_reader import Basis
from enrollment.planning.question import GROUPS, Question

FEWER, MORE = 90, 110
LESS_WANTED = 500
"""In hundredths of a percent: families who would rather have a private kindergarten."""


@dataclass(frozen=True)
class Path:
    """An area's public shares by year, beside the target that is asked in the end."""

    area: str
    shares: tuple[Coverage, ...]


@dataclass(frozen=True)
class Step:
    """How far a kind of measure moves the city's public share, in hundredths of a percent; `share` is that after it."""

    kind: str
    moved: int
    share: int


@dataclass(frozen=True)
class Otherwise:
    """The same measures with other families: children without a place, the city, areas below a target."""

    code: str
    unseated: int
    city: Coverage
    below: tuple[str, ...]


@dataclass(frozen=True)
class Delay:
    """What a measure that begins a year late costs in the year of the targets: children of its area short of them, children
    without a place, the city; `met_from` is the first year from which the area meets both again, None within the plan."""

    code: str
    area: str
    short: int
    unseated: int
    city: Coverage
    met_from: int | None


@dataclass(frozen=True)
class PlanFigures:
    """A plan with its numbers."""

    question: Question
    basis: Basis
    starts: dict[str, int]
    result: dict[str, Any]

    @classmethod
    def of(cls, plan: MeasurePlan) -> "PlanFigures | None":
        """None where no plan was found yet."""
        if plan.basis is None or plan.result is None or plan.result["starts"] is None:
            return None
        basis, question = Basis.from_json(plan.basis), Question.from_json(plan.question)
        return cls(question, basis, plan.result["starts"], plan.result)

    @property
    def problem(self) -> Problem:
        return self.basis.problem

    @cached_property
    def plan(self) -> Figures:
        return arithmetic.figures(self.problem, self.starts)

    @cached_property
    def faults(self) -> list[Found]:
        """What plain arithmetic says against the plan as it is kept; nothing in an honest one."""
        if self.problem.digest != self.result["digest"]:
            return [Found(arithmetic.Fault.CLAIM)]
        return arithmetic.faults(self.problem, self.starts, tuple(self.result["claimed"]))

    @property
    def years(self) -> range:
        return range(self.problem.first_year, self.problem.first_year + self.problem.horizon)

    @property
    def deadline(self) -> int:
        """The index of the year from which the targets hold."""
        return self.question.deadline - self.problem.first_year

    def coverage(self, seated: Seated) -> Coverage:
        """Children beside the targets that are asked in the end."""
        return Coverage(
            seated.all,
            seated.public,
            seated.inclusive,
            Percent(self.question.public),
            Percent(self.question.covered),
        )

    @cached_property
    def short(self) -> list[int]:
        """Children short of both targets over all areas, by year."""
        return [sum(_short(self.coverage(line[year])) for line in self.plan.seated) for year in range(len(self.years))]

    @property
    def unseated(self) -> list[int]:
        """Children without a place by year."""
        return [one.unseated for one in self.plan.city]

    @cached_property
    def met_from(self) -> int | None:
        """The first year from which on every area and the city meet both targets and nobody is without a place."""
        met = [
            not self.short[year] and not self.unseated[year] and not _short(self.coverage(self.plan.city[year]))
            for year in range(len(self.years))
        ]
        found = None
        for year in reversed(range(len(met))):
            if not met[year]:
                break
            found = self.years[year]
        return found

    @cached_property
    def opens(self) -> dict[str, int]:
        """The year of the first September with the places of each measure of the plan."""
        first = self.problem.first_year
        lead = {each.code: each.lead for each in self.problem.measures}
        return {code: first + start + lead[code] for code, start in self.starts.items() if code in lead}

    @cached_property
    def decided(self) -> frozenset[str]:
        """The measures whose work had begun: no plan chooses them, and their money once is spent."""
        return frozenset(each.code for each in self.problem.measures if each.decided)

    @property
    def cost(self) -> int:
        """Money once, over all years."""
        return sum(each.cost for each in self.problem.measures if each.code in self.starts)

    @property
    def gap(self) -> int | None:
        """How far the money may be above what is proved to be needed, in 10,000 yuan; None while nothing is proved."""
        proof = next((one for one in self.result["proofs"] if one["stage"] == "money"), None)
        if proof is None or proof["bound"] is None:
            return None
        return max(-int(-(proof["value"] - proof["bound"]) // 1), 0)

    @cached_property
    def paths(self) -> list[Path]:
        """Every area, those with the lowest shares first."""
        found = [
            Path(code, tuple(self.coverage(one) for one in line))
            for code, line in zip(self.problem.areas, self.plan.seated, strict=True)
        ]
        return sorted(found, key=lambda path: _part(path.shares[0].public, path.shares[0].all))

    @cached_property
    def steps(self) -> list[Step]:
        """From today over the forecast and each kind of measure to the year of the targets."""
        public, everybody = sum(one[0] for one in self.basis.today), sum(sum(one) for one in self.basis.today)
        last = _part(public, everybody)
        found = [Step("today", 0, last)]
        for one in effects.steps(self.problem, self.starts, self.deadline, GROUPS):
            share = _part(one.city.public, one.city.all)
            found.append(Step(one.kind or "children", share - last, share))
            last = share
        return found

    @cached_property
    def otherwise(self) -> list[Otherwise]:
        """The plan with fewer and more children, and with families who like public kindergartens less."""
        changed = (
            ("fewer", effects.with_children(self.problem, FEWER)),
            ("expected", self.problem),
            ("more", effects.with_children(self.problem, MORE)),
            ("private", effects.with_preference(self.problem, LESS_WANTED)),
        )
        return [self._otherwise(code, problem) for code, problem in changed]

    @cached_property
    def delays(self) -> list[Delay]:
        """The measures that may not be a year late, the worst first: an area, or the city, is then below a target or a child
        without a place in the year of the targets, and would not be as planned."""
        at, areas = self.deadline, self.problem.areas
        found = []
        for late in arithmetic.late(self.problem, self.starts):
            area = late.measure.area
            planned, now = self.plan.seated[area][at], late.seated[at]
            short, city = _short(self.coverage(now)), self.coverage(late.city[at])
            if (
                short > _short(self.coverage(planned))
                or now.unseated > planned.unseated
                or _short(city) > _short(self.coverage(self.plan.city[at]))
            ):
                reached = self._met_from(late.seated)
                found.append(Delay(late.measure.code, areas[area], short, now.unseated, city, reached))
        return sorted(found, key=lambda each: (-each.unseated, -each.short, each.code))

    def _met_from(self, line: tuple[Seated, ...]) -> int | None:
        """The first year from which on these children meet both targets and all have a place."""
        missed = [year for year, one in enumerate(line) if one.unseated or _short(self.coverage(one))]
        first = missed[-1] + 1 if missed else 0
        return self.years[first] if first < len(line) else None

    def _otherwise(self, code: str, problem: Problem) -> Otherwise:
        plan = arithmetic.figures(problem, self.starts)
        below = tuple(
            area
            for area, line in zip(problem.areas, plan.seated, strict=True)
            if _short(self.coverage(line[self.deadline]))
        )
        city = plan.city[self.deadline]
        return Otherwise(code, city.unseated, self.coverage(city), below)

    @property
    def curve(self) -> list[dict[str, Any]]:
        """The prices of other targets with the one of this plan among them, by target."""
        own = {"target": self.question.public, "money": self.plan.money, "gap": self.gap, "short": 0}
        return sorted([*self.result["curve"], own], key=lambda point: point["target"])

    @property
    def came(self) -> set[str]:
        """Measures that the search before had not chosen."""
        return set(self.starts) - set(self.result["before"]) if self.result["before"] else set()

    @property
    def went(self) -> set[str]:
        """Measures that only the search before had chosen."""
        return set(self.result["before"]) - set(self.starts)

    def table(self) -> Iterable[list[Any]]:
        """For each area and year: children by kind, without a place, both shares, children short."""
        for code, line in zip(self.problem.areas, self.plan.seated, strict=True):
            yield from ([code, year, *self._numbers(one)] for year, one in zip(self.years, line, strict=True))
        yield from (["", year, *self._numbers(one)] for year, one in zip(self.years, self.plan.city, strict=True))

    def _numbers(self, one: Seated) -> list[Any]:
        now = self.coverage(one)
        return [
            one.public,
            one.inclusive,
            one.other,
            one.unseated,
            now.public_share.text,
            now.inclusive_coverage.text,
            now.public_share.to_move,
            now.inclusive_coverage.to_move,
        ]


def _short(coverage: Coverage) -> int:
    return coverage.public_share.to_move + coverage.inclusive_coverage.to_move


def _part(part: int, everybody: int) -> int:
    return Percent.of(part, everybody).hundredths if everybody else 0
