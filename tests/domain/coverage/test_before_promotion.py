"""Last year's children count until the new roll shows that they were moved up, in the two shares and in every list beside them."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.coverage import rollup, seats
from enrollment.ground.accounts import SYSTEM
from enrollment.offers.arrivals import arrival
from enrollment.places import roll
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import classes, moves
from tests.support.prepared import prepared
from tests.support.september import (
    AUGUST,
    SEPTEMBER,
    YEAR,
    ana_was_here,
    arrive,
    comes,
    count,
    in_august,
    is_whole,
    move_by_hand,
    open_class,
    promote,
    sums,
    undo,
    were_promoted,
)
from tests.support.town_season import at


@prepared
def august(town):
    return in_august(town)


@pytest.mark.parametrize("counted", [False, True], ids=["by name", "and by number"])
@pytest.mark.parametrize("was_here", [False, True], ids=["from elsewhere", "from a class here"])
def test_who_arrives_in_an_older_class_counts_once_and_the_others_go_on(august, was_here, counted):
    town, more = august, 0
    if counted:
        town.roll(town.here, "lower", 20, name="小三班", year=YEAR - 1)
        more = 20
    if was_here:
        ana_was_here(town)
    before = sums(town, AUGUST)
    assert before == (3 + was_here + more, 3 + more)
    arrive(town)
    assert sums(town, AUGUST) == before, "in August it is on last year's roll, or comes"
    assert sums(town, SEPTEMBER) == (3 + more, 3 + more)
    town.at(at(9, 2, 9))
    places = [each.number for each in seats.seats_of(town.session, SEPTEMBER)]
    promote(town)
    assert sums(town, SEPTEMBER) == (3 + more, 3 + more)
    if not counted and not was_here:
        assert places == [1 + 25], "the class that waits has its seats once"


DEEDS = {
    "nothing": (lambda town: comes(town, "新新", "lower", class_name="小一班"), False),
    "an empty class by name": (lambda town: open_class(town, "rows"), False),
    "an empty class by number": (lambda town: open_class(town, "count"), False),
    "an arrival": (arrive, False),
    "an arrival of a child of the class": (lambda town: (ana_was_here(town), arrive(town)), False),
    "a new child by hand": (lambda town: comes(town, "新新"), False),
    "a number": (lambda town: count(town, 20), True),
    "a child that was moved by hand": (move_by_hand, True),
}


@pytest.mark.parametrize("deed, shown", DEEDS.values(), ids=DEEDS)
def test_coverage_and_promotion_agree_on_what_shows_that_children_moved_up(august, deed, shown):
    town = august
    deed(town)
    assert (is_whole(town), were_promoted(town)) == (shown, shown)


@pytest.mark.parametrize("old", ["number", "without number"])
def test_where_last_years_children_cannot_be_compared_a_child_by_hand_shows_it_and_an_arrival_does_not(august, old):
    town = august
    if old == "number":
        town.roll(town.here, "lower", 20, name="小三班", year=YEAR - 1)
    else:
        comes(town, "旧旧", "lower", year=YEAR - 1, class_name="小一班", numbered=False)
    arrive(town)
    assert not is_whole(town)
    comes(town, "新新")
    assert is_whole(town)


def test_a_child_without_a_number_by_hand_shows_it(august):
    comes(august, "新新", numbered=False)
    assert is_whole(august)


def test_a_promotion_that_is_undone_shows_nothing(august):
    town = august
    arrive(town)
    promote(town)
    assert is_whole(town)
    undo(town)
    assert not is_whole(town)
    assert sums(town, SEPTEMBER) == (3, 3)


def test_a_promotion_into_the_class_of_an_arrival_makes_no_class_and_shows_itself(august):
    town = august
    arrive(town)
    promote(town)
    made = town.session.scalars(select(RollClass).where(RollClass.school_year == YEAR)).all()
    assert [(each.name, each.promotion_id) for each in made] == [("中一班", None)]
    assert is_whole(town)


def test_an_arrived_child_that_changes_its_class_or_whose_class_is_merged_still_arrived(august):
    town = august
    town.roll(town.here, "lower", 20, name="小三班", year=YEAR - 1)
    arrive(town)
    town.at(at(9, 3, 9))
    first = town.session.scalars(
        select(RollChild).join(RollClass, RollClass.id == RollChild.class_id).where(RollClass.school_year == YEAR)
    ).one()
    other = open_class(town, "rows")
    told = {"by": town.clerk, "now": town.now}
    moves.change_class(town.session, first.id, other.id, day=dt.date(2026, 9, 3), **told)
    classes.close(town.session, first.class_id, reason="没有幼儿", **told)
    assert not is_whole(town, dt.date(2026, 9, 5))
    told = {"school_year": YEAR, "kept_as": "rows", "by": SYSTEM, "now": town.now}
    third = classes.open_class(town.session, town.here.id, name="中四班", level="middle", **told)
    town.at(at(9, 4, 9))
    classes.merge(town.session, other.id, third.id, reason="合班", by=town.clerk, now=town.now)
    assert not is_whole(town, dt.date(2026, 9, 5))


def test_an_arrival_that_was_undone_hides_no_child_that_is_moved_by_hand(august):
    town = august
    ana_was_here(town)
    arrive(town)
    arrival.undo_arrival(town.session, town.offer_for(town.ana).id, by=town.clerk, now=town.now)
    assert not is_whole(town)
    child = town.ana.child
    (old,) = [each for each in town.session.scalars(select(RollChild)) if each.name == child.name and not each.left_on]
    roll.leave(town.session, old.id, on=dt.date(2026, 9, 1), reason="other", by=town.clerk, now=town.now)
    known = {"id_number": child.id_number, "id_kind": child.id_kind, "born": child.born, "class_name": "中二班"}
    town.child_on_roll(town.here, child.name, level="middle", year=YEAR, **known)
    assert is_whole(town)


def test_a_closed_class_whose_children_were_taken_back_shows_nothing(august):
    town = august
    moved = move_by_hand(town)
    assert is_whole(town)
    town.at(at(9, 5, 9))
    roll.leave(town.session, moved.id, on=dt.date(2026, 9, 5), reason="other", by=town.clerk, now=town.now)
    classes.close(town.session, moved.class_id, reason="没有幼儿", by=town.clerk, now=town.now)
    assert is_whole(town, dt.date(2026, 9, 4))
    assert not is_whole(town, dt.date(2026, 9, 6))


def test_a_nursery_that_was_promoted_waits_no_longer(town):
    town.here = town.kindergarten("小豆丁")
    town.at(at(8, 21, 10))
    town.clerk = town.clerk_of(town.here)
    town.roll(town.here, "nursery", 15, name="托一班", year=YEAR - 1)
    town.roll(town.here, "lower", 10, name="小九班", year=YEAR)
    assert not is_whole(town)
    promote(town)
    assert is_whole(town)


def test_the_area_of_the_arrival_is_counted_again(august):
    town = august
    town.at(at(9, 2, 9))
    rollup.refresh(town.session, [YEAR], now=town.now)
    arrive(town)
    assert sums(town, SEPTEMBER) == (3, 3)
    rollup.refresh(town.session, [YEAR], now=town.now)
    assert sums(town, SEPTEMBER) == (3, 3)
