"""F14: elsewhere children who refused kept blocking the queue.  Here waiting has a reason, and it ends."""

import pytest

from enrollment.ground.errors import Refused
from enrollment.offers import waitlist
from enrollment.season import calendar
from tests.support.prepared import prepared
from tests.support.town_season import at


def codes(town, *children):
    standings = waitlist.standings(town.session, town.the_round, now=town.now)
    return [standings[child.child_code].code for child in children]


@prepared
def queue(town):
    town.jinpingguo = town.kindergarten("金苹果", places=1)
    mudan = town.kindergarten("牡丹", places=1)
    town.ana = town.child("安娜", wishes=[town.jinpingguo])
    town.ben = town.child("本本", wishes=[town.jinpingguo, mudan])
    town.cui = town.child("翠翠", wishes=[town.jinpingguo, mudan])
    town.ding = town.child("丁丁", wishes=[town.jinpingguo, mudan])
    town.drawn(town.ana, town.ben, town.cui, town.ding)
    return town


def test_f14_who_gave_up_stands_before_nobody(queue):
    town = queue
    town.confirm(town.ben, wait=True)
    assert codes(town, town.ana, town.ben, town.cui) == ["content", "for_a_better_wish", "for_a_place"]
    town.decline(town.ben)
    town.decline(town.ana)
    town.withdraw_after_the_draw(town.cui)
    assert codes(town, town.ana, town.ben, town.cui, town.ding) == ["gave_up", "gave_up", "withdrawn", "for_a_place"]
    town.replay()
    assert town.place_of(town.ding) == town.jinpingguo
    assert town.taken_at(town.jinpingguo) == 1


def test_f14_silence_ends_the_waiting_too(queue):
    town = queue
    town.confirm(town.ana)
    town.silence()
    assert codes(town, town.ben) == ["silent"]
    town.replay()
    assert town.place_of(town.cui).name == "牡丹"


def test_f14_waiting_is_over_for_a_better_wish_with_the_arrival_days_and_for_a_place_with_the_year(queue):
    town = queue
    town.confirm(town.ana)
    town.confirm(town.ben, wait=True)
    town.at(calendar.spans(town.season())["arrival"][1])
    assert codes(town, town.ben, town.cui) == ["content", "for_a_place"]
    town.change_places(town.programme_of(town.jinpingguo), places=2)
    town.replay()
    assert (town.place_of(town.ben).name, town.place_of(town.cui)) == ("牡丹", town.jinpingguo), "mid-year admission"
    town.at(at(5, 1, 0, year=2027))
    assert codes(town, town.ding) == ["over"]
    town.change_places(town.programme_of(town.jinpingguo), places=5)
    with pytest.raises(Refused, match="nothing_to_hand_on"):
        town.replay()
