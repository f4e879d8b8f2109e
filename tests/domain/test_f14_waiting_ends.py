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


def supplementary(town, wishes):
    """A supplementary round with these wishes, to its result.  Returns the main round, which `town` judges no longer."""
    main = town.the_round
    town.silence_if_any()
    town.round(kind="supplementary")
    town.open_registration()
    for child, wanted in wishes.items():
        town.wish(child, *wanted)
    town.everyone_is_reviewed()
    town.freeze()
    town.run()
    town.publish()
    return main


@prepared
def two_rounds(town):
    """`ben` stands first for what `ana` wants most in the supplementary round."""
    town.k1, town.k2, town.a, town.s = (
        town.kindergarten(name, places=1) for name in ("金苹果", "牡丹", "玉兰", "海棠")
    )
    town.ben = town.child("本本", wishes=[town.k1])
    town.ana = town.child("安娜", wishes=[town.k1, town.k2])
    return town


def keeps_its_place(town, main, standing):
    """The main round's replay has nothing to hand on, and the child stays where the supplementary round placed it."""
    town.confirm(town.ana, wait=True)
    assert codes(town, town.ana) == ["for_a_better_wish"], "it waits in the round of its place"
    later, town.the_round = town.the_round, main
    assert codes(town, town.ana) == [standing]
    with pytest.raises(Refused, match="nothing_to_hand_on"):
        town.replay()
    assert (town.place_of(town.ana), town.offer_for(town.ana).round_id) == (town.s, later.id)
    assert town.taken_at(town.k2) == 0


def test_f14_who_took_a_place_of_a_later_round_waits_no_longer_in_the_earlier_one(two_rounds):
    """The place that it left for the new one is free, and its family has said that it prefers the new one."""
    town = two_rounds
    town.drawn(town.ben, town.ana)
    town.confirm(town.ben)
    town.confirm(town.ana, wait=True)
    main = supplementary(town, {town.ben: [town.a], town.ana: [town.a, town.s]})
    keeps_its_place(town, main, "content")


def test_f14_who_gave_up_in_a_round_stays_given_up_in_it_with_a_place_of_another(two_rounds):
    town = two_rounds
    town.drawn(town.ben, town.ana)
    town.confirm(town.ben)
    town.decline(town.ana)
    main = supplementary(town, {town.ben: [town.a], town.ana: [town.a, town.s]})
    keeps_its_place(town, main, "gave_up")
