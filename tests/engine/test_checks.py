"""The independent check says yes exactly where the definitions do, and finds each planted mistake."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from allocation import checks, verify
from allocation.benchmark.synthetic import displacement_chain, synthetic_market
from allocation.checks.optimality import best_ranks
from allocation.checks.proposals import Proposals
from allocation.checks.row_order import _shuffle
from allocation.market import Market, Pool
from allocation.solve import solve
from tests.engine.definitions import Rule
from tests.engine.outcome_builder import told
from tests.engine.small_markets import tiny_market

ABOUT_STABILITY = ("capacities", "no_justified_envy", "no_empty_place_wanted")


@pytest.mark.parametrize("pair_rule", ["overhang", "close"])
@pytest.mark.parametrize("shape", [{"pools": False}, {}, {"current": True, "pools": False, "units": False}])
def test_stable_is_what_the_definitions_call_stable(pair_rule, shape):
    tried = {True: 0, False: 0}
    for number in range(60):
        market = tiny_market(number, children=4, programmes=2, pair_rule=pair_rule, **shape)
        rule = Rule(market)
        for outcome in all_outcomes(rule):
            report = checks.check(market, told(market, *zip(*rule.placements(outcome), strict=True)))
            found = [name for name in ABOUT_STABILITY if report.findings.get(name)]
            stable = rule.is_stable(outcome)
            assert (not found) == stable, (number, outcome, report.failures)
            tried[stable] += 1
    assert min(tried.values()) > 50


def all_outcomes(rule):
    outcomes = [()]
    for tries in rule.tries:
        outcomes = [(*before, granted) for before in outcomes for granted in range(len(tries) + 1)]
    return outcomes[:: max(1, len(outcomes) // 150)]


@pytest.fixture
def solved():
    """A bound pair, a reserved pool, an elder, a guaranteed place: something of everything."""
    market = Market.from_arrays(
        [0, 2, 4, 6, 8, 9, 11], [0, 1, 0, 1, 0, 1, 1, 0, 2, 0, 1], [1, 1, 2, 0, 1, 1, 1, 1, 0, 3, 0],
        [6, 1, 2, 3, 4, 5], [3, 2, 1], unit=[-1, 0, 0, -1, -1, -1], elder=[4, -1, -1, -1, -1, -1],
        current=[-1, -1, -1, 1, -1, -1], level=[1, 1, 2], kindergarten=[0, 1, 0], sibling_tier=[0, 1, -1],
        pools=[Pool(0, "estate", 1, 1, (0,), "locked")], groups=[(0,), (), (0,), (), (), ()], family=[0, 1, 1, 2, 0, 3],
    )  # fmt: skip
    outcome = solve(market)
    assert checks.check(market, outcome, solve).ok
    return outcome


def changed(array, at, value):
    copy = array.copy()
    copy[at] = value
    return copy


def cutoffs(outcome, **columns):
    return replace(outcome, cutoffs=replace(outcome.cutoffs, **columns))


def test_what_the_fixture_holds(solved):
    assert solved.programme.tolist() == [0, 0, 0, 1, 2, 1]
    assert [solved.market.pools.name(q) for q in solved.pool] == [
        "estate",
        "general",
        "general",
        "general",
        "general",
        "general",
    ]
    assert solved.unit_tier.tolist()[:6] == [0, 1, 2, 1, 2, 1]


@pytest.mark.parametrize("name,value,check,row", [
    ("rank", (0, 3), "one_placement", "child 0"),
    ("rank", (0, -1), "one_placement", "child 0"),
    ("rank", (3, 0), "one_placement", "child 3"),
    ("rank", (0, 2), "one_placement", "child 0"),
    ("programme", (0, 1), "one_placement", "child 0"),
    ("programme", (0, -1), "one_placement", "child 0"),
    ("pool", (0, 9), "one_placement", "child 0"),
    ("pool", (0, 4), "one_placement", "child 0"),
    ("pool", (0, 2), "one_placement", "child 0"),
    ("pool", (0, -1), "one_placement", "child 0"),
    ("pool", (2, 0), "units_together", "child 2"),
    ("pool", (1, 0), "units_together", "child 2"),
    ("unit_tier", (0, 1), "tiers", "wish 0"),
    ("unit_tier", (4, 1), "tiers", "wish 4"),
    ("overhang", (0, 1), "capacities", "programme 0"),
])  # fmt: skip
def test_each_wrong_number_is_found(solved, name, value, check, row):
    wrong = replace(solved, **{name: changed(getattr(solved, name), *value)})
    report = checks.check(solved.market, wrong)
    assert not report.ok
    assert row in report.findings[check]
    assert f"{check}: {row}" in report.failures
    assert report.as_dict()[check] == f"{len(report.findings[check])} found"
    told = list(checks.CHECKS)
    before = {"one_placement": 1, "units_together": 4, "tiers": 4, "eligibility": 4}  # what follows needs these to hold
    assert list(report.findings) == told[: before.get(check, len(told) - 1)]


def test_a_child_in_a_pool_locked_to_others_is_found(solved):
    wrong = replace(solved, pool=changed(changed(solved.pool, 1, 0), 2, 0))
    assert checks.check(solved.market, wrong).findings["eligibility"] == ("child 1", "child 2")


@pytest.mark.parametrize("column,value", [
    ("state", 0), ("state", 1), ("eligible", 0), ("tier", 1), ("ticket", 4), ("filled", 1),
])  # fmt: skip
def test_each_wrong_line_is_found(column, value):
    market = Market.from_arrays([0, 1, 2, 3], [0, 0, 0], [0, 2, 0], [1, 2, 3], [2])
    outcome = solve(market)
    assert checks.check(market, outcome).ok
    wrong = cutoffs(outcome, **{column: changed(getattr(outcome.cutoffs, column), 0, value)})
    assert checks.check(market, wrong).findings["cutoffs"] == ("pool 0",)


def test_lines_that_lead_elsewhere_are_found():
    market = Market.from_arrays([0, 2, 3, 4], [0, 1, 0, 0], [0, 0, 2, 0], [1, 2, 3], [2, 1])
    outcome = solve(market)
    wide = cutoffs(outcome, tier=changed(outcome.cutoffs.tier, 0, 2))
    assert checks.check(market, wide).findings["cutoffs_reproduce"] == ("child 1",)
    narrow = cutoffs(outcome, ticket=changed(outcome.cutoffs.ticket, 0, 1))
    assert checks.check(market, narrow).findings["cutoffs_reproduce"] == ("child 2",)


def test_a_solver_that_looks_at_the_order_of_rows_is_found():
    market = Market.from_arrays(range(9), [0] * 8, [0] * 8, range(1, 9), [3])

    def first_come(market):
        return solve(market.with_tickets(np.arange(1, market.children + 1)))

    report = checks.check(market, solve(market), first_come)
    assert report.findings["same_when_shuffled"]
    assert list(report.findings) == list(checks.CHECKS)


@pytest.mark.parametrize("column", ["programme", "rank", "pool"])
def test_each_column_is_compared_after_the_shuffling(column):
    """Two programmes of two pools each, so that every number can be another one."""
    pools = [Pool(p, "estate", 1, 1, (0,), "open") for p in (0, 1)]
    market = Market.from_arrays([0, 2], [0, 1], [0, 0], [1], [2, 2], pools=pools, groups=[(0,)])
    outcome = solve(market)
    other = {"programme": lambda o: 1 - o.programme, "rank": lambda o: o.rank + 1, "pool": lambda o: o.pool + 1}

    def unlike(market):
        found = solve(market)
        return replace(found, **{column: other[column](found)})

    assert checks.check(market, outcome, solve).ok
    assert checks.check(market, outcome, unlike).findings["same_when_shuffled"] == ("child 0",)


def test_rows_are_shuffled_well():
    for count in (0, 1, 2, 40):
        mixed = _shuffle(count).tolist()
        assert sorted(mixed) == list(range(count))
    assert sum(row == place for place, row in enumerate(mixed)) < 5
    assert sum(abs(a - b) == 1 for a, b in pairwise(mixed)) < 5


def test_at_most_twenty_rows_are_listed():
    market = Market.from_arrays(range(31), [0] * 30, [0] * 30, range(1, 31), [30])
    outcome = solve(market)
    wrong = replace(outcome, unit_tier=outcome.unit_tier + 1)
    assert len(checks.check(market, wrong).findings["tiers"]) == 20


@pytest.mark.parametrize("unclaimed,pool", [("open", "estate"), ("locked", "general")])
def test_groups_without_children_of_any(unclaimed, pool):
    market = Market.from_arrays([0, 1], [0], [0], [1], [2], pools=[Pool(0, "estate", 1, 1, (0,), unclaimed)])
    outcome = solve(market)
    assert checks.check(market, outcome, solve).ok
    assert market.pools.name(outcome.pool[0]) == pool


def test_a_group_is_not_taken_for_another():
    """Pools of groups with high numbers beside a child of a low one."""
    pools = [Pool(0, f"pool {k}", k, 1, (group,), "locked") for k, group in enumerate((2, 1, 5, 1, 3))]
    market = Market.from_arrays([0, 1], [0], [0], [1], [7], pools=pools, groups=[(0,)])
    outcome = solve(market)
    assert market.pools.name(outcome.pool[0]) == "general"
    assert checks.check(market, outcome, solve).ok


def test_one_wrong_seat_among_thousands_is_found():
    market = synthetic_market(4_000, units=True, pools=True)
    outcome = solve(market)
    assert checks.check(market, outcome).ok
    alone = (market.unit < 0) & (outcome.rank == 1)
    lost = int(np.flatnonzero(alone & (outcome.cutoffs.state[outcome.pool] == 2))[0])
    wrong = replace(outcome, **{name: changed(getattr(outcome, name), lost, none)
                                for name, none in (("programme", -1), ("rank", 0), ("pool", -1))})  # fmt: skip
    findings = checks.check(market, wrong).findings
    assert findings["no_empty_place_wanted"] == (f"pool {outcome.pool[lost]}",)
    assert findings["best_for_each_family"] == (f"child {lost}",)


def test_a_line_at_the_first_ticket_of_all():
    market = Market.from_arrays([0, 1, 2], [0, 0], [0, 0], [0, 1], [1])
    outcome = solve(market)
    assert (outcome.cutoffs.state.tolist(), outcome.cutoffs.ticket.tolist()) == ([2], [0])
    assert checks.check(market, outcome, solve).ok


# ENG03: one chain of displacements through all children


@pytest.mark.parametrize("children", [500, 1_000])
def test_eng03_a_chain_through_all_children_is_checked_in_steps_that_grow_with_the_proposals(children):
    market = displacement_chain(children)
    outcome = solve(market)
    assert outcome.proposals == 2 * (children - 1)  # everybody is displaced once, and the last finds nothing
    best = best_ranks(Proposals(market, outcome))
    assert best.steps <= 3 * children
    assert best.rank.tolist() == outcome.rank.tolist()


def test_eng03_a_long_check_tells_how_far_it_is():
    market = displacement_chain(100)
    lines = []
    assert verify(market, solve(market), lines.append) == []
    assert len(lines) == 4 and lines[0] == "check: every possible proposal again"


def test_eng03_a_pool_of_many_places_is_checked_in_as_few_steps():
    """Children come to one programme in the worst order: each one who comes stands before all others."""
    n = 200
    market = Market.from_arrays(range(n + 1), [0] * n, [0] * n, range(n, 0, -1), [n // 2])
    best = best_ranks(Proposals(market, solve(market)))
    assert best.steps <= 2 * n and (best.rank > 0).sum() == n // 2
    triplet = Market.from_arrays([0, 1, 2, 3], [0] * 3, [0] * 3, [1, 2, 3], [2], unit=[0, 0, 0], pair_rule="close")
    assert checks.check(triplet, solve(triplet), solve).ok
