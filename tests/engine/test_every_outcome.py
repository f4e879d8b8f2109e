"""The solver gives each unit the best of all stable outcomes: every outcome of many tiny markets is written down."""

import pytest

from allocation import checks
from allocation.reasons import first_wish_met, published_wishes
from allocation.solve import solve
from tests.engine.definitions import Rule
from tests.engine.small_markets import tiny_market

SHAPES = {
    "plain": {"units": False, "pools": False},
    "units": {"pools": False},
    "pools": {"units": False},
    "units and pools": {},
    "guaranteed places": {"current": True, "pools": False, "units": False},
    "six children": {"children": 6, "programmes": 2, "pools": False},
    "six children, units and pools": {"children": 6, "programmes": 2},
    "contrary": {"units": False, "pools": False, "contrary": True},
    "contrary, six children and units": {"children": 6, "pools": False, "contrary": True},
    "contrary, units and pools": {"contrary": True},
}


@pytest.mark.parametrize("pair_rule", ["overhang", "close"])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_unit_gets_the_best_of_all_stable_outcomes(shape, pair_rule):
    several = 0
    for number in range(120):
        market = tiny_market(number, pair_rule=pair_rule, **SHAPES[shape])
        outcome = solve(market)
        rule = Rule(market)
        stable = rule.stable()
        best = rule.best(stable)
        several += len(stable) > 1
        expected = rule.placements(best)
        asked = sum(min(granted + 1, len(tries)) for granted, tries in zip(best, rule.tries, strict=True))
        if market.places.all():  # a programme without places is asked by nobody, or counted as asked, as is quicker
            assert outcome.proposals == asked
        assert list(zip(outcome.rank.tolist(), outcome.pool.tolist(), strict=True)) == expected, (number, market)
    assert several > 5 or "contrary" not in shape


@pytest.mark.parametrize("pair_rule", ["overhang", "close"])
@pytest.mark.parametrize("siblings", [False, True])
@pytest.mark.parametrize("current", [False, True])
def test_every_check_passes_on_what_the_solver_gives(pair_rule, siblings, current):
    for number in range(80):
        shape = {"current": current, "siblings": siblings, "contrary": number % 2 == 1}
        market = tiny_market(number, children=9, programmes=4, pair_rule=pair_rule, **shape)
        outcome = solve(market)
        report = checks.check(market, outcome, solve)
        assert report.ok, (number, report.failures)
        assert set(report.findings) == set(checks.CHECKS)
        for child in range(market.children):
            met = first_wish_met(*published_wishes(outcome, child))
            assert (met or 0) == outcome.rank[child], (number, child)
