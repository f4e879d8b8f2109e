"""What counts around a promotion that is made after 1 September: who moves elsewhere, arrives, is transferred or is at school."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.coverage import counts, rollup, seats, shares, steps
from enrollment.coverage.indicator import Definition
from enrollment.ground.accounts import SYSTEM
from enrollment.offers.arrivals import arrival
from enrollment.places import promotion, roll
from enrollment.places.roll import RollChild
from enrollment.places.roll_changes import classes, moves, transfers
from enrollment.planning import problem_reader
from tests.support.prepared import prepared
from tests.support.september import (
    AREA,
    AUGUST,
    BORN,
    SEPTEMBER,
    YEAR,
    ana_was_here,
    arrive,
    comes,
    in_august,
    is_whole,
    open_class,
    promote,
    sums,
    undo,
    were_promoted,
)
from tests.support.town_families import id_number
from tests.support.town_season import at

FIRST, NINTH, TENTH, TWENTIETH = (dt.date(2026, 9, day) for day in (1, 9, 10, 20))


@prepared
def september(town):
    in_august(town).at(at(9, 2, 9))
    return town


def on_roll(town, *days):
    return [sums(town, day)[0] for day in days]


def of_levels(rows):
    found = {}
    for row in rows:
        found[row.children.level] = found.get(row.children.level, 0) + row.children.number
    return {level: number for level, number in found.items() if number}


def continuing(town, year):
    """Who stays in a class in September of the year, by level."""
    snapshot = counts.count(town.session, SEPTEMBER, year)
    return of_levels(snapshot.after[: len(snapshot.after) - len(snapshot.coming)])


def move(town, child, roll_class, *, out_of, into, on):
    """A transfer of a child to which both kindergartens agree."""
    told = {"id_number": child.id_number, "name": child.name, "moves_on": on, "due_on": on, "reason": "搬家"}
    made = transfers.ask_to_take(town.session, roll_class.id, **told, by=into, now=town.now)
    transfers.agree(town.session, made.id, by=out_of, now=town.now)


def from_elsewhere(town, numbered=True):
    """Another kindergarten with its clerk and a child."""
    there = town.kindergarten("彼园", nature="private")
    told = {"level": "lower", "year": YEAR - 1, "class_name": "小一班", "born": BORN}
    child = town.child_on_roll(there, "转转", **told, id_number=id_number(BORN) if numbered else None)
    return town.clerk_of(there), child


def come_by_transfer(town, numbered=True):
    """A child of another kindergarten moves into a middle class here."""
    clerk, child = from_elsewhere(town, numbered)
    into = open_class(town, "rows")
    if numbered:
        move(town, child, into, out_of=clerk, into=town.clerk, on=SEPTEMBER)
        return
    told = {"to_code": town.here.code, "moves_on": SEPTEMBER, "due_on": SEPTEMBER, "reason": "搬家"}
    made = transfers.ask_to_leave(town.session, child.id, **told, by=clerk, now=town.now)
    transfers.agree(town.session, made.id, class_id=into.id, by=town.clerk, now=town.now)


def test_who_arrives_in_september_was_in_its_old_class_until_then_also_after_the_promotion(september):
    town = september
    ana_was_here(town)
    town.at(at(9, 10, 9))
    arrive(town)
    assert on_roll(town, FIRST, NINTH, TENTH) == [3, 3, 3]
    promote(town)
    assert on_roll(town, FIRST, NINTH, TENTH) == [3, 3, 3]
    assert [each.name for each in steps.classes_of(town.session, TENTH, town.here.id)] == ["中一班"]
    undo(town)
    assert on_roll(town, FIRST, NINTH, TENTH) == [3, 3, 3]


def test_a_transfer_agreed_for_later_leaves_the_child_in_its_old_class_until_then(september):
    town = september
    arrive(town)
    there = town.kindergarten("彼园", nature="private")
    told = {"name": "中三班", "level": "middle", "school_year": YEAR, "kept_as": "rows", "by": SYSTEM, "now": town.now}
    into = classes.open_class(town.session, there.id, **told)
    move(town, town.mates[0], into, out_of=town.clerk, into=town.clerk_of(there), on=TWENTIETH)
    before = on_roll(town, SEPTEMBER, dt.date(2026, 9, 19), TWENTIETH)
    promote(town)
    assert on_roll(town, SEPTEMBER, dt.date(2026, 9, 19), TWENTIETH) == before == [3, 3, 3]
    old = next(each for each in steps.classes_of(town.session, SEPTEMBER, town.here.id) if each.name == "小一班")
    assert (old.children, old.norm) == (1, 0), "its seats are those of the class into which the others moved"
    assert sum(each.number for each in seats.seats_of(town.session, SEPTEMBER)) == 30 + 1 + 30


@pytest.mark.parametrize("numbered", [True, False], ids=["with number", "without number"])
def test_a_transfer_into_an_older_class_shows_no_promotion_where_numbers_cannot_tell(september, numbered):
    town = september
    town.roll(town.here, "lower", 20, name="小三班", year=YEAR - 1)
    come_by_transfer(town, numbered)
    assert (is_whole(town), were_promoted(town)) == (False, False)
    assert on_roll(town, SEPTEMBER) == [2 + 20 + 1]
    promote(town)
    assert on_roll(town, SEPTEMBER) == [2 + 20 + 1]


def test_a_child_that_was_transferred_and_changes_its_class_came_from_elsewhere(september):
    town = september
    town.roll(town.here, "lower", 20, name="小三班", year=YEAR - 1)
    come_by_transfer(town)
    (entry,) = [each for each in town.session.scalars(select(RollChild)) if each.name == "转转" and not each.left_on]
    told = {"name": "中四班", "level": "middle", "school_year": YEAR, "kept_as": "rows", "by": SYSTEM, "now": town.now}
    other = classes.open_class(town.session, town.here.id, **told)
    moves.change_class(town.session, entry.id, other.id, day=SEPTEMBER, by=town.clerk, now=town.now)
    assert not is_whole(town)


def left_in_july(town):
    """李沐晨 was in 小一班 here and left on 10 July."""
    child = town.ana.child
    known = {"id_number": child.id_number, "id_kind": child.id_kind, "born": child.born, "class_name": "小一班"}
    entry = town.child_on_roll(town.here, child.name, level="lower", **known)
    roll.leave(town.session, entry.id, on=dt.date(2026, 7, 10), reason="moved", by=town.clerk, now=town.now)


def test_who_left_in_july_and_arrives_again_does_not_hold_up_the_promotion(september):
    town = september
    left_in_july(town)
    arrive(town)
    assert (is_whole(town), were_promoted(town)) == (False, False)
    promote(town)
    assert on_roll(town, SEPTEMBER) == [3]


def test_who_left_in_july_and_is_entered_by_hand_shows_that_children_moved_up(september):
    town, child = september, september.ana.child
    left_in_july(town)
    arrive(town)
    arrival.undo_arrival(town.session, town.offer_for(town.ana).id, by=town.clerk, now=town.now)
    comes(town, "新新")
    assert (is_whole(town), were_promoted(town)) == (False, False)
    known = {"id_number": child.id_number, "id_kind": child.id_kind, "born": child.born, "class_name": "中二班"}
    town.child_on_roll(town.here, child.name, level="middle", year=YEAR, **known)
    assert (is_whole(town), were_promoted(town)) == (True, True)


def test_children_of_school_age_leave_a_mixed_class_as_those_of_the_upper_classes_do(september):
    town = september
    garden = town.kindergarten("混龄园")
    for born in (*[dt.date(2020, 3, 1)] * 3, dt.date(2021, 3, 1), dt.date(2022, 3, 1)):
        told = {"level": "mixed", "year": YEAR - 1, "class_name": "混龄班", "born": born, "id_number": id_number(born)}
        town.child_on_roll(garden, "童童", **told)
    assert on_roll(town, SEPTEMBER) == [3 + 5], "without a new class the old roll counts as it was"
    new = {"level": "lower", "year": YEAR, "class_name": "小一班", "born": dt.date(2023, 3, 1)}
    town.child_on_roll(garden, "新新", **new)
    assert on_roll(town, SEPTEMBER) == [3 + 2 + 1]
    assert sums(town, SEPTEMBER)[1] == 2 + 2 + 1 + 1, "and they leave once"
    next_year = continuing(town, YEAR + 1)
    assert next_year == {"middle": 1, "mixed": 1, "upper": 2}
    promotion.promote(town.session, garden.id, YEAR - 1, by=town.clerk_of(garden), now=town.now)
    assert on_roll(town, SEPTEMBER) == [3 + 2 + 1]
    assert continuing(town, YEAR + 1) == next_year


def numbers(town):
    """Classes by number: last year's of all levels, and the new lower one."""
    for level, name in (("lower", "小三班"), ("middle", "中三班")):
        town.roll(town.here, level, 20, name=name, year=YEAR - 1)
    town.roll(town.here, "lower", 25, name="小三班", year=YEAR)


