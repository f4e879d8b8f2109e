"""Seats and steps of an earlier day: they use the numbers of that day, as the shares beside them do."""

import datetime as dt

from enrollment.coverage import seats, steps
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.city_time import today
from enrollment.places.roll_changes import counts


def test_the_steps_of_a_day_stay_when_a_count_changes_later(town):
    garden = town.kindergarten("金苹果")
    kept = town.roll(garden, "lower", 20)
    on = today(town.now)

    def of_the_day():
        free = [(step.kind, step.gain) for step in steps.steps_of(town.session, on, "510104")]
        classes = [(each.children, each.free) for each in steps.classes_of(town.session, on, garden.id)]
        return free, classes, [each.number for each in seats.seats_of(town.session, on)]

    before = of_the_day()
    assert before == ([("fill", 5)], [(20, 5)], [25])
    town.at(town.now + dt.timedelta(days=5))
    told = {"children": 24, "day": today(town.now), "reason": "新来四名"}
    counts.enter(town.session, kept.id, **told, by=SYSTEM, now=town.now)
    assert of_the_day() == before
    assert [each.gain for each in steps.steps_of(town.session, today(town.now), "510104")] == [1]
