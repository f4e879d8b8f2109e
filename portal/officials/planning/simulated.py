"""A plan beside its simulation: each planned figure with the simulated one and its interval, and what follows from them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from enrollment.planning.simulations import FIGURES
from portal.officials.planning.figures import PlanFigures

CITY = ""
SHARES = ("public", "covered")


@dataclass(frozen=True)
class Beside:
    """One row: the figure's code, the area ("" for the city) and the year; planned, and simulated with its interval.
    `before` is the simulated figure without any measure, None for shares."""

    figure: str
    area: str
    year: int
    planned: int
    mean: int
    low: int
    high: int
    before: int | None = None

    @property
    def is_share(self) -> bool:
        """Whether the numbers are hundredths of a percent and no children."""
        return self.figure.endswith("_share")

    @property
    def parts(self) -> bool:
        """Whether planned and simulated part by more than the interval."""
        return not self.low <= self.planned <= self.high

    @property
    def apart(self) -> int:
        """How far the simulated figure is above the planned one."""
        return self.mean - self.planned


@dataclass(frozen=True)
class Filled:
    """The places of a measure for one September in the last year: how many the plan counts on, and how many are taken."""

    code: str
    since: int
    places: int
    planned: int
    mean: int
    low: int
    high: int

    @property
    def is_short(self) -> bool:
        """Whether fewer places are taken than the plan counts on, in nearly every draw."""
        return self.high < self.planned


@dataclass(frozen=True)
class Simulated:
    """The result of a simulation beside its plan."""

    result: dict[str, Any]
    figures: PlanFigures

    @property
    def source(self) -> dict[str, Any]:
        """The published run whose families were asked again."""
        source: dict[str, Any] = self.result["source"]
        return source

    @property
    def draws(self) -> int:
        return int(self.result["draws"])

    @cached_property
    def entering(self) -> list[Beside]:
        """The children of each September by kind, and those without a place."""
        return [
            Beside(figure, CITY, year, *line[figure])
            for year, line in zip(self.figures.years, self.result["entering"], strict=True)
            for figure in FIGURES
        ]

    @cached_property
    def shares(self) -> list[Beside]:
        """Both shares of the city, then of each area, by year."""
        return [
            Beside(f"{share}_share", area, year, *one[share])
            for area, line in self.result["shares"]
            for share in SHARES
            for year, one in zip(self.figures.years, line, strict=True)
        ]

    @property
    def of_city(self) -> list[Beside]:
        return [row for row in self.shares if row.area == CITY]

    @property
    def of_areas(self) -> list[Beside]:
        """Those of areas in the year of the targets, the lowest simulated share first."""
        found = [row for row in self.shares if row.area != CITY and row.year == self.figures.question.deadline]
        return sorted(found, key=lambda row: (row.figure != "public_share", row.mean))

    @cached_property
    def at_deadline(self) -> dict[str, Beside]:
        """The city's two shares in the year of the targets."""
        return {row.figure: row for row in self.of_city if row.year == self.figures.question.deadline}

    def target(self, row: Beside) -> int:
        """The target of a share."""
        question = self.figures.question
        return question.public if row.figure == "public_share" else question.covered

    def at_year(self, year: int) -> list[Beside]:
        """The rows of the city in one year."""
        return [row for row in (*self.of_city, *self.entering) if row.year == year]

    @property
    def is_held(self) -> bool:
        """Whether both shares of the city reach their targets or what was planned, and no area misses what it was to reach."""
        city = (not row.parts or row.apart > 0 or row.low >= self.target(row) for row in self.at_deadline.values())
        return all(city) and not self.areas_below

    @cached_property
    def areas_below(self) -> list[str]:
        """Areas that reach both targets by the plan and not in the simulation."""
        return list(dict.fromkeys(row.area for row in self.of_areas if row.high < self.target(row) <= row.planned))

    @cached_property
    def apart(self) -> list[Beside]:
        """Rows of the city in which planned and simulated part by more than the interval."""
        return [row for row in (*self.of_city, *self.entering) if row.parts]

    @cached_property
    def measures(self) -> list[Filled]:
        """Measures by how little of what is planned is taken."""
        first = self.figures.problem.first_year
        found = [Filled(code, first + since, *numbers) for code, since, *numbers in self.result["measures"]]
        return sorted(found, key=lambda one: (one.mean / max(one.planned, 1), one.code))

    @property
    def unfilled(self) -> list[Filled]:
        return [one for one in self.measures if one.is_short]

    def rows(self) -> Iterable[Beside]:
        """Every row, for the page's tables and the workbook alike."""
        yield from self.entering
        yield from self.of_city
        yield from self.of_areas
