"""The ledger of an earlier day: every number as it was then, with the licence and the places that were held (staff-desk §4.2)."""

import datetime as dt

from enrollment.ground.city_time import today
from enrollment.places import ledger, pools, programmes
from enrollment.places.ledger_rows import LICENCE, add_entry
from enrollment.places.plans import class_loss
from enrollment.reports import places_of_a_day
from tests.support.prepared import prepared

DAY = dt.timedelta(days=1)


@prepared
def drawn(town):
    """Two families hold places since the draw."""
    here = town.kindergarten("锦官园", places=4)
    town.open_registration()
    ana, ben = town.child("安安", wishes=[here]), town.child("贝贝", wishes=[here])
    town.before = town.now
    town.drawn(ana, ben)
    town.here = here
    return ana, ben


def read(town, since, until=None):
    return places_of_a_day.period(
        town.session, town.here.id, 2026, since, until or since, by=town.head_of(town.here), now=town.now
    )


def programme_of(town):
    (programme,) = programmes.of_kindergarten(town.session, town.here.id, 2026)
    return programme


def test_a_day_is_read_by_going_back_over_entries_and_moves(town, drawn):
    programme = programme_of(town)
    now = read(town, today(town.now)).first
    (line,) = [each for each in now.lines if each.level == programme.level]
    assert (line.plan.places, line.taken, line.free) == (programme.places, 2, programme.free)
    earlier = read(town, today(town.before)).first
    (line,) = [each for each in earlier.lines if each.level == programme.level]
    assert (line.taken, line.free) == (0, programme.places), "before the draw nobody held a place"
    assert earlier.receipt(programme.level).places == programme.places, "the sum of the page is the sum of its lines"
    long_ago = read(town, dt.date(2020, 1, 1), dt.date(2020, 1, 2)).first
    assert long_ago.places == 0, "before its first entry the plan was empty"


def test_of_a_period_the_fewest_free_places_count(town, drawn):
    ana, ben = drawn
    programme = programme_of(town)
    at_the_draw = today(town.now)
    town.at(town.now + 2 * DAY)
    town.confirm(ben)
    town.at(town.now + DAY)
    town.decline(ana)
    found = read(town, today(town.before), today(town.now))
    (day, line) = next(each for each in found.least if each[1].level == programme.level)
    assert (day, line.free) == (at_the_draw, programme.places - 2), "the earliest of the days with the fewest"
    assert read(town, today(town.now)).first.free == programme.places - 1
    assert read(town, today(town.now) + 5 * DAY).first.day == today(town.now), "no day to come"


def test_a_changed_licence_and_plan_are_dated(town, drawn):
    programme = programme_of(town)
    before, classes = read(town, today(town.now)).first.licensed, programme.planned_classes
    town.at(town.now + DAY)
    add_entry(
        town.session,
        programme,
        LICENCE,
        before,
        9,
        account_id=None,
        now=town.now,
        reason=f"{ledger.REASON_IMPORTED}名册",
    )
    town.here.licensed_classes = 9
    town.plan(programme, by=town.area_official(), planned_classes=classes + 1, staffed_classes=classes + 1)
    town.session.flush()
    now, yesterday = read(town, today(town.now)).first, read(town, today(town.now) - DAY).first
    assert (now.licensed, yesterday.licensed) == (9, before)
    assert [each.plan.planned_classes for each in (now.lines[0], yesterday.lines[0])] == [classes + 1, classes]


def test_reserved_places_are_those_of_the_day(town, drawn):
    """A pool that was made after the day is no part of it, nor is one smaller because it was made smaller later."""
    town.at(town.now + DAY)
    town.pool(town.here, "care", 1, ["policy_care"], name="政策照顾")
    now, yesterday = read(town, today(town.now)).first.lines[0], read(town, today(town.now) - DAY).first.lines[0]
    assert (now.reserved, now.free, yesterday.reserved, yesterday.free) == (1, 1, 0, 2)
    town.at(town.now + DAY)
    pools.set_pools(
        town.session, programme_of(town).id, [], by=town.area_official(), now=town.now, reason="不再预留"
    )  # fmt: skip
    assert read(town, today(town.now)).first.lines[0].reserved == 0
    assert read(town, today(town.now) - DAY).first.lines[0].reserved == 1, "a pool of that day that has gone"


def test_what_is_known_of_days_to_come(town, drawn):
    ana, ben = drawn

    def coming():
        asked = {"by": town.head_of(town.here), "now": town.now}
        found = places_of_a_day.coming(town.session, town.here.id, 2026, **asked)
        return [(each.day, each.code, each.number) for each in found]

    due = today(town.offer_for(ana).answer_by)
    assert coming() == [(due, "answers_due", 2)]
    town.confirm(ben)
    assert coming() == [(due, "answers_due", 1)]
    town.confirm(ana)
    assert coming() == []
    loss = class_loss.report(
        town.session, town.here.id, "lower", 2026, classes=1, from_day=dt.date(2026, 9, 1), reason="停用", solution="other_level",
        by=town.head_of(town.here), now=town.now,
    )  # fmt: skip
    assert coming() == [], "nobody knows whether the area will sign"
    class_loss.sign(town.session, loss.id, until_day=dt.date(2027, 8, 31), by=town.area_official(), now=town.now)
    assert coming() == [(dt.date(2027, 8, 31), "kept_until", 2)]
