"""The arithmetic of the season's page: pace, what is behind, what is left by area, and the tally that the database keeps."""

import datetime as dt
import random

import pytest
from sqlalchemy import func, select, text

from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.lifecycle import AWAITING_DECISION, HANDED_IN
from enrollment.ground.city_time import CHENGDU
from enrollment.offers import tally
from enrollment.offers.offer_rows import Offer, OfferState
from enrollment.offers.tally import Counted, SeasonTally, Subject, Tally
from enrollment.places.programmes import Programme
from enrollment.reports.season_desk import progress, readiness, river
from enrollment.reports.season_desk.progress import AreaProgress, pace
from enrollment.reports.season_desk.readiness import Check
from enrollment.season import calendar_validation
from enrollment.season.current_step import CalendarStep
from enrollment.season.holidays import WorkingCalendar

HOLIDAY = WorkingCalendar(rest={dt.date(2026, 5, 28): "端午"})


def at(day: int, hour: int = 12, month: int = 5) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=CHENGDU)


WEEK = (at(25, 9), at(29, 18))
"""Monday to Friday."""


@pytest.mark.parametrize(
    ("now", "calendar", "gone", "days"),
    [
        (at(24), WorkingCalendar(), 0, 5),
        (at(25), WorkingCalendar(), 1, 5),
        (at(28), WorkingCalendar(), 4, 5),
        (at(28), HOLIDAY, 3, 4),
        (at(29), HOLIDAY, 4, 4),
        (at(31), HOLIDAY, 4, 4),
    ],
)
def test_a_pace_counts_working_days(now, calendar, gone, days):
    found = pace(WEEK, calendar, now)
    assert (found.gone, found.days, found.percent) == (gone, days, 100 * gone // days)


@pytest.mark.parametrize(
    ("whole", "done", "behind", "left", "percent"),
    [
        (100, 60, 0, 40, 60),
        (100, 59, 1, 41, 59),
        (3, 1, 1, 2, 33),  # 60 % of 3 is 1.8, so two should be done
        (1, 0, 1, 1, 0),
        (1000, 999, 0, 1, 99),  # never rounded up to 100
        (0, 0, 0, 0, 100),
        (5, 5, 0, 0, 100),
        (5, 7, 0, 0, 140),  # cannot be, and nothing is negative
    ],
)
def test_what_is_behind_on_the_third_of_five_days(whole, done, behind, left, percent):
    area, today = AreaProgress("510104", whole, done), pace(WEEK, WorkingCalendar(), at(27))
    assert (area.behind(today), area.left, area.percent) == (behind, left, percent)


def test_the_day_on_which_an_area_is_through_skips_days_off():
    today = pace(WEEK, HOLIDAY, at(27))
    assert AreaProgress("a", 90, 90).through_on(today) == dt.date(2026, 5, 27)
    assert AreaProgress("a", 90, 60).through_on(today) == dt.date(2026, 6, 1), "30 left at 20 a day: Fri, then Monday"
    assert AreaProgress("a", 90, 0).through_on(today) is None


def test_the_slowest_area_stands_first():
    today = pace(WEEK, WorkingCalendar(), at(27))
    areas = [
        AreaProgress("a", 10, 10),
        AreaProgress("b", 1000, 500),
        AreaProgress("c", 100, 0),
        AreaProgress("d", 9, 6),
    ]
    assert [each.area for each in progress.slowest_first(areas, today)] == ["b", "c", "d", "a"]


def test_a_check_counts_each_area_and_is_done_when_nothing_is_left():
    rows = [
        Counted(2026, "application", "a", Stage.SUBMITTED, 3), Counted(2026, "application", "a", Stage.CONFIRMED, 7),
        Counted(2026, "application", "b", Stage.RETURNED, 2), Counted(2025, "application", "a", Stage.SUBMITTED, 99),
        Counted(2026, "application", "", Stage.DRAFT, 50),
        Counted(2026, "offer", "a", OfferState.OFFERED, 4), Counted(2026, "offer", "a", OfferState.DECLINED, 9),
        Counted(2026, "offer", "b", OfferState.ARRIVED, 1), Counted(2026, "offer", "b", OfferState.CONFIRMED, 2),
    ]  # fmt: skip
    found = Tally(tuple(rows))
    review = readiness.counted(Check.REVIEW, found, 2026)
    assert [(each.area, each.whole, each.done) for each in review.areas] == [("a", 10, 7), ("b", 2, 2)]
    assert (review.left, review.whole, review.done) == (3, 12, False)
    assert [each.area for each in review.open_areas] == ["a"]
    assert readiness.counted(Check.RETURNED, found, 2026).left == 2
    assert readiness.counted(Check.ANSWERS, found, 2026).left == 4
    assert readiness.counted(Check.ARRIVALS, found, 2026).left == 2
    assert readiness.counted(Check.REVIEW, Tally(()), 2026).done


def test_the_river_is_as_wide_as_the_children_and_expects_no_more_than_places():
    steps = [
        CalendarStep(step, at(day), at(day + 2), "todo") for day, step in enumerate(calendar_validation.STEPS, start=1)
    ]
    found = Tally(
        (Counted(2026, "application", "a", Stage.CONFIRMED, 80), Counted(2026, "application", "a", Stage.SUBMITTED, 20))
    )
    numbers = river.numbers(found, 2026, (), places=70)
    assert (numbers.handed_in, numbers.reviewed, numbers.expected, numbers.without_place) == (100, 80, 70, 30)
    drawn = river.of_season(steps, numbers, at(2, 0))
    widths = {each.step.step: each.half - river.THIN for each in drawn.stations}
    assert widths["result"] / widths["registration"] == pytest.approx(0.7)
    assert widths["announcement"] == 0 and drawn.side
    assert drawn.today == pytest.approx(river.WIDTH / 8 * 0.5)
    assert river.of_season(steps, numbers, at(1, 0)).today == 0


def test_shortest_spans_are_counted_in_days_of_the_calendar():
    dates = {
        "announcement": (at(25, 9), at(29, 18)),
        "registration": (at(1, 9), at(3, 18)),
        "confirmation": (at(28, 9), at(28, 18)),
    }
    found = {each.code: (each.days, each.is_kept) for each in calendar_validation.minima_of(dates, HOLIDAY)}
    assert found == {"notice": (4, False), "registration": (3, False), "confirmation": (0, False)}
    assert all(each.is_kept for each in calendar_validation.minima_of({"announcement": WEEK}, WorkingCalendar()))


def counted_anew(session) -> set:
    applications = select(
        Application.year, Application.review_kindergarten_id, Application.stage, func.count()
    ).group_by(Application.year, Application.review_kindergarten_id, Application.stage)
    offers = (
        select(Offer.year, Programme.kindergarten_id, Offer.state, func.count())
        .join(Programme, Programme.id == Offer.programme_id)
        .group_by(Offer.year, Programme.kindergarten_id, Offer.state)
    )
    return {("application", *row) for row in session.execute(applications)} | {
        ("offer", *row) for row in session.execute(offers)
    }


def kept(session) -> set:
    n = func.sum(SeasonTally.n)
    by = (SeasonTally.subject, SeasonTally.year, SeasonTally.kindergarten_id, SeasonTally.state)
    return {tuple(row) for row in session.execute(select(*by, n).group_by(*by).having(n != 0))}


def test_the_tally_is_what_a_count_would_say(town):
    """Random changes of many rows at once, and the services of a season; folded or not, the sums are the counts."""
    gardens = [town.kindergarten(name, places=2) for name in ("金苹果", "牡丹")]
    children = [town.child(f"小{sign}", wishes=gardens) for sign in "甲乙丙丁戊"]
    town.drawn(*children)
    session, dice = town.session, random.Random(7)
    assert kept(session) == counted_anew(session)
    assert tally.fold(session) > 0
    places = [each.id for each in gardens]
    for _ in range(12):
        some = dice.sample([each.id for each in children], 3)
        session.execute(
            text("UPDATE application SET review_kindergarten_id = :place WHERE id = ANY(:some)"),
            {"place": dice.choice([*places, None]), "some": some},
        )
        if dice.random() < 0.4:
            tally.fold(session)
        assert kept(session) == counted_anew(session)
    tally.fold(session)
    assert tally.fold(session) == 0, "folded rows are not written again"
    assert session.scalar(select(func.count()).select_from(SeasonTally)) == len(kept(session))
    read = tally.read(session, [2026])
    assert read.total(Subject.APPLICATION, HANDED_IN, 2026) == 5
    assert read.total(Subject.APPLICATION, AWAITING_DECISION, 2026) == 0
    assert read.total(Subject.OFFER, (OfferState.OFFERED,), 2026) == 4