def test_before_and_after_the_promotion_the_forecast_and_the_laboratory_see_the_same_levels(september):
    town = september
    numbers(town)

    def levels():
        snapshot = shares.city_shares(town.session, Definition(SEPTEMBER), year=YEAR + 1).snapshot
        return snapshot.school_year, of_levels(snapshot.in_school_year)

    before, stay = levels(), continuing(town, YEAR + 1)
    assert before == (YEAR, {"lower": 25, "middle": 22, "upper": 20})
    assert stay == {"middle": 25, "upper": 22}
    assert problem_reader.first_september(town.session, town.now) == YEAR + 1
    sheet = promotion.preview(town.session, town.here.id, YEAR - 1, by=town.clerk, now=town.now)
    told = {each.key: str(each.choices[0]) for each in sheet.exceptions}
    promotion.promote(town.session, town.here.id, YEAR - 1, choices=told, by=town.clerk, now=town.now)
    assert (levels(), continuing(town, YEAR + 1)) == (before, stay)


def test_while_most_wait_the_children_to_come_are_of_the_new_year(september):
    town = september
    comes(town, "新新", "lower", class_name="小一班", born=dt.date(2023, 3, 1))
    snapshot = shares.city_shares(town.session, Definition(SEPTEMBER), year=YEAR).snapshot
    assert of_levels(snapshot.in_school_year) == {"lower": 1, "middle": 2 + 1}, "李沐晨 is to come"
    of_august = shares.city_shares(town.session, Definition(AUGUST), year=YEAR).snapshot
    assert (of_august.school_year, of_levels(of_august.in_school_year)) == (YEAR - 1, {"lower": 2, "upper": 1})


