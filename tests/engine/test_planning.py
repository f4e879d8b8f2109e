"""Plans: equal to trying every plan, refused when they are tampered with, and explained when they cannot be."""

import dataclasses
import random

import pytest

from allocation.planning import arithmetic, conflict, effects, model
from allocation.planning.arithmetic import Fault
from allocation.planning.conflict import Promise
from allocation.planning.problem import ALL, BY_LEVEL, AreaYear, Lock, Measure, Problem
from tests.engine import small_plans

EXACT = model.Effort(money_gap=0.0)


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_is_the_best_of_all_plans(seed):
    problem = small_plans.problem(seed)
    every = [plan for plan in small_plans.every_plan(problem) if not arithmetic.faults(problem, plan)]
    if not every:
        with pytest.raises(model.Impossible):
            model.solve(problem, EXACT)
        return
    best = min(arithmetic.figures(problem, plan).rank for plan in every)
    found = model.solve(problem, EXACT)
    assert found.figures.rank == best
    assert not arithmetic.faults(problem, found.starts, best)
    assert all(proof.gap < 1e-2 for proof in found.proofs)


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_around_what_has_begun_is_the_best_of_all_plans(seed):
    problem = small_plans.problem(seed)
    first = dataclasses.replace(problem.measures[0], decided=True, lock=Lock.MUST, cost=0, lead=1)
    problem = dataclasses.replace(problem, measures=(first, *problem.measures[1:]), budget=None, most={})
    every = [plan for plan in small_plans.every_plan(problem) if not arithmetic.faults(problem, plan)]
    if not every:
        with pytest.raises(model.Impossible):
            model.solve(problem, EXACT)
        return
    assert all(plan["m0"] == 0 for plan in every), "no plan may begin it later, or leave it out"
    found = model.solve(problem, EXACT)
    assert found.figures.rank == min(arithmetic.figures(problem, plan).rank for plan in every)


def test_what_has_begun_opens_in_its_year_and_no_promise_takes_it_back():
    free = dataclasses.replace(town().measures[0], lead=1)
    begun = dataclasses.replace(free, decided=True, lock=Lock.MUST, cost=0)
    problem = town(most={"close": 0}, measures=(begun, town().measures[1]))
    found = model.solve(problem, EXACT)
    assert found.starts == {"build": 0} and found.figures.spent == (0, 5)
    assert [one.public for one in found.figures.seated[0]] == [45, 62]
    relaxed = conflict.relax(problem, {Promise.LOCKS})
    assert relaxed.measures[0].lock == Lock.MUST and relaxed.measures == problem.measures
    assert list(problem.starts(dataclasses.replace(begun, lead=2))) == [], "it opens after these years"
    assert problem.digest != dataclasses.replace(problem, measures=(free, town().measures[1])).digest


@pytest.mark.parametrize("seed", range(2))
def test_the_children_of_an_area_are_the_best_of_all_ways_to_seat_them(seed):
    problem = small_plans.problem(seed, measures=4)
    dice = random.Random(seed)
    plans = [plan for plan in small_plans.every_plan(problem) if not arithmetic.faults(problem, plan)]
    for plan in dice.sample(plans, min(len(plans), 3)):
        seated = arithmetic.figures(problem, plan).seated
        for area, line in enumerate(seated):
            for year, one in enumerate(line):
                ways = every_way(problem, plan, area, year)
                assert one.unseated == min(way.unseated for way in ways)
                full = [way for way in ways if way.unseated == one.unseated]
                assert one.public == max(way.public for way in full)
                assert one.public + one.inclusive == max(way.public + way.inclusive for way in full)


@pytest.mark.parametrize("seed", range(6))
def test_a_measure_that_is_late_moves_only_its_own_area(seed):
    problem = small_plans.problem(seed)
    plans = [plan for plan in small_plans.every_plan(problem) if len(plan) > 1]
    for plan in random.Random(seed).sample(plans, min(len(plans), 5)):
        told = list(arithmetic.late(problem, plan))
        assert {each.measure.code for each in told} == set(plan)
        for each in told:
            code = each.measure.code
            whole = arithmetic.figures(problem, plan | {code: plan[code] + 1})
            assert (each.seated, each.city) == (whole.seated[each.measure.area], whole.city)


