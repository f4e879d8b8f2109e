"""A guaranteed place when the places were cut: the child keeps it, above the places, in the last pool it may ask."""

import pytest

from allocation import checks
from allocation.market import Market, Pool
from allocation.solve import solve


@pytest.mark.parametrize("places,groups,expected", [
    ((1, 0, 0), [(), ()], ["open", "open"]),
    ((1, 1, 0), [(), (7,), ()], ["open", "locked", "open"]),
    ((1, 1, 0), [(), (7,), (7,)], ["open", "locked", "locked"]),
    ((1, 1, 1), [(), (7,), (), (7,)], ["open", "locked", "general", "general"]),
    ((0, 0, 0), [()], ["general"]),
])  # fmt: skip
def test_who_stands_over_is_counted_in_the_last_pool_it_may_ask(places, groups, expected):
    """All hold a place at one kindergarten; the first has the best ticket. Pools without places are not asked."""
    n = len(groups)
    names = [("open", (), "open"), ("locked", (7,), "locked"), ("general", (), "open")]
    pools = [Pool(0, name, k, places[k], of, unclaimed) for k, (name, of, unclaimed) in enumerate(names)]
    market = Market.from_arrays(
        range(n + 1), [0] * n, [0] * n, range(n), [sum(places)], pools=pools, groups=groups, current=[0] * n
    )
    outcome = solve(market)
    assert [market.pools.name(q) for q in outcome.pool] == expected
    assert outcome.overhang.tolist() == [n - sum(places)]
    assert checks.check(market, outcome, solve).ok
