"""Every reason, with the numbers that decided."""

import pytest

from allocation import explain
from allocation.by_code import WishReason
from allocation.market import Market, Pool
from allocation.reasons import PublishedLine, PublishedWish, first_wish_met, published_wishes
from allocation.solve import solve


def reasons(market, child):
    return [(why.reason, why.pool, why.cutoff_tier, why.cutoff_ticket) for why in explain(solve(market), str(child))]


def test_the_numbers_of_each_wish():
    market = Market.from_arrays(
        [0, 1, 4, 7], [0, 0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 0, 0, 5], [1, 2, 3], [1, 1, 1]
    )  # fmt: skip
    assert explain(solve(market), "1") == [
        WishReason(1, "0", "general", "tier_below_cutoff", 1, 2, 0, 1),
        WishReason(2, "1", "general", "tier_below_cutoff", 2, 2, 0, 3),
        WishReason(3, "2", "general", "placed", 0, 2, None, None),
    ]
    assert reasons(market, 2) == [
        ("ticket_after_cutoff", "general", 0, 1),
        ("placed", "general", 0, 3),
        ("placed_higher", None, None, None),
    ]


def one_programme(tickets, places, **more):
    n = len(tickets)
    return Market.from_arrays(range(n + 1), [0] * n, [0] * n, tickets, [places], **more)


def test_no_places_at_all_and_none_that_is_not_guaranteed():
    assert reasons(one_programme([1], 0), 0) == [("no_places", None, None, None)]
    assert reasons(one_programme([1, 2], 1, current=[-1, 0]), 0) == [("no_places", "general", None, None)]


@pytest.mark.parametrize("unclaimed,expected", [("locked", (None, None, None)), ("open", ("estate", 0, 2))])
def test_places_for_others(unclaimed, expected):
    market = one_programme([1, 2], 1, pools=[Pool(0, "estate", 1, 1, (0,), unclaimed)], groups=[(), (0,)])
    assert reasons(market, 0) == [("not_eligible", *expected)]
    assert reasons(market, 1)[0][0] == "placed"


def test_an_outsider_is_compared_with_outsiders():
    market = one_programme([3, 1, 2], 2, pools=[Pool(0, "estate", 1, 2, (0,), "open")], groups=[(0,), (), ()])
    assert reasons(market, 2) == [("ticket_after_cutoff", "estate", 0, 1)]
    assert reasons(market, 0)[0][:2] == ("placed", "estate")


def test_a_place_that_waits_for_nobody_because_a_pair_came_first():
    market = one_programme([1, 2, 3, 4], 2, unit=[-1, 0, 0, -1], pair_rule="close")
    assert reasons(market, 1) == reasons(market, 2) == reasons(market, 3) == [("closed_by_unit", "general", 0, 1)]
    market = one_programme([1, 2, 3], 1, unit=[0, 0, -1], pair_rule="close")
    assert reasons(market, 2) == [("closed_by_unit", "general", None, None)]


def test_the_last_pool_that_was_asked_gives_the_numbers():
    pools = [Pool(0, "estate", 1, 1, (0,), "open"), Pool(0, "empty", 2, 0), Pool(0, "locked", 9, 1, (7,), "locked")]
    market = one_programme([1, 2, 3, 4], 3, pools=[*pools, Pool(0, "general", 5, None)], groups=[(0,), (), (), ()])
    assert reasons(market, 2) == [("ticket_after_cutoff", "general", 0, 2)]
    assert reasons(market, 0) == [("placed", "estate", 0, 1)]


def test_what_a_published_line_says():
    line = PublishedLine("line", belongs=True, tier=2, ticket=50)
    assert line.admits(2, 50) and line.admits(1, 99) and not line.admits(2, 51) and not line.admits(3, 1)
    outsider = PublishedLine("line", belongs=False, tier=2, ticket=50)
    assert not outsider.admits(0, 1)
    assert PublishedLine("line", belongs=False, eligible=False, tier=2, ticket=50).admits(2, 50)
    assert PublishedLine("line", belongs=True, eligible=False, tier=2, ticket=50).admits(9, 99)
    assert PublishedLine("all", belongs=False).admits(15, 99)
    assert not PublishedLine("all", belongs=False, locked=True).admits(0, 1)
    assert not PublishedLine("line", belongs=False, locked=True, eligible=False, tier=2, ticket=50).admits(0, 1)
    assert not PublishedLine("none", belongs=True).admits(0, 1)


def test_the_first_wish_met():
    shut, open_ = PublishedLine("none", belongs=True), PublishedLine("all", belongs=True)
    assert first_wish_met(1, [PublishedWish(0, (shut,)), PublishedWish(0, (shut, open_))]) == 2
    assert first_wish_met(1, [PublishedWish(0, (shut,))]) is None
    assert first_wish_met(1, [PublishedWish(0, (shut,)), PublishedWish(0, (shut,), guaranteed=True)]) == 2
    market = one_programme([1, 2, 3], 1, unit=[-1, 0, 0], current=[-1, 0, 0])
    outcome = solve(market)
    assert first_wish_met(*published_wishes(outcome, 2)) == 1 == outcome.rank[2]
    assert first_wish_met(*published_wishes(outcome, 0)) is None
