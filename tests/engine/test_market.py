"""Columns that are no market are refused, row by row."""

import numpy as np
import pytest

from allocation.faults import Fault, MarketFault
from allocation.files.summary import by_nature
from allocation.market import Codes, Market, Pool
from allocation.solve import solve

PLAIN = {"offsets": [0, 1, 3], "programme": [0, 0, 1], "tier": [0, 0, 0], "ticket": [1, 2], "places": [1, 1]}


@pytest.mark.parametrize("change,expected", [
    ({"offsets": [0, 1, 2]}, "children, column offsets: offsets must rise from 0 to the number of wishes"),
    ({"offsets": [0, 4, 3]}, "children, column offsets: offsets must rise"),
    ({"offsets": [1, 1, 3]}, "children, column offsets: offsets must rise"),
    ({"offsets": []}, "children, column offsets: offsets must rise"),
    ({"pair_rule": "strict"}, "market, column pair_rule: strict is not one of overhang, close"),
    ({"tier": [0, 0]}, "market, column tier: 2 values where 3 are needed"),
    ({"unit": [0]}, "market, column unit: 1 values where 2 are needed"),
    ({"level": [0, 1, 1]}, "market, column level: 3 values where 2 are needed"),
    ({"groups": (np.array([0, 2, 1]), np.array([0]))}, "children, column groups: group offsets must rise"),
    ({"groups": [(0,), (-1,)]}, "children, column groups: a group that does not exist"),
    ({"places": [1, -1]}, "programmes, row 1, column places: places below zero"),
    ({"level": [4, 0]}, "programmes, row 0, column level: level that does not exist"),
    ({"nature": [0, -1]}, "programmes, row 1, column nature: nature that does not exist"),
    ({"sibling_tier": [16, 0]}, "programmes, row 0, column sibling_tier: a tier is 0 to 15"),
    ({"sibling_tier": [0, -2]}, "programmes, row 1, column sibling_tier: a tier is 0 to 15"),
    ({"programme": [0, 0, 2]}, "wishes, row 2, column programme: a programme that does not exist"),
    ({"programme": [0, 0, -1]}, "wishes, row 2, column programme: a programme that does not exist"),
    ({"programme": [0, 1, 1]}, "wishes, row 2, column programme: the same programme twice in one list"),
    ({"tier": [0, 0, 16]}, "wishes, row 2, column tier: 16 is not between 0 and 15"),
    ({"tier": np.array([0, 0, 16], dtype=np.uint8)}, "wishes, row 2, column tier: 16 is not between 0 and 15"),
    ({"ticket": [1, -1]}, "children, row 1, column ticket: -1 is not between 0 and 4294967295"),
    ({"ticket": [7, 7]}, "tickets, row 1, column ticket: ticket 7 stands twice"),
    ({"ticket": [4_000_000_000, 4_000_000_000]}, "tickets, row 1, column ticket: ticket 4000000000 stands twice"),
    ({"elder": [2, -1]}, "children, row 0, column elder: an elder who is not in this market"),
    ({"elder": [-2, -1]}, "children, row 0, column elder: an elder who is not in this market"),
    ({"elder": [1, -1]}, "children, row 0, column elder: the elder is not in an older class level"),
    ({"current": [2, -1]}, "children, row 0, column current: a programme that does not exist"),
    ({"current": [1, -1]}, "children, row 0, column current: the guaranteed place is not among the child's wishes"),
    ({"unit": [-2, -1]}, "children, row 0, column unit: a unit that does not exist"),
    ({"unit": [3, 3]}, "children, row 1, column unit: bound children with different wishes"),
    ({"pools": [Pool(2, "x", 1, 1)]}, "pools, row 0, column programme: programme 2 does not exist"),
    ({"pools": [Pool(-1, "x", 1, 1)]}, "pools, row 0, column programme: programme -1 does not exist"),
    ({"pools": [Pool(0, "x", 1, -1)]}, "pools, row 0, column places: -1 places"),
    ({"pools": [Pool(0, "x", 1, 1, (5,))], "known_groups": 5}, "pools, row 0, column groups: a group that does not exist"),
    ({"pools": [Pool(0, "x", 1, 1, (-5,))]}, "pools, row 0, column groups: a group that does not exist"),
    ({"pools": [Pool(0, "x", 1, 1, (), "shut")]}, "pools, row 0, column unclaimed: shut is neither open nor locked"),
    ({"pools": [Pool(0, f"x{k}", k, 0) for k in range(16)]}, "pools, row 15, column pool: more than 16 pools"),
])  # fmt: skip
def test_each_fault_is_named(change, expected):
    with pytest.raises(MarketFault) as caught:
        Market.from_arrays(**{**PLAIN, **change})
    assert any(str(fault).startswith(expected) for fault in caught.value.faults), str(caught.value)


