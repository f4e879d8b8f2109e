"""What must hold on every market: rows in any order, one place more, one child less, a better tier, empty pools."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocation import renumber
from allocation.checks import check
from allocation.market import Market, Pool
from allocation.solve import solve
from tests.engine.market_changes import after_giving_up, again, given_up, unit_of, with_list, without_children
from tests.engine.small_markets import tiny_market

numbers = st.integers(0, 10**9)
rules = st.sampled_from(["overhang", "close"])
contrary = st.booleans()


def ranks(outcome):
    """Rank of each child; without a place counts as after the last wish."""
    return np.where(outcome.rank > 0, outcome.rank, 99)


@settings(max_examples=150, deadline=None)
@given(numbers, rules, contrary, st.integers(0, 99), st.booleans())
def test_one_place_more_makes_nobody_worse(number, rule, contrary, which, reserved):
    """Wherever the place is: among those for everybody, or in a reserved pool."""
    market = tiny_market(number, children=10, programmes=4, pair_rule=rule, contrary=contrary)
    places = market.places.copy()
    places[which % len(places)] += 1
    pools = [p._replace(places=None) if p.name == "general" else p for p in market.pools.listed]
    mine = [k for k, p in enumerate(pools) if p.programme == which % len(places) and p.name != "general"]
    if reserved and mine:
        pools[mine[0]] = pools[mine[0]]._replace(places=pools[mine[0]].places + 1)
    assert (ranks(solve(again(market, places=places, pools=pools))) <= ranks(solve(market))).all()


@settings(max_examples=150, deadline=None)
@given(numbers, rules, contrary, st.integers(0, 99))
def test_one_child_less_makes_nobody_worse(number, rule, contrary, which):
    market = tiny_market(number, children=10, programmes=4, pair_rule=rule, contrary=contrary)
    fewer, stay = without_children(market, unit_of(market, which % market.children))
    assert (ranks(solve(fewer)) <= ranks(solve(market))[stay]).all()


def with_better_tier(market, wish):
    """The market with tier 0 for this wish of the unit, and the child whose wish it is."""
    child = int(np.searchsorted(market.offsets, wish, side="right")) - 1
    tier = market.tier.copy()
    for member in unit_of(market, child):
        tier[market.offsets[member] + wish - market.offsets[child]] = 0
    return again(market, tier=tier), child


@settings(max_examples=150, deadline=None)
@given(numbers, rules, contrary, st.integers(0, 99))
def test_without_units_a_better_tier_makes_that_child_no_worse(number, rule, contrary, which):
    market = tiny_market(number, children=10, programmes=4, pair_rule=rule, contrary=contrary, units=False)
    if not len(market.programme):
        return
    better, child = with_better_tier(market, which % len(market.programme))
    assert ranks(solve(better))[child] <= ranks(solve(market))[child]


def test_with_bound_twins_a_better_tier_can_be_worse():
    """No property of the rule: the twins displace children who then close the queue of the twins' second wish."""
    market = tiny_market(5762585, children=10, programmes=4, pair_rule="close")
    better, child = with_better_tier(market, 17)
    before, after = solve(market), solve(better)
    assert market.unit[child] >= 0
    assert (before.rank[child], after.rank[child]) == (2, 0)
    assert check(market, before, solve).ok and check(better, after, solve).ok


@settings(max_examples=100, deadline=None)
@given(numbers, rules, contrary, st.booleans(), st.booleans())
def test_the_order_of_the_rows_plays_no_part(number, rule, contrary, siblings, current):
    shape = {"contrary": contrary, "siblings": siblings, "current": current}
    market = tiny_market(number, children=10, programmes=4, pair_rule=rule, **shape)
    order = np.random.default_rng(number).permutation(market.children)
    to = np.empty_like(order)
    to[order] = np.arange(len(order))
    wish = np.concatenate([np.arange(market.offsets[c], market.offsets[c + 1]) for c in order]).astype(int)
    pick = {n: getattr(market, n) for n in ("ticket", "unit", "family", "current")}
    elder = None if market.elder is None else [to[e] if e >= 0 else -1 for e in market.elder[order]]
    shuffled = again(
        market, offsets=np.concatenate(([0], np.cumsum(np.diff(market.offsets)[order]))), elder=elder,
        programme=market.programme[wish], tier=market.tier[wish],
        groups=[tuple(market.group[market.group_start[c] : market.group_start[c + 1]].tolist()) for c in order],
        **{n: None if column is None else column[order] for n, column in pick.items()},
    )  # fmt: skip
    one, two = solve(market), solve(shuffled)
    assert (one.rank[order] == two.rank).all() and (one.pool[order] == two.pool).all()
    assert (one.cutoffs.ticket == two.cutoffs.ticket).all() and (one.cutoffs.state == two.cutoffs.state).all()


