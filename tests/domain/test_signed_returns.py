"""The statistics return of 1 September: counted by one official of the area, signed by another, and never changed after that."""

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from enrollment.ground.errors import NotFound, Refused
from enrollment.places import roll
from enrollment.reports.tables import signed_returns, widths
from enrollment.reports.tables.catalogue import official_report_of
from enrollment.reports.tables.report import Question
from tests.support.prepared import prepared
from tests.support.town_season import at


@prepared
def september(town):
    """Two children by name and a class as a number, on the first morning of September; two officials of the area."""
    town.here = town.kindergarten("锦官新城幼儿园", places=5)
    for name, day in (("刘小果", 15), ("陈一", 16)):
        town.child_on_roll(town.here, name, born=dt.date(2022, 3, day), year=2026, level="lower", class_name="小一班")
    town.roll(town.here, "upper", 30, year=2026)
    town.one, town.two = town.area_official(), town.area_official()
    town.at(at(9, 3, 10))
    return town


def hand_in(town, by=None):
    return signed_returns.hand_in(town.session, "510104", 2026, by=by or town.one, now=town.now)


def table_now(town):
    question = Question(town.session, 2026, town.one, town.now, area="510104")
    return widths.read_at(official_report_of("statistics"), question, how="page", decides=True)


def refusal(act, *args, **more):
    with pytest.raises(Refused) as refused:
        act(*args, **more)
    return refused.value.code


def test_two_people_of_the_area_sign_what_stays_as_it_was(september):
    town = september
    made = hand_in(town)
    sign = {"by": town.two, "now": town.now}
    assert refusal(signed_returns.sign, town.session, made.id, seen="another", **sign) == "return_counted_again"
    own = {"seen": made.digest, "by": town.one, "now": town.now}
    assert refusal(signed_returns.sign, town.session, made.id, **own) == "second_person_needed"
    for stranger in (town.area_official("510105"), town.city_official(), town.head_of(town.here)):
        with pytest.raises(NotFound):
            signed_returns.sign(town.session, made.id, seen=made.digest, by=stranger, now=town.now)
    signed_returns.sign(town.session, made.id, seen=made.digest, **sign)
    assert refusal(signed_returns.sign, town.session, made.id, seen=made.digest, **sign) == "decided_already"

    there = signed_returns.newest_signed(town.session, "510104", 2026, town.now)
    assert there.table.rows == table_now(town).rows, "cell by cell what the report says"
    assert (there.made_by, there.signed_by) != (None, None) and there.children_of(town.here.id) == 32
    assert signed_returns.changed_since(there, table_now(town)) == []
    child = next(each for each in roll.children_of(town.session, _class_of(town), by=town.one, now=town.now))
    roll.leave(town.session, child.id, on=dt.date(2026, 9, 1), reason="other", by=town.one, now=town.now)
    changed = {code: (then, now) for code, then, now in signed_returns.changed_since(there, table_now(town))}
    assert changed["children"] == (32, 31), "a roll that is mended later"
    town.session.expire_all()
    again = signed_returns.newest_signed(town.session, "510104", 2026, town.now)
    assert again.children_of(town.here.id) == 32 and again.row.digest == made.digest
    for change in ("UPDATE statistics_return SET digest = 'x'", "DELETE FROM statistics_return"):
        with pytest.raises(IntegrityError, match="only ever added"), town.session.begin_nested():
            town.session.execute(text(change))


def _class_of(town):
    listed = roll.class_list(town.session, town.here.id, 2026, by=town.one, now=town.now)
    return next(line.id for line in listed if line.name == "小一班")


def test_nothing_is_handed_in_before_its_day_and_an_old_one_lapses(september):
    town = september
    later = town.now
    town.now = at(8, 31, 20)
    assert refusal(hand_in, town) == "return_too_early"
    town.now = later
    first = hand_in(town)
    again = hand_in(town, by=town.two)
    assert (again.id, again.made_by) == (first.id, town.two.account_id), "what nobody signed is counted again"
    town.now += dt.timedelta(days=8)
    (waits,) = signed_returns.of_area(town.session, "510104", 2026, town.now)
    sign = {"seen": again.digest, "by": town.one, "now": town.now}
    assert waits.lapsed and refusal(signed_returns.sign, town.session, again.id, **sign) == "request_lapsed"
    assert signed_returns.newest_signed(town.session, "510104", 2026, town.now) is None


def test_the_database_knows_two_people(september):
    town = september
    made = hand_in(town)
    with pytest.raises(IntegrityError, match="second_person"), town.session.begin_nested():
        town.session.execute(
            text("UPDATE statistics_return SET signed_by = made_by, signed_at = now() WHERE id = :id"), {"id": made.id}
        )