def test_sixteen_pools_are_allowed():
    full = [Pool(0, f"x{k}", k, 1 if k == 0 else 0) for k in range(16)]
    assert Market.from_arrays(**{**PLAIN, "pools": full}).pools.count == 17
    rest = [Pool(0, f"x{k}", k, 0) for k in range(15)]
    assert Market.from_arrays(**{**PLAIN, "pools": rest}).pools.name(15) == "general"


def test_long_lists_are_looked_through_too():
    programmes = list(range(70))
    Market.from_arrays([0, 70], programmes, [0] * 70, [1], [1] * 70)
    with pytest.raises(MarketFault, match="row 69, column programme: the same programme twice"):
        Market.from_arrays([0, 70], [*programmes[:69], 3], [0] * 70, [1], [1] * 70)


def test_siblings_need_kindergartens():
    columns = {**PLAIN, "offsets": [0, 1, 2], "programme": [0, 1], "tier": [0, 0], "level": [1, 2], "elder": [1, -1]}
    with pytest.raises(MarketFault, match="need to know the kindergarten"):
        Market.from_arrays(**columns, sibling_tier=[0, 0])
    Market.from_arrays(**columns)


def test_units_are_of_one_family_and_at_most_three():
    columns = {"offsets": range(5), "programme": [0] * 4, "tier": [0] * 4, "ticket": range(4), "places": [9]}
    Market.from_arrays(**{**columns, "unit": [5, 5, 5, -1]})
    with pytest.raises(MarketFault, match="row 3, column unit: more than 3 children"):
        Market.from_arrays(**{**columns, "unit": [5, 5, 5, 5]})
    with pytest.raises(MarketFault, match="row 1, column unit: bound children of different families"):
        Market.from_arrays(**{**columns, "unit": [5, 5, -1, -1]}, family=[0, 1, 1, 1])


def test_too_many_children():
    offsets = np.zeros((1 << 26) + 1, dtype=np.int64)
    with pytest.raises(MarketFault, match="67108864 children; one market holds fewer"):
        Market.from_arrays(offsets, [], [], None, [])


def test_columns_can_not_be_written_and_unknown_ones_are_refused():
    market = Market.from_arrays(**PLAIN)
    with pytest.raises(ValueError, match="read-only"):
        market.tier[0] = 3
    with pytest.raises(TypeError, match="no such column: colour"):
        Market.from_arrays(**PLAIN, colour=[1, 2])


def test_tickets_are_checked_when_they_come_later():
    market = Market.from_arrays(**{**PLAIN, "ticket": None})
    with pytest.raises(MarketFault, match=r"^tickets, column ticket: the tickets have not been drawn"):
        solve(market)
    with pytest.raises(MarketFault, match="stands twice"):
        market.with_tickets([3, 3])
    with pytest.raises(MarketFault, match="3 tickets for 2 children"):
        market.with_tickets([1, 2, 3])
    drawn = market.with_tickets([9, 4], seed="ab" * 32)
    assert solve(drawn).programme.tolist() == [-1, 0]
    assert drawn.seed == "ab" * 32


def test_a_market_without_anybody():
    outcome = solve(Market.from_arrays([0], [], [], [], [2]))
    assert (outcome.placed, outcome.cutoffs.state.tolist(), by_nature(outcome)) == (0, [0], {})


def test_a_fault_says_where_it_is():
    assert str(Fault("market.json", -1, "", "no")) == "market.json: no"
    assert str(Fault("a.csv", 2, "x", "no")) == "a.csv, row 2, column x: no"
    assert Codes().children == ()


def test_progress_is_told():
    said = []
    solve(Market.from_arrays(**PLAIN), said.append)
    assert said == ["placing 2 units"]


def test_everybody_holds_a_guaranteed_place():
    """The one with the worse ticket holds the place, and nobody is without one."""
    market = Market.from_arrays([0, 1, 3], [1, 1, 0], [0, 0, 0], [1, 2], [1, 1], current=[1, 0])
    assert solve(market).programme.tolist() == [1, 0]
    market = Market.from_arrays([0, 1, 3], [1, 1, 0], [0, 0, 0], [1, 2], [1, 0], current=[1, 1])
    assert solve(market).programme.tolist() == [1, 1]
