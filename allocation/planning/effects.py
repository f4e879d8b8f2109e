"""What stands behind a plan, by plain arithmetic: how each kind of measure changes the share, and other children than expected."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from allocation.planning import arithmetic
from allocation.planning.arithmetic import Seated, Starts
from allocation.planning.problem import ALL, PUBLIC, AreaYear, Problem


@dataclass(frozen=True)
class Step:
    """The city's children once the measures of `kind` are added to those of the kinds before it."""

    kind: str
    city: Seated


def steps(problem: Problem, starts: Starts, year: int, kinds: Iterable[str]) -> list[Step]:
    """The way from no measure (kind "") to the plan, one kind after the other."""
    of_kind = {each.code: each.kind for each in problem.measures}
    taken: dict[str, int] = {}
    found = [Step("", arithmetic.figures(problem, taken).city[year])]
    for kind in kinds:
        added = {code: start for code, start in starts.items() if of_kind[code] == kind}
        if added:
            taken |= added
            found.append(Step(kind, arithmetic.figures(problem, taken).city[year]))
    return found


def with_children(problem: Problem, per_cent: int) -> Problem:
    """The same with this many per cent of the children expected; the room that is asked stays."""

    def changed(each: AreaYear) -> AreaYear:
        public, inclusive, other = (number * per_cent // 100 for number in each.children)
        return replace(each, children=(public, inclusive, other))

    return replace(problem, years=tuple(tuple(changed(each) for each in line) for line in problem.years))


def with_preference(problem: Problem, points: int) -> Problem:
    """The same with this many hundredths of a percent of all children fewer who would choose a public kindergarten."""

    def changed(each: AreaYear) -> AreaYear:
        public, inclusive, other = each.children
        moved = min(points * each.all // ALL, each.children[PUBLIC])
        return replace(each, children=(public - moved, inclusive, other + moved))

    return replace(problem, years=tuple(tuple(changed(each) for each in line) for line in problem.years))


def with_public_target(problem: Problem, points: int) -> Problem:
    """The same with the public targets, where there are any, moved by this many hundredths of a percent."""

    def moved(target: int) -> int:
        return min(max(target + points, 1), ALL) if target else 0

    return replace(
        problem,
        years=tuple(
            tuple(replace(each, public_target=moved(each.public_target)) for each in line) for line in problem.years
        ),
        city_targets=tuple((moved(public), covered) for public, covered in problem.city_targets),
    )
