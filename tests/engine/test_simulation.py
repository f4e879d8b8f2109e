"""Chances from many draws, compared with chances counted over every possible order of the families."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from allocation.market import Market, Pool
from allocation.simulation import Chance, SupposedWish, family_odds, simulate, simulate_groups
from allocation.solve import solve
from tests.engine.market_changes import again
from tests.engine.small_markets import tiny_market


def counted(market):
    """The share of all lines of families in which each wish is granted."""
    families = {}
    for child, family in enumerate(market.family.tolist()):
        families.setdefault(family, []).append(child)
    total = np.zeros(len(market.programme))
    lines = list(permutations(families.values()))
    for line in lines:
        order = [child for family in line for child in family]
        ticket = np.empty(market.children, dtype=np.uint32)
        ticket[order] = np.arange(1, len(order) + 1)
        outcome = solve(market.with_tickets(ticket))
        for child in np.flatnonzero(outcome.rank).tolist():
            total[market.offsets[child] + outcome.rank[child] - 1] += 1
    return total / len(lines)


@pytest.mark.parametrize("number,siblings", [(1, False), (20, True), (23, True), (11, False)])
def test_every_chance_is_near_the_counted_one(number, siblings):
    market = tiny_market(
        number, children=6, programmes=3 + siblings, siblings=siblings, current=True, contrary=siblings
    )
    drawn = simulate(market, 1_500, seed=number)
    expected = counted(market)
    assert np.abs(drawn.granted / drawn.draws - expected).max() < 0.05
    for child in range(market.children):
        own = slice(*market.offsets[child : child + 2].tolist())
        assert drawn.unplaced(child).value == pytest.approx(1 - drawn.granted[own].sum() / 1_500)
        if own.stop > own.start:
            assert drawn.chance(child, 1).hits == drawn.granted[own.start]
    if siblings:  # and the elders' places do count in these two
        assert np.abs(expected - counted(again(market, elder=None))).max() > 0.1


def test_the_number_of_workers_changes_nothing():
    market = tiny_market(3, children=9, siblings=True)
    one, three = simulate(market, 40, seed=5, workers=1), simulate(market, 40, seed=5, workers=3)
    assert (one.granted == three.granted).all() and (one.lines == three.lines).all()
    assert (simulate(market, 40, seed=6).lines != one.lines).any()


def test_an_interval_holds_the_chance_and_narrows_with_draws():
    few, many = Chance(5, 10), Chance(500, 1_000)
    assert few.low < 0.5 < few.high and few.low < many.low < many.high < few.high
    assert (round(few.low, 3), round(few.high, 3)) == (0.237, 0.763)  # Wilson 1927
    assert Chance(0, 50).low == 0 and Chance(50, 50).high == pytest.approx(1)


def lottery_for(applicants, places, **more):
    """One programme, everybody in the same tier."""
    return Market.from_arrays(
        range(applicants + 1), [0] * applicants, [1] * applicants, range(1, applicants + 1), [places, 10], **more
    )


def test_an_imagined_family_has_the_chance_of_the_others():
    drawn = simulate(lottery_for(40, 10), 4_000)
    odds = family_odds(drawn, [SupposedWish(0, 1)])
    assert odds.together_at[0].value == pytest.approx(0.25, abs=0.03)
    assert odds.none.value == pytest.approx(0.75, abs=0.03)
    assert family_odds(drawn, [SupposedWish(0, 0)]).together.value == 1
    assert family_odds(drawn, [SupposedWish(0, 2)]).together.value == 0
    more = family_odds(drawn, [SupposedWish(0, 1), SupposedWish(1, 3)])
    assert more.none.hits == 0 and more.together.hits == 4_000
    separate = family_odds(drawn, [SupposedWish(0, 1)], children=2, bound=False)
    assert separate.together.hits <= family_odds(drawn, [SupposedWish(0, 1)], children=2).together.hits


def test_pools_count_for_an_imagined_family():
    market = lottery_for(40, 10, pools=[Pool(0, "estate", 1, 10, (3,), "locked")], groups=[(3,)] * 40)
    drawn = simulate(market, 500)
    assert family_odds(drawn, [SupposedWish(0, 0)]).together.hits == 0
    assert family_odds(drawn, [SupposedWish(0, 0, frozenset({3}))]).together.hits == 500
    market = lottery_for(40, 10, pools=[Pool(0, "estate", 1, 10, (3,), "open")], groups=[(3,)] * 40)
    assert family_odds(simulate(market, 500), [SupposedWish(0, 0)]).together.hits == 0


@pytest.mark.parametrize("number", [1, 20, 23, 11])
def test_drw08_groups_of_each_draw_are_the_sum_of_its_wishes(number):
    market = tiny_market(number, children=7, siblings=number == 20, current=number != 11)
    everybody, some = np.arange(market.children), np.arange(0, market.children, 2)
    nobody = np.zeros(0, dtype=np.int64)
    counted_groups = simulate_groups(market, [everybody, some, nobody], 60, seed=4, workers=2)
    wishes = np.repeat(everybody, np.diff(market.offsets))
    first = np.zeros(len(market.programme), dtype=bool)
    first[market.offsets[:-1][np.diff(market.offsets) > 0]] = True
    granted = simulate(market, 60, seed=4).granted
    for at, group in enumerate((everybody, some, nobody)):
        inside = np.isin(wishes, group)
        assert counted_groups.placed[:, at].sum() == granted[inside].sum()
        assert counted_groups.first[:, at].sum() == granted[inside & first].sum()
    assert (counted_groups.by_nature.sum(axis=1) == counted_groups.placed[:, 0]).all()


def test_drw08_a_draw_of_the_groups_is_an_allocation_with_its_tickets():
    market = lottery_for(9, 4)
    drawn = simulate_groups(market, [np.arange(9), np.array([0])], 300, seed=2)
    assert (drawn.placed[:, 0] == 4).all() and (drawn.first[:, 0] == 4).all()
    assert 80 < drawn.placed[:, 1].sum() < 190, "one of nine children has one of four places in four of nine draws"


def test_drw08_a_first_wish_is_the_first_of_the_familys_own_list():
    market = replace(lottery_for(3, 3), rank=np.array([1, 2, 3], dtype=np.int32))
    drawn = simulate_groups(market, [np.arange(3)], 5)
    assert drawn.placed[:, 0].tolist() == [3] * 5 and drawn.first[:, 0].tolist() == [1] * 5
