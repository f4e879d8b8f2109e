"""An arrival is undone after the child's former kindergarten has promoted its classes."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.ground.errors import Refused
from enrollment.offers.arrivals import arrival
from enrollment.offers.arrivals.rows import ArrivalEntry
from enrollment.offers.offer_rows import Offer
from enrollment.places import promotion, roll
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import classes, movements, moves, promotion_undo
from tests.support.prepared import prepared
from tests.support.town_season import at

SEPTEMBER = dt.date(2026, 9, 1)


@prepared
def back(town):
    """Ana of the nursery class 托一班 has arrived for the lower class; then 托一班 and 托二班 move up."""
    town.here = town.kindergarten("锦官新城幼儿园", places=2)
    town.open_registration()
    town.ana = town.child("李沐晨", wishes=[town.here])
    town.drawn(town.ana)
    town.confirm(town.ana)
    town.at(at(8, 21, 10))
    town.clerk = town.clerk_of(town.here)
    ana, born = town.ana.child, town.ana.child.born
    of_ana = {"name": ana.name, "id_number": ana.id_number, "id_kind": ana.id_kind, "born": born}
    told = {"level": "nursery", "year": 2025}
    town.before = town.child_on_roll(town.here, of_ana.pop("name"), class_name="托一班", **told, **of_ana)
    town.mates = [
        town.child_on_roll(town.here, name, class_name=class_name, born=born, id_number=number, **told)
        for name, class_name, number in (("本本", "托一班", "P0000001"), ("陈陈", "托二班", "P0000002"))
    ]
    town.offer = town.offer_for(town.ana)
    arrival.arrive(town.session, town.offer.id, class_name="小一班", by=town.clerk, now=town.now)
    town.sheet = promotion.promote(
        town.session, town.here.id, 2025, choices={"level-lower": "accept"}, by=town.clerk, now=town.now
    )
    return town


def entries(town, index):
    rows = select(RollClass.school_year, RollClass.name, RollChild.entered_on, RollChild.left_on)
    of_child = rows.join(RollChild, RollChild.class_id == RollClass.id).where(RollChild.id_index == index)
    found = town.session.execute(of_child).all()
    return sorted((tuple(row) for row in found if row.left_on != row.entered_on), key=lambda row: row[2])


def undo(town):
    return arrival.undo_arrival(town.session, town.offer.id, by=town.clerk, now=town.now)


def test_the_child_goes_on_in_the_class_into_which_its_own_has_moved_up(back):
    town = back
    assert town.sheet.children == 2, "the child had arrived elsewhere"
    undo(town)
    year_before = (2025, "托一班", dt.date(2025, 9, 1), SEPTEMBER)
    moved = entries(town, town.mates[0].id_index)[-1]
    assert entries(town, town.before.id_index) == [year_before, moved]
    arrival.arrive(town.session, town.offer.id, class_name="小一班", by=town.clerk, now=town.now)
    assert entries(town, town.before.id_index) == [year_before, (2026, "小一班", SEPTEMBER, None)]


def test_the_promotion_is_taken_back_with_it(back):
    town = back
    undo(town)
    made = promotion.last_promotion(town.session, town.here.id, 2025)
    promotion_undo.undo(town.session, made.id, by=town.clerk, now=town.now)
    assert entries(town, town.before.id_index) == [(2025, "托一班", dt.date(2025, 9, 1), None)]


def test_another_class_on_the_day_of_arrival_leaves_the_old_entry_ended(back):
    town = back
    arrival.mend_class(town.session, town.offer.id, class_name="小二班", by=town.clerk, now=town.now)
    assert [row[:2] for row in entries(town, town.before.id_index)] == [(2025, "托一班"), (2026, "小二班")]
    undo(town)
    assert len(entries(town, town.before.id_index)) == 2


def test_without_a_class_to_return_to_the_arrival_stays(back):
    town = back
    for roll_class in town.session.scalars(select(RollClass).where(RollClass.promotion_id.is_not(None))):
        roll_class.closed_on = town.now.date()
    town.session.flush()
    with pytest.raises(Refused, match="no_class_to_return_to"):
        undo(town)
    assert roll.on_roll_from(town.session, town.before.id_index, SEPTEMBER)


def another_class(town):
    values = {"name": "小三班", "level": "lower", "school_year": 2026, "kept_as": "rows"}
    return classes.open_class(town.session, town.here.id, **values, by=town.clerk, now=town.now)


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("later", [dt.timedelta(), dt.timedelta(days=3)])
def test_an_arrival_is_undone_after_a_class_change_and_counts_on_no_day(back, numbered, later):
    town = back
    arrived = town.session.get_one(ArrivalEntry, town.offer.id).roll_child_id
    entry = town.session.get_one(RollChild, arrived)
    other = another_class(town)
    town.at(at(9, 1, 10) + later)
    if not numbered:
        entry.id_index = None
    moved = moves.change_class(town.session, arrived, other.id, day=SEPTEMBER + later, by=town.clerk, now=town.now)
    moved_id = moved.id
    undo(town)
    town.session.expire_all()
    both = [town.session.get_one(RollChild, each) for each in (arrived, moved_id)]
    assert [(each.left_on == each.entered_on, each.leave_reason) for each in both] == [(True, "no_show")] * 2
    assert town.session.scalar(select(Offer.state).where(Offer.id == town.offer.id)) == "confirmed"
    assert entries(town, town.before.id_index)[-1] == entries(town, town.mates[0].id_index)[-1], (
        "with its class, moved up"
    )


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("later", [dt.timedelta(), dt.timedelta(days=3)])
def test_movements_tell_an_arrival_undone_after_a_class_change_once(back, numbered, later):
    town = back
    arrived = town.session.get_one(ArrivalEntry, town.offer.id).roll_child_id
    entry = town.session.get_one(RollChild, arrived)
    other = another_class(town)
    town.at(at(9, 1, 10) + later)
    if not numbered:
        entry.id_index = None
    moves.change_class(town.session, arrived, other.id, day=SEPTEMBER + later, by=town.clerk, now=town.now)
    undo(town)
    assert told(town, entry.name) == ["小一班"]
    town.at(at(9, 5, 10))
    arrival.arrive(town.session, town.offer.id, class_name="小一班", by=town.clerk, now=town.now)
    undo(town)
    assert told(town, entry.name) == ["小一班"] * 2, "a second arrival that is undone is told too"


def told(town, name):
    """The classes in which the movements tell from September on that the child did not come."""
    listed = movements.movements(town.session, town.here.id, since=SEPTEMBER, until=dt.date(2026, 9, 30), by=town.clerk)
    theirs = [each for each in listed.items if each.child_name == name]
    assert {each.class_name for each in theirs} == {"小一班"}, "the class that it was moved to says nothing of its own"
    return [each.class_name for each in theirs if each.kind == "no_show"]


def test_a_week_is_counted_from_the_first_class_here_and_not_from_the_last(back):
    town = back
    arrived = town.session.get_one(ArrivalEntry, town.offer.id).roll_child_id
    other = another_class(town)
    town.at(at(9, 12, 10))
    moves.change_class(town.session, arrived, other.id, day=dt.date(2026, 9, 12), by=town.clerk, now=town.now)
    with pytest.raises(Refused, match="undo_in_roll"):
        undo(town)
