"""DRW03: no published table gives away a number of 1 to 9 children, neither alone, nor as a difference, nor by a total."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from enrollment.season import small_cells
from enrollment.season.small_cells import FEWEST, MEASURES, is_small


@st.composite
def rows(draw):
    made = {}
    for name in draw(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1)):
        children = draw(st.one_of(st.integers(0, 25), st.integers(0, 500)))
        placed = draw(st.integers(0, children))
        made[name] = {"children": children, "placed": placed, "first": draw(st.integers(0, placed))}
    return made


@given(rows())
def test_no_shown_number_and_no_difference_of_two_is_small(table):
    for counts in small_cells.hide(table).values():
        assert counts["children"] >= FEWEST
        shown = [counts[measure] for measure in MEASURES if counts[measure] is not None]
        assert not any(is_small(one) for one in shown)
        assert not any(is_small(more - less) for more, less in itertools.pairwise(shown))


@given(rows())
def test_a_total_does_not_give_a_hidden_number_away(table):
    told = small_cells.hide(table, with_total=True)
    for measure in MEASURES:
        total = sum(counts[measure] for counts in table.values())
        shown = [name for name, counts in told.items() if counts[measure] is not None]
        hidden = table.keys() - set(shown)
        rest = total - sum(told[name][measure] for name in shown)
        assert rest == sum(table[name][measure] for name in hidden)
        if shown and hidden:
            assert len(hidden) >= 2 and not is_small(rest)


def test_large_rows_of_ordinary_grounds_are_told_in_full():
    table = {
        "local_hukou": {"children": 50, "placed": 47, "first": 30},
        "special_need": {"children": 14, "placed": 13, "first": 2},
    }
    told = small_cells.hide(table, sensitive={"special_need"})
    assert told["local_hukou"] == table["local_hukou"]
    assert told["special_need"] == {"children": 14, "placed": None, "first": None}
    assert small_cells.hide({"policy_care": {"children": 9, "placed": 9, "first": 9}}) == {}
