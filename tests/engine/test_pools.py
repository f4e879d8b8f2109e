"""How listed pools are laid out, number by number."""

import numpy as np
import pytest

from allocation.eligibility import pool_masks
from allocation.faults import MarketFault
from allocation.market import Market, Pool
from allocation.pools import one_pool_each, pool_table


def columns(table):
    names = ("start", "programme", "places", "locked", "group_start", "group")
    return {name: getattr(table, name).tolist() for name in names}


def test_without_pools_each_programme_is_one():
    table = one_pool_each(np.array([4, 0]))
    assert columns(table) == {
        "start": [0, 1, 2], "programme": [0, 1], "places": [4, 0], "locked": [False, False],
        "group_start": [0, 0, 0], "group": [],
    }  # fmt: skip
    assert (table.count, table.plain, table.name(1)) == (2, True, "general")
    assert columns(pool_table([], np.array([4, 0]))) == columns(table)


def test_pools_stand_in_precedence_order_and_general_holds_what_they_leave():
    listed = [
        Pool(1, "late", 7, 1, (4, 2), "locked"), Pool(1, "general", 3, None), Pool(1, "early", 2, 2, (5,)),
        Pool(3, "all", 1, 6), Pool(4, "some", 9, 1, (1,)), Pool(4, "first", 8, 0, (3,)),
    ]  # fmt: skip
    table = pool_table(listed, np.array([3, 8, 0, 6, 2]))
    assert table.names == ("general", "early", "general", "late", "general", "all", "first", "some", "general")
    assert columns(table) == {
        "start": [0, 1, 4, 5, 6, 9], "programme": [0, 1, 1, 1, 2, 3, 4, 4, 4], "places": [3, 2, 5, 1, 0, 6, 0, 1, 1],
        "locked": [False, False, False, True, False, False, False, False, False],
        "group_start": [0, 0, 1, 1, 3, 3, 3, 4, 5, 5], "group": [5, 4, 2, 3, 1],
    }  # fmt: skip
    assert (table.count, table.plain, table.name(3), table.listed) == (9, False, "late", tuple(listed))


@pytest.mark.parametrize("listed,expected", [
    ([Pool(0, "a", 1, 3), Pool(0, "b", 2, 2)], "row 1, column places: the pools hold 5 places, the programme has 4"),
    ([Pool(0, "a", 1, 1), Pool(0, "general", 2, 2)], "row 1, column places: the pools hold 3 places, the programme has 4"),
    ([Pool(0, "general", 2, 5)], "row 0, column places: the pools hold 5 places, the programme has 4"),
    ([Pool(0, "a", 1, 5), Pool(0, "general", 2, None)], "row 1, column places: the pools hold 5 places"),
    ([Pool(0, "a", 1, 1), Pool(0, "a", 2, 2)], "row 1, column pool: pool a stands twice"),
    ([Pool(0, "a", 1, 1), Pool(0, "b", 1, 2)], "row 1, column precedence: precedence 1 stands twice"),
    ([Pool(0, "general", 1, None, (1,))], "row 0, column groups: the general pool is open to everybody"),
    ([Pool(0, "general", 1, None, (), "locked")], "row 0, column groups: the general pool is open to everybody"),
    ([Pool(0, "a", 1, None)], "row 0, column places: only the general pool may leave its places empty"),
])  # fmt: skip
def test_each_fault_of_a_pool_is_named(listed, expected):
    with pytest.raises(MarketFault) as caught:
        Market.from_arrays([0, 1], [0], [0], [1], [4], pools=listed)
    [fault] = caught.value.faults
    assert str(fault).startswith(f"pools, {expected}")


def test_sound_pools_have_no_fault():
    for listed in ([Pool(0, "a", 1, 1), Pool(0, "general", 2, 3)], [Pool(0, "a", 1, 4), Pool(0, "general", 2, 0)],
                   [Pool(0, "a", 1, 1), Pool(0, "general", 2, None)], [Pool(0, "a", 1, 0, (0, 7))]):  # fmt: skip
        Market.from_arrays([0, 1], [0], [0], [1], [4], pools=listed)


def test_which_pools_are_for_whom():
    """Bit j: the child is of a group of the programme's pool j, or the pool is for everybody."""
    pools = [Pool(0, "a", 1, 1, (0, 2)), Pool(0, "b", 2, 1, (1,)), Pool(1, "c", 1, 1, (2,))]
    market = Market.from_arrays(
        [0, 2, 4, 5, 6], [0, 1, 1, 0, 0, 1], [0] * 6, range(4), [3, 1], pools=pools, groups=[(2, 1), (0,), (), (3,)]
    )
    assert pool_masks(market).tolist() == [0b111, 0b1, 0b0, 0b101, 0b100, 0b0]
    alone = Market.from_arrays([0, 1], [0], [0], [1], [3], pools=pools[:2])
    assert pool_masks(alone).tolist() == [0b100]
    nobody_named = Market.from_arrays([0, 1], [0], [0], [1], [3], pools=[Pool(0, "a", 1, 1)])
    assert pool_masks(nobody_named).tolist() == [0b11]
    assert pool_masks(Market.from_arrays([0, 1], [0], [0], [1], [3])) is None
