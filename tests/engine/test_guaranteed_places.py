"""A guaranteed place when the places were cut: the child keeps it, above the places, in the last pool it may ask."""

import pytest

from allocation import checks
from allocation.market import Market, Pool
from allocation.solve import solve
from tests.engine.outcome_builder import told


@pytest.mark.parametrize("places,groups,expected", [
    ((1, 0, 0), [(), ()], ["open", "open"]),
    ((1, 1, 0), [(), (7,), ()], ["open", "locked", "open"]),
    ((1, 1, 0), [(), (7,), (7,)], ["open", "locked", "locked"]),
    ((1, 1, 1), [(), (7,), (), (7,)], ["open", "locked", "general", "general"]),
    ((0, 0, 0), [()], ["general"]),
])  # fmt: skip
def test_who_stands_over_is_counted_in_the_last_pool_it_may_ask(places, groups, expected):
    """All hold a place at one kindergarten; the first has the best ticket. Pools without places are not asked."""
    market = held(places, groups)
    outcome = solve(market)
    assert [market.pools.name(q) for q in outcome.pool] == expected
    assert outcome.overhang.tolist() == [len(groups) - sum(places)]
    assert checks.check(market, outcome, solve).ok


def test_who_is_counted_above_the_places_of_another_pool_is_found():
    market = held((1, 1, 1), [(), (7,), (), ()])
    outcome = solve(market)
    assert outcome.pool.tolist() == [0, 1, 2, 2]
    wrong = told(market, outcome.rank, [0, 1, 2, 0])
    assert checks.check(market, wrong).findings["capacities"] == ("pool 0",)


def held(places, groups):
    n = len(groups)
    names = [("open", (), "open"), ("locked", (7,), "locked"), ("general", (), "open")]
    pools = [Pool(0, name, k, places[k], of, unclaimed) for k, (name, of, unclaimed) in enumerate(names)]
    return Market.from_arrays(
        range(n + 1), [0] * n, [0] * n, range(n), [sum(places)], pools=pools, groups=groups, current=[0] * n
    )