def every_way(problem: Problem, plan: dict[str, int], area: int, year: int) -> list[arithmetic.Seated]:
    """Every number of children by kind that the rows of the model allow."""
    now, limits = problem.years[area][year], problem.limits(area, year)
    measures = [
        (each, year - plan[each.code] - each.lead)
        for each in problem.measures
        if each.area == area and each.code in plan and plan[each.code] + each.lead <= year
    ]
    public, inclusive, other = (
        problem.places[area][kind] + sum(each.places_in(age)[kind] for each, age in measures) for kind in range(3)
    )
    in_force = [problem.pull(each, age) for each, age in measures]
    most_public = min(
        public,
        limits.public + sum(one.public for one in in_force),
        limits.willing + sum(one.turned for one in in_force),
    )
    most_covered = limits.covered + sum(one.covered for one in in_force)
    return [
        arithmetic.Seated(p, i, o, now.all - p - i - o, now.public_target, now.covered_target)
        for p in range(most_public + 1)
        for i in range(inclusive + 1)
        for o in range(limits.keep, other + 1)
        if p + i <= most_covered and p + i + o <= now.all
    ]


def test_a_plan_that_was_tampered_with_is_refused():
    problem = small_plans.problem(3)
    found = model.solve(problem, EXACT)
    plan, claim = found.starts, found.figures.rank
    assert plan and not arithmetic.faults(problem, plan, claim)

    def kinds(changed: dict[str, int], of: Problem = problem) -> set[Fault]:
        return {each.fault for each in arithmetic.faults(of, changed, claim)}

    some = next(iter(plan))
    assert kinds({**plan, "m99": 0}) == {Fault.UNKNOWN}
    assert Fault.TIME in kinds({**plan, some: -1})
    assert Fault.CLAIM in kinds({code: year for code, year in plan.items() if code != some})
    assert kinds(plan, with_locks(problem, some, Lock.NEVER)) == {Fault.NEVER}
    assert Fault.BUDGET in kinds(plan, dataclasses.replace(problem, budget=(-100,) * problem.horizon))
    assert Fault.MOST in kinds(plan, dataclasses.replace(problem, most={each.kind: 0 for each in problem.measures}))
    same_site = tuple(dataclasses.replace(each, site="one") for each in problem.measures)
    assert (Fault.SITE in kinds(plan, dataclasses.replace(problem, measures=same_site))) == (len(plan) > 1)
    left_out = next(each.code for each in problem.measures if each.code not in plan)
    assert Fault.MUST in kinds(plan, with_locks(problem, left_out, Lock.MUST))


def with_locks(problem: Problem, code: str, lock: Lock) -> Problem:
    changed = tuple(dataclasses.replace(each, lock=lock) if each.code == code else each for each in problem.measures)
    return dataclasses.replace(problem, measures=changed)


def town(**changed: object) -> Problem:
    """One area of 100 children with 45 in public kindergartens; 20 places to build for 100, and 15 private ones to close."""
    children = AreaYear((45, 40, 15), 90, 5100, 8200)
    problem = Problem(
        areas=("one",),
        first_year=2027,
        years=((dataclasses.replace(children, public_target=0), children),),
        places=((45, 40, 20),),
        measures=(
            Measure("build", "build", 0, (20, 0, 0), 100, 5, 0, 1),
            Measure("close", "close", 0, (0, 0, -15), 1, -2, 0, 0),
        ),
        city_targets=((0, 8200), (5100, 8200)),
    )
    return dataclasses.replace(problem, **changed)


def test_a_building_opens_class_by_class():
    """Twenty places of which a third is open in the first September: seven, of which families want five."""
    by_level = dataclasses.replace(town().measures[0], ramp=BY_LEVEL)
    assert [by_level.places_in(age)[0] for age in range(4)] == [6, 13, 20, 20]
    problem = dataclasses.replace(town(most={"close": 0}), measures=(by_level,))
    found = model.solve(problem, EXACT)
    second = found.figures.seated[0][1]
    assert (second.public, second.children_short[0]) == (45 + 5, 1)
    assert problem.digest != dataclasses.replace(problem, measures=(town().measures[0],)).digest
    turned = dataclasses.replace(by_level, places=(0, 10, -10), ramp=(25, 75, 100))
    assert [turned.places_in(age) for age in range(3)] == [(0, 2, -2), (0, 7, -7), (0, 10, -10)]


