"""DRW11: the calendar says which date falls on a day off, or leaves too little time, and by which rule."""

import datetime as dt

import pytest

from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused
from enrollment.season import calendar, calendar_validation, holidays, rounds, season_lifecycle
from enrollment.season.calendar_validation import CalendarConflicts, CalendarWarnings
from tests.support.town_season import at, dates_of

DAYS = holidays.of_file(2026)


def warned(**changed) -> set[tuple]:
    found = calendar_validation.warnings_of({**dates_of(), **changed}, DAYS)
    return {(warning.code, warning.step, warning.end) for warning in found}


@pytest.mark.parametrize(
    ("day", "rest", "name"),
    [
        (dt.date(2026, 5, 9), False, None),  # a Saturday that is worked for Labour Day
        (dt.date(2026, 5, 16), True, None),
        (dt.date(2026, 6, 19), True, "端午节"),
        (dt.date(2026, 6, 22), False, None),
    ],
)
def test_a_day_off_is_a_holiday_or_a_weekend_that_is_not_worked(day, rest, name):
    assert (DAYS.is_rest(day), DAYS.name_of(day)) == (rest, name)


def test_working_days_know_the_shifted_ones():
    assert DAYS.working_days(at(5, 1), at(5, 9, 18)) == 4  # 6, 7, 8 May and the worked Saturday
    assert DAYS.next_working_day(dt.date(2026, 6, 19)) == dt.date(2026, 6, 22)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"registration": (at(5, 21), at(5, 30, 18))}, ("deadline_on_rest_day", "registration", "ends")),
        ({"confirmation": (at(6, 5), at(6, 7, 18))}, ("deadline_on_rest_day", "confirmation", "ends")),
        ({"draw": (at(6, 6), at(6, 6, 18))}, ("event_on_rest_day", "draw", "begins")),
        ({"registration": (at(5, 26), at(5, 28, 18))}, ("registration_short", "registration", "ends")),
        ({"confirmation": (at(6, 5), at(6, 5, 18))}, ("confirmation_short", "confirmation", "ends")),
    ],
)
def test_a_date_that_the_rules_advise_against_is_named(changed, expected):
    assert expected in warned(**changed)


def test_a_deadline_at_midnight_is_that_of_the_day_before():
    assert ("deadline_on_rest_day", "supplementary", "ends") in warned(supplementary=(at(6, 15), at(6, 22, 0)))
    assert ("deadline_on_rest_day", "supplementary", "ends") not in warned(supplementary=(at(6, 15), at(6, 22, 1)))


def create(town, **more):
    dates = more.pop("dates", dates_of())
    return calendar.create_season(town.session, 2026, dates, by=town.city_pair()[0], now=town.now, **more)


def test_a_warning_is_accepted_by_name_and_kept_on_record(town):
    """The supplementary round ends on the Dragon Boat Festival."""
    with pytest.raises(CalendarWarnings) as caught:
        create(town)
    assert [(one.step, one.holiday, one.next_day) for one in caught.value.conflicts] == [
        ("supplementary", "端午节", dt.date(2026, 6, 22))
    ]
    create(town, accept_warnings=True)
    entry = town.session.query(AuditEntry).filter_by(act="create_season").one()
    assert entry.details["warnings"] == ["supplementary: deadline_on_rest_day"]


def test_a_notice_that_is_too_short_by_the_holidays_is_refused(town):
    """Five weekdays, of which three are Labour Day."""
    short = dates_of() | {"announcement": (at(5, 1), at(5, 8, 18))}
    with pytest.raises(CalendarConflicts) as caught:
        create(town, dates=short, accept_warnings=True)
    assert [(one.code, one.number, one.end) for one in caught.value.conflicts] == [
        ("announcement_too_short", 3, "ends")
    ]


def test_an_official_corrects_a_day_and_the_calendar_follows(town):
    season = create(town, accept_warnings=True)
    by = town.city_pair()[0]
    worked = {"by": by, "now": town.now}
    holidays.correct(town.session, 2026, dt.date(2026, 6, 19), "work", "", **worked)
    days = holidays.of_year(town.session, 2026)
    assert calendar_validation.warnings_of(calendar.spans(season), days) == []
    holidays.correct(town.session, 2026, dt.date(2026, 6, 19), "usual", "", **worked)
    assert not holidays.of_year(town.session, 2026).is_rest(dt.date(2026, 6, 19)), "a Friday"
    for day, code in ((None, "day_needed"), (dt.date(2027, 1, 1), "day_of_another_year")):
        with pytest.raises(Refused, match=code):
            holidays.correct(town.session, 2026, day, "rest", "", **worked)
    with pytest.raises(Refused, match="only_the_city"):
        holidays.correct(town.session, 2026, dt.date(2026, 6, 19), "rest", "", by=town.area_official(), now=town.now)


def test_a_year_from_before_the_table_keeps_the_packaged_days_when_one_is_corrected(town):
    create(town, accept_warnings=True)
    town.session.query(holidays.SeasonDay).delete()
    by = town.city_pair()[0]
    holidays.correct(town.session, 2026, dt.date(2026, 6, 22), "rest", "端午节", by=by, now=town.now)
    days = holidays.of_year(town.session, 2026)
    assert days.is_rest(dt.date(2026, 6, 19)) and days.is_rest(dt.date(2026, 6, 22))


def test_announcing_late_is_said_to_both_people(town):
    """Three working days before registration."""
    season = create(town, accept_warnings=True)
    digest = season_lifecycle.digest_of(season)
    late = at(5, 18, 10)
    codes = {warning.code: warning.number for warning in season_lifecycle.warnings(town.session, season, now=late)}
    assert codes["announced_late"] == 4
    assert "announced_late" not in {
        warning.code for warning in season_lifecycle.warnings(town.session, season, now=at(5, 6))
    }
    for official in town.city_pair():
        with pytest.raises(CalendarWarnings):
            season_lifecycle.announce(town.session, 2026, digest=digest, by=official, now=late)
        season_lifecycle.announce(town.session, 2026, digest=digest, accept_warnings=True, by=official, now=late)
    assert season.stage == "announced"


def test_moving_one_step_warns_of_that_step_alone(town):
    town.season()
    span = {"begins_at": at(6, 5), "ends_at": at(6, 13, 18), "reason": "场地"}
    moved = {"by": town.city_pair()[0], "now": town.now}
    calendar.move_date(town.session, 2026, "result", **span, **moved)
    with pytest.raises(CalendarWarnings):
        calendar.move_date(town.session, 2026, "confirmation", **span, **moved)
    calendar.move_date(town.session, 2026, "confirmation", accept_warnings=True, **span, **moved)


def test_the_deadlines_of_a_round_are_checked_too(town):
    town.season()
    fine = town.round()
    assert rounds.warnings_of(town.session, fine) == []
    off = town.round(kind="supplementary", closes_at=at(6, 20), confirm_by=at(6, 28))
    assert [warning.step for warning in rounds.warnings_of(town.session, off)] == ["confirmation", "supplementary"]


def test_a_year_without_a_published_arrangement_is_provisional():
    assert (holidays.is_provisional(2026), holidays.is_provisional(2027), holidays.is_provisional(2035)) == (
        False,
        True,
        True,
    )
    assert holidays.of_file(2035).is_rest(dt.date(2035, 6, 2))
