"""A place that was given up goes to the next in line, by the same law, and nobody who holds a place loses by it."""

import pytest

from enrollment.ground.errors import Refused
from tests.support.prepared import prepared


@prepared
def three_for_one_place(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    mudan = town.kindergarten("牡丹", places=1)
    ana = town.child("安娜", wishes=[jinpingguo])
    ben = town.child("本本", wishes=[jinpingguo, mudan])
    cui = town.child("翠翠", wishes=[jinpingguo, mudan])
    town.drawn(ana, ben, cui)
    return ana, ben, cui, jinpingguo, mudan


def test_a_declined_place_goes_to_the_next_and_that_ones_to_the_next(town, three_for_one_place):
    ana, ben, cui, jinpingguo, mudan = three_for_one_place
    town.decline(ana)
    town.confirm(ben, wait=True)
    town.replay()
    assert town.place_of(ben) == jinpingguo
    assert town.offer_for(ben).state == "confirmed"
    assert town.place_of(cui) == mudan
    assert town.offer_for(cui).state == "offered"
    assert town.taken_at(jinpingguo) == town.taken_at(mudan) == 1


def test_who_confirmed_for_good_stays_where_he_is(town, three_for_one_place):
    ana, ben, cui, jinpingguo, mudan = three_for_one_place
    town.decline(ana)
    town.confirm(ben)
    town.replay()
    assert town.place_of(ben) == mudan
    assert town.place_of(cui) == jinpingguo


def test_nothing_is_replayed_while_families_may_still_answer(town, three_for_one_place):
    ana, _ben, _cui, *_ = three_for_one_place
    town.decline(ana)
    with pytest.raises(Refused, match="answers_still_due"):
        town.replay()


def test_silence_is_giving_up_after_a_reminder(town, three_for_one_place):
    ana, ben, _cui, jinpingguo, _mudan = three_for_one_place
    town.confirm(ben, wait=True)
    assert town.silence() == 1
    assert town.last_offer_for(ana).state == "expired"
    town.replay()
    assert town.place_of(ben) == jinpingguo


def test_later_places_are_handed_on_daily_under_the_approval_of_two(town, three_for_one_place):
    ana, ben, cui, jinpingguo, _mudan = three_for_one_place
    town.decline(ana)
    town.confirm(ben, wait=True)
    town.replay()
    assert town.daily_replay() == []
    town.approve_daily_replays()
    assert town.daily_replay() == [], "no place is free"
    town.decline(ben)
    (run,) = town.daily_replay()
    assert run.state == "published"
    assert town.place_of(cui) == jinpingguo