def test_a_building_is_filled_as_far_as_families_want_it():
    found = model.solve(town(most={"close": 0}), EXACT)
    assert found.starts == {"build": 0}
    second = found.figures.seated[0][1]
    assert (second.public, second.inclusive, second.other) == (62, 27, 11)
    assert found.figures.spent == (100, 5)


def test_what_cannot_be_is_explained_by_promises_each_of_which_is_verified():
    problem = town(most={"close": 0}, budget=(60, 60))
    best = model.solve(problem, EXACT)
    assert best.figures.short == 6 * ALL * 2  # six children of the area, and of the city
    found = conflict.explain(problem)
    assert found.proved
    assert set(found.without) == {Promise.BUDGET, Promise.PUBLIC}
    assert found.without[Promise.BUDGET] == {"build": 0}
    for promise, plan in found.without.items():
        relaxed = conflict.relax(problem, {promise})
        assert not arithmetic.faults(relaxed, plan)
        assert arithmetic.figures(relaxed, plan).short == 0


@pytest.mark.parametrize("seed", [0, 3, 6])
def test_no_promise_of_a_conflict_can_be_left_out(seed):
    problem = dataclasses.replace(small_plans.problem(seed), budget=(5, 5, 5))
    kept = [
        plan
        for plan in small_plans.every_plan(problem)
        if not arithmetic.faults(problem, plan) and arithmetic.figures(problem, plan).rank[:2] == (0, 0)
    ]
    if kept:
        return
    found = conflict.explain(problem)
    assert len(found.without) <= 6
    others = set(Promise) - set(found.without)
    seats_all = conflict.plan_without(problem, {Promise.PUBLIC, Promise.COVERED}) is not None
    if Promise.SEATED not in found.without and seats_all:
        others -= {Promise.SEATED}
    assert conflict.plan_without(problem, others) is None
    for promise in found.without:
        assert conflict.plan_without(problem, others | {promise}) is not None


def test_the_most_that_any_plan_can_have_is_a_bound():
    for seed in range(2):
        problem = small_plans.problem(seed)
        for plan in small_plans.every_plan(problem):
            if {each.fault for each in arithmetic.faults(problem, plan)} & {Fault.NEVER, Fault.PLACES}:
                continue
            seated = arithmetic.figures(problem, plan).seated
            for area, line in enumerate(seated):
                for year, one in enumerate(line):
                    if not one.unseated:
                        assert one.public <= arithmetic.best_public(problem, area, year).public


def test_a_search_that_is_stopped_keeps_the_best_plan():
    problem = small_plans.problem(7, measures=40, areas=4)
    told = []

    def stop() -> bool:
        return bool(told)

    watch = model.Watch(lambda stage, plan, bound: told.append(plan), stop)
    found = model.solve(problem, EXACT, watch)
    assert found.stopped
    assert len(found.proofs) < len(model.STAGES)
    assert not arithmetic.faults(problem, found.starts, found.figures.rank)


def test_steps_end_at_the_plan_and_other_children_change_only_the_children():
    problem = small_plans.problem(5)
    plan = model.solve(problem, EXACT).starts
    way = effects.steps(problem, plan, 2, small_plans.KINDS)
    assert way[0].city == arithmetic.figures(problem, {}).city[2]
    assert way[-1].city == arithmetic.figures(problem, plan).city[2]
    fewer = effects.with_children(problem, 90)
    assert sum(each.all for line in fewer.years for each in line) < sum(e.all for line in problem.years for e in line)
    less = effects.with_preference(problem, 500)
    assert arithmetic.figures(less, plan).city[2].public <= arithmetic.figures(problem, plan).city[2].public
    assert effects.with_public_target(problem, -100).city_targets[2] == (5000, 8200)