def test_a_promotion_that_writes_no_row_of_the_roll_changes_the_counts_of_its_area(september):
    town = september
    garden = town.kindergarten("空园")
    told = {"kept_as": "rows", "by": SYSTEM, "now": town.now}
    classes.open_class(town.session, garden.id, name="小一班", level="lower", school_year=YEAR - 1, **told)
    classes.open_class(town.session, garden.id, name="中一班", level="middle", school_year=YEAR, **told)

    def gains():
        assert rollup.steps(town.session, SEPTEMBER, YEAR, [AREA]) == steps.steps_of(town.session, SEPTEMBER, AREA)
        return [each.gain for each in steps.steps_of(town.session, SEPTEMBER, AREA) if each.name == "空园"]

    rollup.refresh(town.session, [YEAR], now=town.now)
    assert gains() == [25]
    clerk = town.clerk_of(garden)
    promotion.promote(town.session, garden.id, YEAR - 1, by=clerk, now=town.now)
    assert gains() == [30]


def test_the_first_new_child_takes_the_upper_classes_out_of_the_count(september):
    town = september
    assert on_roll(town, SEPTEMBER) == [3], "without a new class the old roll counts with its upper class"
    comes(town, "新新", "lower", class_name="小一班", born=dt.date(2023, 3, 1))
    assert on_roll(town, SEPTEMBER) == [2 + 1]
    assert not is_whole(town)
