"""Many families and a clerk at once: no time of an open day has more visits than places, and no child has two."""

import datetime as dt

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.open_days import days, visits
from enrollment.open_days.days import DayPlan, SlotPlan
from enrollment.open_days.rows import OpenDaySlot, OpenDayVisit
from tests.attacks.test_roll_races import codes

pytestmark = pytest.mark.long
DAY = dt.date(2026, 5, 30)


@pytest.fixture
def open_day(race, now):
    """Twelve children, and a day with two times of three places each."""
    town = race.town(now)
    garden = town.kindergarten("锦官园")
    town.clerk = town.clerk_of(garden)
    town.children = [town.child(f"孩子{each}") for each in "甲乙丙丁戊己庚辛壬癸子丑"]
    slots = [SlotPlan(None, dt.time(hour), dt.time(hour + 1), 3) for hour in (9, 10)]
    town.day = days.publish(town.session, garden.id, DayPlan(DAY, "大门", "", slots), by=town.clerk, now=now)
    town.slots = [slot.id for slot in town.day.slots]
    town.session.commit()
    return town


def booking(town, child, slot, now):
    by, day, child_id = town.parent_of(child), town.day.id, child.child_id
    return lambda s: visits.book(s, day, slot, child_id, adults=1, needs="", by=by, now=now).id


def standing(race) -> list[tuple[int, int]]:
    """For each time, what it counts and how many visits there are."""
    live = select(func.count()).where(OpenDayVisit.slot_id == OpenDaySlot.id, OpenDayVisit.cancelled_at.is_(None))
    with Session(race.engine) as session:
        found = select(OpenDaySlot.taken, live.scalar_subquery()).order_by(OpenDaySlot.begins)
        return [tuple(row) for row in session.execute(found)]


def test_twelve_families_for_three_places(race, open_day, now):
    town = open_day
    said = race.at_once(*[booking(town, child, town.slots[0], now) for child in town.children])
    assert codes(said) == ["open_day_full"] * 9
    assert standing(race) == [(3, 3), (0, 0)]


def test_one_child_that_books_both_times_in_ten_tabs_has_one(race, open_day, now):
    town = open_day
    child = town.children[0]
    said = race.at_once(*[booking(town, child, town.slots[n % 2], now) for n in range(10)])
    assert set(codes(said)) <= {"changed_elsewhere"}
    assert sorted(standing(race)) == [(0, 0), (1, 1)]


def test_a_day_that_is_cancelled_while_families_book_tells_everyone_who_is_booked(race, open_day, now):
    town = open_day

    def cancel(session):
        return days.cancel(session, town.day.id, reason="停水", by=town.clerk, now=now).id

    said = race.at_once(*[booking(town, child, town.slots[0], now) for child in town.children[:3]], cancel)
    booked = 3 - len(codes(said))
    assert set(codes(said)) <= {"open_day_over"} and standing(race)[0] == (booked, booked)
    with Session(race.engine) as session:
        told = session.execute(
            select(func.count()).select_from(days.OpenDay).where(days.OpenDay.cancelled_at.is_not(None))
        ).scalar_one()
        assert told == 1
