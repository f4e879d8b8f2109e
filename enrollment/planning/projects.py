"""What the projects that are approved or under way would make of the forecast.

Their places fill as a plan counts them (`allocation/planning/arithmetic.py`, ADR 78): class by class, as far as families want
them, with children who leave the other kinds.  The forecast itself stays as it is: it knows nothing of places.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from allocation.coverage import Coverage
from allocation.planning import arithmetic
from allocation.planning.arithmetic import Seated
from allocation.planning.problem import AreaYear, Problem
from enrollment.coverage.forecast.outlook import Outlook, September
from enrollment.places.measures import library, ramps
from enrollment.places.measures.rows import Measure
from enrollment.planning import problem_reader
from enrollment.planning.problem_reader import kinds_of
from enrollment.planning.question import Question

FILL, STAY = Question.fill, Question.stay
"""Per cent of new places that are wanted, and of families in other private kindergartens who stay there."""


@dataclass(frozen=True)
class Expected:
    """`projects` in the order in which they open, and by area, the city under the empty code, the Septembers of the forecast
    with them.  `late` should have opened and are not under way; they count nowhere, as those of an area without a forecast."""

    projects: Sequence[Measure]
    late: Sequence[Measure]
    septembers: dict[str, tuple[Coverage, ...]]

    def of_area(self, code: str) -> list[Measure]:
        """The projects of an area; all of them for the city."""
        return [each for each in (*self.late, *self.projects) if not code or each.area_code == code]


def expected(session: Session, outlook: Outlook) -> Expected:
    """The forecast with the projects that open in its years."""
    first = outlook.past.last_year + 1
    listed = [each for each in library.committed(session) if not problem_reader.is_open(each, first)]
    rows, late = ([each for each in listed if (each.opens < first) == is_late] for is_late in (False, True))
    if not rows:
        return Expected((), late, {})
    codes = [code for code in outlook.past.areas if outlook.septembers[code][0].coverage.all]
    problem = _problem(session, outlook, codes, rows, first)
    starts = {each.code: each.earliest for each in problem.measures}
    plan, nothing = (arithmetic.figures(problem, each) for each in (starts, {}))
    lines = {code: (plan.seated[place], nothing.seated[place]) for place, code in enumerate(codes)}
    lines[""] = (plan.city, nothing.city)
    septembers = {
        code: tuple(_with(*each) for each in zip(outlook.septembers[code], *line, strict=True))
        for code, line in lines.items()
    }
    return Expected(rows, late, septembers)


def _problem(session: Session, outlook: Outlook, codes: Sequence[str], rows: Sequence[Measure], first: int) -> Problem:
    """The children of the forecast in the places that they need; nothing is asked, and no family has said what it wants."""
    years = [[kinds_of(each.coverage) for each in outlook.septembers[code]] for code in codes]
    number = {code: place for place, code in enumerate(codes)}
    horizon = len(outlook.city)
    return Problem(
        areas=tuple(codes),
        first_year=first,
        years=tuple(tuple(AreaYear(each, 0, 0, 0) for each in line) for line in years),
        places=tuple(_most(line) for line in years),
        measures=tuple(problem_reader.measures_of(rows, number, {}, first, horizon, ramps.in_force(session))),
        city_targets=((0, 0),) * horizon,
        fill=FILL,
        stay=STAY,
    )


def _most(line: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    public, inclusive, other = (max(numbers) for numbers in zip(*line, strict=True))
    return public, inclusive, other


def _with(september: September, plan: Seated, nothing: Seated) -> Coverage:
    """The children of the forecast, of whom as many more are in public and inclusive kindergartens as the projects move."""
    now = september.coverage
    public = min(max(now.public + plan.public - nothing.public, 0), now.all)
    inclusive = min(max(now.inclusive + plan.inclusive - nothing.inclusive, 0), now.all - public)
    targets = (september.public.share.target, september.inclusive.share.target)
    return Coverage(now.all, public, inclusive, *targets)
