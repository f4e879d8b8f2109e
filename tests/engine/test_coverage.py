"""The two shares in whole children; the golden figures are 衡南县's (25,113 on roll, 10,301 public, 7,629 inclusive)."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocation.coverage import Coverage, Share

HENGNAN = Coverage(25_113, 10_301, 7_629)


def test_the_golden_figures():
    assert HENGNAN.public_share.text == "41.02"
    assert HENGNAN.inclusive_coverage.text == "71.40"
    assert (HENGNAN.public_share.to_move, HENGNAN.public_share.to_add) == (2_507, 5_116)
    assert not HENGNAN.public_share.met


@pytest.mark.parametrize("part,all_,met", [(50_996, 100_000, False), (51, 100, True), (50, 100, False), (0, 0, None)])
def test_a_target_is_met_in_whole_children(part, all_, met):
    assert Share(part, all_, 51).met is met


def test_an_area_without_children_shows_a_dash():
    assert (Share(0, 0, 51).text, Share(0, 0, 51).to_move, Share(0, 0, 51).to_add) == ("—", 0, 0)


@pytest.mark.parametrize("part,all_,target", [(2, 1, 51), (-1, 1, 51), (1, 1, 100), (1, 1, -1)])
def test_what_is_not_a_share_is_refused(part, all_, target):
    with pytest.raises(ValueError):
        Share(part, all_, target)


@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(0, 99))
def test_the_gaps_are_the_fewest_children_that_meet_the_target(share, target):
    part, all_ = share
    one = Share(part, all_, target)
    assert one.to_move == max(0, ceil(Fraction(target, 100) * all_) - part)
    assert one.to_add == max(0, ceil((Fraction(target, 100) * all_ - part) / (1 - Fraction(target, 100))))
    assert Share(part + one.to_add, all_ + one.to_add, target).met
    if one.to_add:
        assert not Share(part + one.to_add - 1, all_ + one.to_add - 1, target).met
    assert abs(Fraction(one.hundredths, 10_000) - Fraction(part, all_)) <= Fraction(1, 20_000)


def test_areas_add_up():
    both = HENGNAN + Coverage(100, 10, 20)
    assert (both.all, both.public, both.inclusive) == (25_213, 10_311, 7_649)
