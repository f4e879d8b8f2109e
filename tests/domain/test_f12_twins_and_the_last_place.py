"""F12: the next number is a pair of twins and one place is left.  The rule stands in the policy, and is told to the family."""

import pytest

from enrollment.ground.errors import Refused
from enrollment.results import family_results


def two_places_ana_the_twins_and_ben(town, rule):
    jinpingguo = town.kindergarten("金苹果", places=2)
    town.round(pair_rule=rule)
    town.open_registration()
    ana = town.child("安娜", wishes=[jinpingguo])
    twins = town.twins("宁宁", "静静", wishes=[jinpingguo])
    ben = town.child("本本", wishes=[jinpingguo])
    town.drawn(ana, twins[0], ben)
    return jinpingguo, ana, twins, ben


def test_f12_overhang_takes_both_and_stores_who_stands_over(town):
    jinpingguo, ana, twins, ben = two_places_ana_the_twins_and_ben(town, "overhang")
    assert [town.place_of(child) for child in (ana, *twins)] == [jinpingguo] * 3
    assert town.offer_for(ben) is None
    programme = town.programme_of(jinpingguo)
    town.session.refresh(programme)
    assert (programme.places, programme.taken, programme.overhang) == (2, 3, 1)


def test_f12_close_keeps_the_place_and_says_so(town):
    jinpingguo, ana, twins, ben = two_places_ana_the_twins_and_ben(town, "close")
    assert town.place_of(ana) == jinpingguo
    assert [town.offer_for(child) for child in (*twins, ben)] == [None] * 3
    assert town.taken_at(jinpingguo) == 1
    told = family_results.for_application(town.session, ben.id, now=town.now).wishes[0]
    assert told.reason == "closed_by_unit", "nobody behind them is taken first"


def test_f12_the_round_has_the_rule_that_its_policies_were_signed_with(town):
    town.kindergarten("金苹果", places=1)
    town.policy()
    town.round(pair_rule="close")
    with pytest.raises(Refused, match="pair_rule_differs"):
        town.open_registration()


def test_bound_children_answer_together(town):
    jinpingguo, _ana, twins, ben = two_places_ana_the_twins_and_ben(town, "overhang")
    town.confirm(twins[0])
    assert [town.offer_for(child).state for child in twins] == ["confirmed", "confirmed"]
    town.decline(twins[1])
    assert [town.offer_for(child) for child in twins] == [None, None]
    town.silence()
    town.replay()
    assert town.place_of(ben) == jinpingguo
    assert town.taken_at(jinpingguo) == 1


def test_who_stands_over_is_not_pushed_out_by_a_replay(town):
    jinpingguo, ana, twins, ben = two_places_ana_the_twins_and_ben(town, "overhang")
    for child in (ana, twins[0]):
        town.confirm(child)
    town.change_places(town.programme_of(jinpingguo), places=3)
    with pytest.raises(Refused, match="nothing_to_hand_on"):
        town.replay()
    town.change_places(town.programme_of(jinpingguo), places=4)
    town.replay()
    assert [town.place_of(child) for child in (ana, *twins, ben)] == [jinpingguo] * 4
