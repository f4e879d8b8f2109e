"""The two shares in whole children; the golden figures are 衡南县's (25,113 on roll, 10,301 public, 7,629 inclusive)."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocation.coverage import Coverage, Percent, Share

TARGET = Percent(5_100)
HENGNAN = Coverage(25_113, 10_301, 7_629, TARGET, Percent(8_200))


def test_the_golden_figures():
    assert HENGNAN.public_share.text == "41.02"
    assert HENGNAN.inclusive_coverage.text == "71.40"
    assert (HENGNAN.public_share.to_move, HENGNAN.public_share.to_add) == (2_507, 5_116)
    assert not HENGNAN.public_share.met


@pytest.mark.parametrize("part,all_,met", [(50_996, 100_000, False), (51, 100, True), (50, 100, False), (0, 0, None)])
def test_a_target_is_met_in_whole_children(part, all_, met):
    assert Share(part, all_, TARGET).met is met


def test_an_area_without_children_shows_a_dash():
    empty = Share(0, 0, TARGET)
    assert (empty.text, empty.percent, empty.to_move, empty.to_add) == ("—", None, 0, 0)


def test_without_a_target_nothing_is_judged():
    """OFF01: no number of the code stands in for a target that nobody has set."""
    share = Coverage(100, 10, 20).public_share
    assert (share.text, share.target, share.met, share.to_move, share.to_add) == ("10.00", None, None, 0, 0)


@pytest.mark.parametrize("part,all_", [(2, 1), (-1, 1)])
def test_what_is_not_a_share_is_refused(part, all_):
    with pytest.raises(ValueError):
        Share(part, all_, TARGET)


@pytest.mark.parametrize("hundredths", [-1, 10_001])
def test_what_is_not_a_percentage_is_refused(hundredths):
    with pytest.raises(ValueError):
        Percent(hundredths)


@pytest.mark.parametrize(
    ("hundredths", "text", "short"),
    [
        (0, "0.00", "0"),
        (5_100, "51.00", "51"),
        (5_150, "51.50", "51.5"),
        (10_000, "100.00", "100"),
        (7, "0.07", "0.07"),
    ],
)
def test_a_percentage_in_writing(hundredths, text, short):
    assert (Percent(hundredths).text, Percent(hundredths).short) == (text, short)


def test_a_target_of_nothing_and_of_everything():
    """OFF02: 100 % is a target; children from outside alone never reach it while one child is elsewhere."""
    assert (Share(0, 5, Percent(0)).met, Share(0, 5, Percent(0)).to_add) == (True, 0)
    whole = Percent(10_000)
    assert (Share(5, 5, whole).met, Share(5, 5, whole).to_move, Share(5, 5, whole).to_add) == (True, 0, 0)
    assert (Share(4, 5, whole).met, Share(4, 5, whole).to_move, Share(4, 5, whole).to_add) == (False, 1, None)


@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(0, 9_999))
def test_the_gaps_are_the_fewest_children_that_meet_the_target(share, hundredths):
    part, all_ = share
    one, target = Share(part, all_, Percent(hundredths)), Fraction(hundredths, 10_000)
    assert one.to_move == max(0, ceil(target * all_) - part)
    assert one.to_add == max(0, ceil((target * all_ - part) / (1 - target)))
    assert Share(part + one.to_add, all_ + one.to_add, Percent(hundredths)).met
    if one.to_add:
        assert not Share(part + one.to_add - 1, all_ + one.to_add - 1, Percent(hundredths)).met
    assert abs(Fraction(one.percent.hundredths, 10_000) - Fraction(part, all_)) <= Fraction(1, 20_000)


def test_areas_add_up():
    both = HENGNAN + Coverage(100, 10, 20)
    assert both.public_target == TARGET
    assert (both.all, both.public, both.inclusive) == (25_213, 10_311, 7_649)


def test_the_same_children_beside_other_targets():
    other = HENGNAN.with_targets(Percent(4_000), None)
    assert (other.all, other.public, other.inclusive) == (HENGNAN.all, HENGNAN.public, HENGNAN.inclusive)
    assert other.public_share.met and other.inclusive_coverage.met is None
