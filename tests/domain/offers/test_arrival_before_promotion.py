"""A child arrives in a class of the middle level in August, before the head has promoted the kindergarten."""

import pytest
from sqlalchemy import select

from enrollment.offers.arrivals import arrival
from enrollment.places import promotion, roll
from enrollment.places.roll import RollChild
from enrollment.places.roll_changes import promotion_undo
from tests.support.prepared import prepared
from tests.support.town_season import at


@prepared
def august(town):
    town.here = town.kindergarten("锦官新城幼儿园", places=2)
    middle = town.programme(town.here, places=2, level="middle")
    town.round(levels=["lower", "middle"])
    town.ana = town.child("李沐晨", level="middle", wishes=[middle])
    town.drawn(town.ana)
    town.confirm(town.ana)
    town.at(at(8, 21, 10))
    town.clerk = town.clerk_of(town.here)
    born = town.ana.child.born
    town.mate = town.child_on_roll(town.here, "本本", level="lower", class_name="小一班", born=born)
    return town


def arrive(town):
    arrival.arrive(town.session, town.offer_for(town.ana).id, class_name="中一班", by=town.clerk, now=town.now)


def promote(town):
    choices = {"level-middle": "accept"}
    return promotion.promote(town.session, town.here.id, 2025, choices=choices, by=town.clerk, now=town.now)


def new_year(town):
    lines = roll.class_list(town.session, town.here.id, 2026, by=town.clerk, now=town.now)
    return [(line.name, line.children) for line in lines]


@pytest.mark.parametrize("was_here", [False, True], ids=["from elsewhere", "from a class here"])
def test_the_others_move_up_into_its_class_and_back(august, was_here):
    town = august
    if was_here:
        child = town.ana.child
        of_ana = {"id_number": child.id_number, "id_kind": child.id_kind, "born": child.born}
        town.child_on_roll(town.here, child.name, level="lower", class_name="小一班", **of_ana)
    arrive(town)
    assert promote(town).children == 1
    assert new_year(town) == [("中一班", 2)]
    made = promotion.last_promotion(town.session, town.here.id, 2025)
    assert made is not None
    promotion_undo.undo(town.session, made.id, by=town.clerk, now=town.now)
    assert new_year(town) == [("中一班", 1)]
    assert promote(town).children == 1


def test_an_arrival_that_is_undone_after_the_promotion_goes_on_with_its_class(august):
    town = august
    child = town.ana.child
    of_ana = {"id_number": child.id_number, "id_kind": child.id_kind, "born": child.born}
    town.child_on_roll(town.here, child.name, level="lower", class_name="小二班", **of_ana)
    arrive(town)
    promote(town)
    arrival.undo_arrival(town.session, town.offer_for(town.ana).id, by=town.clerk, now=town.now)
    assert sorted(new_year(town)) == [("中一班", 1), ("中二班", 1)]
    rows = town.session.scalars(select(RollChild).where(RollChild.left_on.is_(None))).all()
    assert len(rows) == 2
