"""Alarms of the shares, what an area answers, the next tenth of a point, what changed since a day."""

import datetime as dt
from dataclasses import replace

import pytest

from enrollment.coverage import alarm_answers, alarm_readings, alarms, changes, next_tenth, shares
from enrollment.coverage.alarm_answers import ShareKind
from enrollment.coverage.forecast.outlook import NoOutlook, Outlook, September, ShareOutlook
from enrollment.coverage.indicator import Definition
from enrollment.coverage.steps import StepKind
from enrollment.ground.accounts import SYSTEM, Actor, Role
from enrollment.ground.errors import Refused
from enrollment.places.roll import RollClass
from tests.support.counted_city import COUNTED_ON, DAY, NOON, YEAR, CountedCity
from tests.support.prepared import prepared

ON = dt.date(2026, 5, 22)
NOTHING = NoOutlook("history", 1)


@prepared
def city(session):
    city = CountedCity(session)
    city.targets()
    return city


def figures(session, on=ON):
    return shares.city_shares(session, Definition(on), year=YEAR)


def test_an_area_one_child_short_has_an_alarm_and_an_area_that_meets_has_none(session, city):
    city.kindergarten("public", {"lower": 7_530})
    city.kindergarten("inclusive", {"lower": 7_235})
    city.kindergarten("public", {"lower": 51}, area_code="GXQ")
    city.kindergarten("inclusive", {"lower": 49}, area_code="GXQ")
    (found,) = alarms.alarms(session, figures(session), NOTHING, {"510104", "GXQ"})
    assert (found.line.code, found.kind, found.state, found.short) == ("510104", "public", "below", 1)
    assert found.share.text == "51.00", "the printed share says nothing of the missing child"
    assert alarms.to_spare(figures(session).areas[0].now.inclusive_coverage) == 14_765 - 12_108


def answer(session, city, by, **more):
    now = more.pop("now", NOON)
    settings = {"owner": "学前科", "measure": "6 月底前认定两所普惠园", "due_on": dt.date(2026, 6, 30)} | more
    return alarm_answers.answer(session, "510104", ShareKind.PUBLIC, YEAR, by=by, now=now, **settings)


def test_an_area_answers_who_does_what_by_when_and_the_newest_answer_counts(session, city):
    city.kindergarten("private", {"lower": 10})
    own = Actor(city.official(1).account_id, "区", roles=frozenset({Role.AREA_OFFICIAL}), areas=frozenset({"510104"}))
    answer(session, city, own)
    answer(session, city, own, measure="改为 7 月底", due_on=dt.date(2026, 7, 31), now=NOON + DAY)
    found = alarms.alarms(session, figures(session), NOTHING, {"510104"})
    assert [(each.kind, each.answer.measure if each.answer else None) for each in found] == [
        ("inclusive", None),
        ("public", "改为 7 月底"),
    ]


def test_an_answer_of_last_year_is_none_to_the_alarm_of_this_year(session, city):
    """Also on the page of last year's intake, which figures of this year stand on."""
    city.kindergarten("private", {"lower": 10})
    settings = {"owner": "学前科", "measure": "去年的措施", "due_on": dt.date(2026, 6, 30), "now": NOON}
    alarm_answers.answer(session, "510104", ShareKind.PUBLIC, YEAR - 1, by=city.official(1), **settings)
    last_intake = shares.city_shares(session, Definition(ON), year=YEAR - 1)
    found = alarms.alarms(session, last_intake, NOTHING, {"510104"})
    assert {(each.kind, each.year, each.answer) for each in found} == {
        ("public", YEAR, None),
        ("inclusive", YEAR, None),
    }


def test_an_answer_to_a_falling_share_is_one_of_the_year_in_which_it_falls(session, city):
    """In October: below today is this year's alarm, below next September is that of the next year."""
    city.kindergarten("public", {"lower": 60})
    city.kindergarten("inclusive", {"lower": 35})
    october = figures(session, dt.date(2026, 10, 15))
    line = october.areas[0]
    fall = ShareOutlook(line.now.public_share, None, 0.2, False)
    stay = ShareOutlook(line.now.inclusive_coverage, None, 0.9, False)
    september = September(2027, line.now, None, fall, stay, False)
    expected = Outlook(None, None, None, {line.code: (september,)}, (), "", False)
    for year, measure in ((2026, "今年"), (2027, "明年")):
        settings = {"owner": "学前科", "measure": measure, "due_on": dt.date(2027, 6, 30), "now": NOON}
        alarm_answers.answer(session, "510104", ShareKind.PUBLIC, year, by=city.official(1), **settings)
    (found,) = alarms.alarms(session, october, expected, {"510104"})
    assert (found.state, found.year, found.answer.measure) == ("falling", 2027, "明年")


