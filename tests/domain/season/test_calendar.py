"""The calendar: valid dates, changes with a reason, notices to families."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from enrollment.applications import date_notices
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused, Stale
from enrollment.ground.jobs import Job
from enrollment.ground.outbox import Notice
from enrollment.season import calendar, calendar_validation, seasons
from enrollment.season.calendar_validation import CalendarConflicts
from tests.support.town_season import at, dates_of

DAY = dt.timedelta(days=1)


def conflicts(**changed) -> set[tuple]:
    whole = {step: span for step, span in {**dates_of(), **changed}.items() if span}
    return {(found.code, found.step, found.other) for found in calendar_validation.conflicts_of(whole)}


def test_the_season_as_the_city_holds_it_has_no_conflict():
    assert not conflicts()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"draw": None}, ("missing_step", "draw", None)),
        ({"review": (at(6, 3), at(5, 30))}, ("ends_before_it_begins", "review", None)),
        ({"registration": (at(5, 4), at(5, 29))}, ("out_of_order", "registration", "announcement")),
        ({"draw": (at(6, 2), at(6, 4))}, ("overlap", "draw", "review")),
        ({"registration": (at(5, 21), at(6, 4, 10))}, ("overlap", "draw", "registration")),
        ({"announcement": (at(5, 6), at(5, 9, 18))}, ("announcement_too_short", "announcement", None)),
        ({"supplementary": (at(6, 8), at(6, 19))}, ("overlap", "supplementary", "confirmation")),
        ({"arrival": (at(5, 31, 23), at(9, 10))}, ("arrival_before_the_roll", "arrival", None)),
    ],
)
def test_a_conflict_is_named_with_both_steps(changed, expected):
    assert expected in conflicts(**changed)


def test_all_conflicts_are_shown_at_once():
    found = conflicts(announcement=(at(5, 6), at(5, 8)), draw=None, review=(at(6, 3), at(5, 30)))
    assert {code for code, _step, _other in found} >= {
        "announcement_too_short",
        "missing_step",
        "ends_before_it_begins",
    }


def test_review_may_begin_while_families_still_register():
    assert not conflicts(review=(at(5, 25), at(6, 3)))


@pytest.mark.parametrize(
    ("begins", "ends", "days"),
    [
        (at(5, 6), at(5, 12, 18), 6),
        (at(5, 6), at(5, 12, 0), 5),
        (at(5, 1), at(5, 8, 18), 3),
        (at(5, 9), at(5, 10, 18), 1),
    ],
)
def test_working_days_leave_out_weekends_and_labour_day(begins, ends, days):
    """In 2026, 9 May is a Saturday that is worked for it."""
    assert calendar_validation.working_days(begins, ends) == days
    assert calendar_validation.working_days(begins.astimezone(dt.UTC), ends.astimezone(dt.UTC)) == days


def test_a_season_with_conflicts_is_not_opened(town):
    with pytest.raises(CalendarConflicts) as caught:
        town.season(draw=(at(5, 1), at(5, 2)))
    assert caught.value.conflicts
    assert seasons.all_years(town.session) == []


def test_a_season_is_opened_once_and_by_the_city(town):
    town.season()
    with pytest.raises(Refused, match="season_exists"):
        calendar.create_season(
            town.session, 2026, dates_of(), accept_warnings=True, by=town.city_official(), now=town.now
        )
    with pytest.raises(Refused, match="only_the_city"):
        calendar.create_season(town.session, 2027, dates_of(2027), by=town.area_official(), now=town.now)


def move(town, step="result", ends_at=at(6, 13), **more):
    span = {"begins_at": at(6, 5), "ends_at": ends_at} | more
    return calendar.move_date(
        town.session, 2026, step, reason=span.pop("reason", "场地变更"), by=town.city_official(), now=town.now, **span
    )


def test_a_moved_date_is_kept_with_its_reason_and_every_live_application_is_told_once(town):
    apple = town.kindergarten("金苹果", places=2)
    town.child("Ana", wishes=[apple])
    town.child("Ben", submit=False)
    gone = town.child("Col", wishes=[apple])
    town.withdraw(gone)

    move(town)

    entry = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "move_date")).one()
    assert entry.reason == "场地变更"
    job = town.session.scalars(select(Job).where(Job.kind == "tell_new_date")).one()
    args = {name: dt.datetime.fromisoformat(job.args[name]) for name in ("begins_at", "ends_at")}
    for _twice in range(2):
        date_notices.tell_new_date(town.session, 2026, "result", key=str(job.id), now=town.now, **args)
    told = town.session.scalars(select(Notice).where(Notice.kind == "new_date_result")).all()
    assert len(told) == 2
    assert told[0].params == {"begins_at": "2026-06-05 09:00", "ends_at": "2026-06-13 09:00"}


def test_families_are_told_in_batches(town):
    for name in ("Ana", "Ben", "Col"):
        town.child(name, submit=False)
    dates_told = {"begins_at": at(6, 5), "ends_at": at(6, 13)}
    after, batches = None, 0
    while batches == 0 or after:
        after = date_notices.tell_new_date(
            town.session, 2026, "result", key="k", now=town.now, after=after, limit=2, **dates_told
        )
        batches += 1
    assert batches == 2
    assert town.session.scalar(select(func.count()).select_from(Notice).where(Notice.kind == "new_date_result")) == 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reason": "  "}, "reason_needed"),
        ({"ends_at": at(6, 12, 18)}, "nothing_changed"),
        ({"step": "announcement", "begins_at": at(5, 6), "ends_at": at(5, 18)}, "step_is_over"),
        ({"ends_at": at(6, 4)}, "calendar_conflicts"),
    ],
)
def test_a_date_is_not_moved_without_reason_or_sense(town, change, code):
    town.season()
    with pytest.raises(Refused, match=code):
        move(town, **change)


def test_two_people_who_move_a_date_do_not_overwrite_each_other(town):
    seen = calendar.spans(town.season())["result"]
    move(town)
    with pytest.raises(Stale):
        move(town, ends_at=at(6, 14), was=seen)
