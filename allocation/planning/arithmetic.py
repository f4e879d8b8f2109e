"""The figures of a plan by plain arithmetic, and what is wrong with a plan.  Shares no code with the solver.

A plan says in which year each chosen measure begins.  From this the children of an area in a year follow: as many as
possible have a place; of these as many as would take it have a public or inclusive, and of these a public one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from allocation.planning.problem import ALL, INCLUSIVE, OTHER, PUBLIC, Lock, Measure, Problem, Pull

Starts = Mapping[str, int]
"""The year in which each chosen measure begins, by its code."""


@dataclass(frozen=True)
class Seated:
    """The children of an area in one year by kind of kindergarten, and those without a place; the targets in hundredths of
    a percent, 0 where nothing is asked."""

    public: int
    inclusive: int
    other: int
    unseated: int
    public_target: int
    covered_target: int

    @property
    def all(self) -> int:
        """Children with a place."""
        return self.public + self.inclusive + self.other

    @property
    def public_short(self) -> int:
        """How far the public share is below its target, in ten-thousandths of a child."""
        return max(self.public_target * self.all - ALL * self.public, 0)

    @property
    def covered_short(self) -> int:
        """The same for public and inclusive together."""
        return max(self.covered_target * self.all - ALL * (self.public + self.inclusive), 0)

    @property
    def children_short(self) -> tuple[int, int]:
        """Both in whole children, rounded up."""
        return -(-self.public_short // ALL), -(-self.covered_short // ALL)


@dataclass(frozen=True)
class Figures:
    """`seated[area][year]` and `city[year]`; `unseated` and `short` over all years (`short` in ten-thousandths of a child
    over areas and the city); `spent[year]` and the `money` of all years in 10,000 yuan."""

    seated: tuple[tuple[Seated, ...], ...]
    city: tuple[Seated, ...]
    unseated: int
    short: int
    spent: tuple[int, ...]

    @property
    def money(self) -> int:
        return sum(self.spent)

    @property
    def rank(self) -> tuple[int, int, int]:
        """What a better plan has less of, the first first."""
        return self.unseated, self.short, self.money


class Fault(StrEnum):
    """Why a plan is refused."""

    UNKNOWN = "unknown"
    TIME = "time"
    SITE = "site"
    MUST = "must"
    NEVER = "never"
    MOST = "most"
    BUDGET = "budget"
    PLACES = "places"
    ROOM = "room"
    KEEP = "keep"
    CLAIM = "claim"


@dataclass(frozen=True)
class Found:
    """A fault, and where: the code of a measure, a kind, an area or a site, and the year (-1: none)."""

    fault: Fault
    where: str = ""
    year: int = -1


def figures(problem: Problem, starts: Starts) -> Figures:
    """The figures of a plan that names known measures."""
    chosen = _chosen(problem, starts)
    seated = tuple(
        tuple(_seat_with(problem, area, year, _in_force(of_area, year)) for year in range(problem.horizon))
        for area, of_area in enumerate(chosen)
    )
    city = tuple(
        _together([of_area[year] for of_area in seated], *problem.city_targets[year]) for year in range(problem.horizon)
    )
    short = sum(one.public_short + one.covered_short for line in (*seated, city) for one in line)
    unseated = sum(one.unseated for one in city)
    listed = [one for of_area in chosen for one in of_area]
    spent = tuple(_spent(listed, year) for year in range(problem.horizon))
    return Figures(seated, city, unseated, short, spent)


@dataclass(frozen=True)
class Late:
    """A plan of which one measure begins a year later: the children of its area and of the city by year."""

    measure: Measure
    seated: tuple[Seated, ...]
    city: tuple[Seated, ...]


def late(problem: Problem, starts: Starts) -> Iterator[Late]:
    """The plan with each of its measures a year late in turn, all others as planned; only its area is seated again."""
    plan, chosen = figures(problem, starts), _chosen(problem, starts)
    for area, of_area in enumerate(chosen):
        others = plan.seated[:area] + plan.seated[area + 1 :]
        for measure, _start in of_area:
            moved = [(each, start + 1 if each is measure else start) for each, start in of_area]
            seated, city = [], []
            for year in range(problem.horizon):
                seated.append(_seat_with(problem, area, year, _in_force(moved, year)))
                parts = [line[year] for line in others]
                city.append(_together([*parts, seated[-1]], *problem.city_targets[year]))
            yield Late(measure, tuple(seated), tuple(city))


def faults(problem: Problem, starts: Starts, claimed: tuple[int, int, int] | None = None) -> list[Found]:
    """What is wrong with a plan; nothing means that it may be taken.

    `claimed` are the children without a place, the shortage and the money that somebody says the plan has.
    """
    known = {each.code: each for each in problem.measures}
    found = [Found(Fault.UNKNOWN, code) for code in starts if code not in known]
    if found:
        return found
    found += [
        Found(Fault.TIME, code, start) for code, start in starts.items() if start not in problem.starts(known[code])
    ]
    found += _locks(problem, starts)
    sites = Counter(known[code].site for code in starts if known[code].site)
    found += [Found(Fault.SITE, site) for site, number in sites.items() if number > 1]
    kinds = Counter(known[code].kind for code in starts)
    found += [Found(Fault.MOST, kind) for kind, most in problem.most.items() if kinds[kind] > most]
    plan = figures(problem, starts)
    if problem.budget is not None:
        found += [
            Found(Fault.BUDGET, "", year)
            for year, (spent, most) in enumerate(zip(plan.spent, problem.budget, strict=True))
            if spent > most
        ]
    found += _places(problem, starts)
    if claimed is not None and claimed != plan.rank:
        found.append(Found(Fault.CLAIM))
    return found


def best_public(problem: Problem, area: int, year: int) -> Seated:
    """At least as many children in public, and in public or inclusive kindergartens, as any plan can have in an area and
    year: all measures that may be in force, without regard to money, sites and caps, and no place is taken away."""
    possible = [
        (each, year - max(each.earliest, 0) - each.lead)
        for each in problem.measures
        if each.area == area and each.lock != Lock.NEVER and max(each.earliest, 0) + each.lead <= year
    ]
    places = [
        problem.places[area][kind] + sum(max(each.places_in(age)[kind], 0) for each, age in possible)
        for kind in range(3)
    ]
    return _seat(problem, area, year, places, [problem.pull(each, age) for each, age in possible])


def _spent(chosen: list[tuple[Measure, int]], year: int) -> int:
    started = sum(each.cost for each, start in chosen if start == year)
    return started + sum(each.yearly for each, start in chosen if start + each.lead <= year)


def _chosen(problem: Problem, starts: Starts) -> list[list[tuple[Measure, int]]]:
    """The chosen measures of each area, with the years in which they begin."""
    found: list[list[tuple[Measure, int]]] = [[] for _area in problem.areas]
    for each in problem.measures:
        if each.code in starts:
            found[each.area].append((each, starts[each.code]))
    return found


def _in_force(chosen: list[tuple[Measure, int]], year: int) -> list[tuple[Measure, int]]:
    """The measures in force in a year, and for how many years before it."""
    return [(each, year - start - each.lead) for each, start in chosen if start + each.lead <= year]


def _places_with(problem: Problem, area: int, in_force: list[tuple[Measure, int]]) -> list[int]:
    return [problem.places[area][kind] + sum(each.places_in(age)[kind] for each, age in in_force) for kind in range(3)]


def _seat_with(problem: Problem, area: int, year: int, in_force: list[tuple[Measure, int]]) -> Seated:
    pulls = [problem.pull(each, age) for each, age in in_force]
    return _seat(problem, area, year, _places_with(problem, area, in_force), pulls)


def _seat(problem: Problem, area: int, year: int, places: list[int], pulls: list[Pull]) -> Seated:
    now, limits = problem.years[area][year], problem.limits(area, year)
    most_public = max(
        min(
            places[PUBLIC],
            limits.public + sum(pull.public for pull in pulls),
            limits.willing + sum(pull.turned for pull in pulls),
        ),
        0,
    )
    covered = min(limits.covered + sum(pull.covered for pull in pulls), most_public + places[INCLUSIVE])
    placed = min(now.all, covered + places[OTHER])
    covered = min(covered, placed - limits.keep)
    public = min(most_public, covered)
    return Seated(
        public,
        covered - public,
        placed - covered,
        now.all - placed,
        now.public_target,
        now.covered_target,
    )


def _together(parts: list[Seated], public_target: int, covered_target: int) -> Seated:
    return Seated(
        sum(each.public for each in parts),
        sum(each.inclusive for each in parts),
        sum(each.other for each in parts),
        sum(each.unseated for each in parts),
        public_target,
        covered_target,
    )


def _locks(problem: Problem, starts: Starts) -> list[Found]:
    found = [
        Found(Fault.MUST, each.code) for each in problem.measures if each.lock == Lock.MUST and each.code not in starts
    ]
    return found + [
        Found(Fault.NEVER, each.code) for each in problem.measures if each.lock == Lock.NEVER and each.code in starts
    ]


def _places(problem: Problem, starts: Starts) -> list[Found]:
    """No place twice closed, room for more children than expected, and room for families who stay in private ones."""
    found = []
    for area, of_area in enumerate(_chosen(problem, starts)):
        name = problem.areas[area]
        for year in range(problem.horizon):
            places = _places_with(problem, area, _in_force(of_area, year))
            if min(places) < 0:
                found.append(Found(Fault.PLACES, name, year))
            if sum(places) < problem.years[area][year].room:
                found.append(Found(Fault.ROOM, name, year))
            if places[OTHER] < problem.limits(area, year).keep:
                found.append(Found(Fault.KEEP, name, year))
    return found