@pytest.mark.parametrize(
    "wrong,code",
    [
        ({"owner": " "}, "alarm_owner_missing"),
        ({"measure": ""}, "alarm_measure_missing"),
        ({"measure": "长" * 201}, "alarm_text_too_long"),
        ({"due_on": dt.date(2026, 6, 5)}, "alarm_due_date"),
    ],
)
def test_an_answer_without_a_person_a_measure_or_a_date_is_refused(session, city, wrong, code):
    with pytest.raises(Refused) as refused:
        answer(session, city, city.official(1), **wrong)
    assert refused.value.code == code


def test_another_area_cannot_answer(session, city):
    other = Actor(city.official(1).account_id, "区", roles=frozenset({Role.AREA_OFFICIAL}), areas=frozenset({"GXQ"}))
    for nobody in (other, SYSTEM):
        with pytest.raises(Refused) as refused:
            answer(session, city, nobody)
        assert refused.value.code == "alarm_not_yours"


def test_the_next_tenth_of_a_point_comes_from_areas_below_the_line(session, city):
    """1,000 children: one child is a tenth of a point.  Free seats of public classes and private kindergartens count."""
    city.kindergarten("public", {"lower": 20, "middle": 30}, name="有空位")
    city.kindergarten("private", {"lower": 650}, name="大民办")
    city.kindergarten("public", {"lower": 300}, area_code="GXQ", name="已达标的区")
    found = next_tenth.next_tenth(session, figures(session))
    assert found.wanted == 1
    assert [(step.name, step.kind, step.gain) for step in found.steps] == [
        ("大民办", StepKind.TURN, 650),
        ("有空位", StepKind.FILL, 5),
    ]


def test_a_roll_older_than_a_week_is_told(session, city):
    old = city.kindergarten("public", {"lower": 20})
    city.kindergarten("public", {"lower": 20})
    session.query(RollClass).filter_by(kindergarten_id=old.id).update({"as_of": ON - dt.timedelta(days=8)})
    found = figures(session).snapshot.dates["510104"]
    assert (found.oldest, found.newest) == (ON - dt.timedelta(days=8), COUNTED_ON)
    assert not found.is_stale(ON)
    assert found.is_stale(ON + dt.timedelta(days=10))


def test_what_changed_since_a_day_names_the_areas_whose_figures_differ(session, city):
    _group, children = city.listed_class(city.kindergarten("public"), "lower", [dt.date(2022, 1, 1)] * 4)
    city.kindergarten("private", {"lower": 6}, area_code="GXQ")
    children[0].entered_on = dt.date(2026, 4, 1)
    session.flush()
    found = changes.changes(session, figures(session), dt.date(2026, 3, 1))
    assert [(each.code, each.before.all, each.now.all) for each in found] == [("", 9, 10), ("510104", 3, 4)]


def test_the_first_reading_by_an_official_of_the_area_is_the_receipt(session, city):
    """The city's look is none, a second look changes nothing, and another state is another alarm."""
    city.kindergarten("private", {"lower": 10})
    found = alarms.alarms(session, figures(session), NOTHING, {"510104"})
    account = city.official(1)
    own = Actor(account.account_id, "区", roles=frozenset({Role.AREA_OFFICIAL}), areas=frozenset({"510104"}))
    elsewhere = Actor(account.account_id, "区", roles=frozenset({Role.AREA_OFFICIAL}), areas=frozenset({"GXQ"}))
    for reader in (Actor(account.account_id, "市", roles=frozenset({Role.CITY_OFFICIAL})), elsewhere):
        alarm_readings.note(session, found, YEAR, by=reader, now=NOON)
    assert alarm_readings.first_readings(session, found, YEAR) == {}
    for late in (DAY, 0 * DAY, 2 * DAY):
        alarm_readings.note(session, found, YEAR, by=own, now=NOON + DAY + late)
    read = alarm_readings.first_readings(session, found, YEAR)
    assert {key: at for key, (_name, at) in read.items()} == {
        ("510104", kind): NOON + 2 * DAY for kind in ("public", "inclusive")
    }
    tighter = [replace(each, state=alarms.AlarmState.TIGHT) for each in found]
    assert alarm_readings.first_readings(session, tighter, YEAR) == {}
    assert alarm_readings.first_readings(session, found, YEAR + 1) == {}