@settings(max_examples=100, deadline=None)
@given(numbers, rules, contrary, st.booleans())
def test_pools_without_places_change_nothing(number, rule, contrary, others):
    """Whether they are tried before all other pools or after them."""
    market = tiny_market(number, children=10, programmes=4, pair_rule=rule, pools=others, contrary=contrary)
    empty = [Pool(p, "empty", (-1, 50)[number % 2], 0, (0,), "locked") for p in range(market.programmes)]
    rest = [p._replace(places=None) if p.name == "general" else p for p in market.pools.listed]
    one, two = solve(market), solve(again(market, pools=[*empty, *rest]))
    assert (one.rank == two.rank).all()
    names = [[o.market.pools.name(q) if q >= 0 else None for q in o.pool] for o in (one, two)]
    assert names[0] == names[1]


@settings(max_examples=100, deadline=None)
@given(numbers, st.booleans(), contrary)
def test_without_units_no_family_gains_by_another_list(number, pools, contrary):
    """All misreports: every ordered selection of the programmes the child could have written."""
    market = tiny_market(number, children=4, programmes=3, units=False, pools=pools, contrary=contrary)
    truth = solve(market)
    for child in range(market.children):
        own = list(range(market.offsets[child], market.offsets[child + 1]))
        for length in range(len(own) + 1):
            for told in permutations(own, length):
                got = solve(with_list(market, child, told)).programme[child]
                liked = [market.programme[w] for w in own]
                better = liked[: truth.rank[child] - 1] if truth.rank[child] else liked
                assert got < 0 or got not in better


@pytest.mark.parametrize("pair_rule", ["overhang", "close"])
@pytest.mark.parametrize("siblings", [False, True])
def test_in_a_replay_nobody_placed_is_worse_off(pair_rule, siblings):
    """Three replays, each after somebody gave up, with units, pools, and siblings whose elder moves on."""
    moved = 0
    for number in range(150):
        shape = {"siblings": siblings, "contrary": number % 2 == 1}
        market = tiny_market(number, children=12, programmes=4, pair_rule=pair_rule, **shape)
        outcome = solve(market)
        for step in range(3):
            gone = given_up(market, number, step)
            market = after_giving_up(market, outcome, gone)
            after = solve(market)
            stayed = np.isin(np.arange(market.children), gone, invert=True)
            assert (ranks(after)[stayed] <= ranks(outcome)[stayed]).all(), number
            moved += int((ranks(after) < ranks(outcome))[stayed].sum())
            outcome = after
    assert moved > 50


def test_a_guaranteed_place_that_no_pool_has_room_for_stands_over():
    market = Market.from_arrays(
        [0, 1, 2, 3], [0, 0, 0], [0, 0, 0], [1, 2, 3], [1], current=[-1, 0, 0],
    )  # fmt: skip
    outcome = solve(market)
    assert outcome.programme.tolist() == [-1, 0, 0]
    assert outcome.overhang.tolist() == [1]
    assert replace(outcome).reasons.code.tolist() == [2, 0, 0]  # no_places for the first, though its ticket is best


def test_a_large_market_is_renumbered_and_gives_the_same(monkeypatch):
    for number in range(40):
        shape = {"siblings": True, "current": number % 2 == 0, "contrary": number % 3 > 0}
        market = tiny_market(number, children=12, programmes=4, **shape)
        monkeypatch.setattr(renumber, "LARGE_MARKET", 1 << 20)
        one = solve(market)
        monkeypatch.setattr(renumber, "LARGE_MARKET", 1)
        two = solve(market)
        assert two.market is market
        for name in ("programme", "rank", "pool", "overhang", "unit_tier"):
            assert getattr(one, name).tolist() == getattr(two, name).tolist(), number
        assert one.reasons.ticket.tolist() == two.reasons.ticket.tolist()
        assert all((a == b).all() for a, b in zip(vars(one.cutoffs).values(), vars(two.cutoffs).values(), strict=True))
