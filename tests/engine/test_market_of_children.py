"""The market of some of its children is the market that one would make of them alone."""

import numpy as np
import pytest

from allocation import Market, solve
from allocation.market import Pool


@pytest.fixture
def market():
    """Six children at two programmes; 0 and 1 are bound, one pool is for a group."""
    return Market.from_arrays(
        [0, 2, 4, 5, 7, 8, 9], [0, 1, 0, 1, 0, 1, 0, 0, 1], [1, 1, 1, 1, 0, 2, 2, 1, 0], [4, 5, 1, 2, 3, 6], [2, 2],
        unit=[0, 0, -1, -1, -1, -1], family=[0, 0, 1, 1, 2, 3],
        current=[-1, -1, 0, -1, -1, 1], groups=[[], [], [0], [], [0], []], pools=[Pool(0, "estate", 1, 1, (0,), "open")],
        rank=[1, 2, 1, 2, 1, 1, 3, 1, 1], kindergarten=[0, 1], sibling_tier=[0, -1],
    )  # fmt: skip


def test_all_children_are_the_same_market(market):
    kept = market.of_children(np.ones(6, dtype=bool))
    for name in ("offsets", "programme", "tier", "ticket", "unit", "family", "current", "group", "rank"):
        assert (getattr(kept, name) == getattr(market, name)).all(), name
    assert (solve(kept).programme == solve(market).programme).all()


def test_who_is_left_out_takes_part_with_nothing(market):
    with_elder = market.with_columns(elder=[-1, -1, -1, 2, -1, 3])  # of 3, who is left out, and of 5, who stays
    assert with_elder.of_children(np.array([False, False, False, True, True, True])).elder.tolist() == [-1, -1, 0]
    kept = market.of_children(np.array([False, False, False, True, True, True]))
    assert kept.children == 3 and kept.offsets.tolist() == [0, 2, 3, 4]
    assert kept.programme.tolist() == [1, 0, 0, 1] and kept.rank.tolist() == [1, 3, 1, 1]
    assert kept.group_start.tolist() == [0, 0, 1, 1] and kept.group.tolist() == [0]
    assert kept.places.tolist() == market.places.tolist()
    alone = Market.from_arrays(
        [0, 2, 3, 4], [1, 0, 0, 1], [2, 2, 1, 0], [2, 3, 6], [2, 2], current=[-1, -1, 1], groups=[[], [0], []],
        pools=[Pool(0, "estate", 1, 1, (0,), "open")], rank=[1, 3, 1, 1], kindergarten=[0, 1], sibling_tier=[0, -1],
    )  # fmt: skip
    assert (solve(kept).programme == solve(alone).programme).all()
