"""The two shares after a run that is not published: who holds a place already counts once."""

import datetime as dt

from enrollment.coverage import run_intake, shares
from enrollment.coverage.indicator import Definition
from enrollment.ground.city_time import today
from tests.support.prepared import prepared
from tests.support.town_families import id_number


@prepared
def supplementary(town):
    """The main result is out; in the supplementary round one child that holds a place wishes for another, and one is new."""
    town.first = town.kindergarten("金苹果", places=1, nature="inclusive")
    town.second = town.kindergarten("牡丹", places=3)
    town.holder = town.child("安娜", wishes=[town.first])
    town.drawn(town.holder)
    town.confirm(town.holder)
    town.round(kind="supplementary")
    town.open_registration()
    return town


def figures(town):
    return shares.city_shares(town.session, Definition(today(town.now)), year=2026)


def computed(town):
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    return town.run()


def test_a_new_child_is_one_more_and_a_holder_none(supplementary):
    town = supplementary
    before = figures(town)
    assert (before.city.after.all, before.city.after.public, before.city.after.inclusive) == (1, 0, 1)
    town.wish(town.holder, town.second)
    town.child("本本", wishes=[town.second])
    run = computed(town)
    after = run_intake.after_run(town.session, run.id, before)
    assert after.all == before.city.after.all + 1
    assert after.public == 2, "the holder counts at the better place, and no longer at the one before"
    town.publish()
    published = figures(town).city.after
    assert (after.all, after.public, after.inclusive) == (published.all, published.public, published.inclusive)


def test_a_place_in_a_class_of_a_school_is_no_public_one(town):
    garden, school = town.kindergarten("金苹果", places=1), town.kindergarten("附小", places=1, attached=True)
    town.child("安娜", wishes=[garden])
    town.child("本本", wishes=[school])
    run = computed(town)
    after = run_intake.after_run(town.session, run.id, figures(town))
    assert (after.all, after.public) == (2, 1)


def test_a_child_that_is_on_a_roll_elsewhere_is_none_more(town):
    """It moves from a private kindergarten into the middle class of a public one."""
    private, garden = town.kindergarten("小园", nature="private"), town.kindergarten("金苹果")
    town.programme(garden, places=2, level="middle")
    number = id_number(dt.date(2022, 3, 1))
    town.child_on_roll(private, "安娜", level="lower", id_number=number, born=dt.date(2022, 3, 1))
    town.child("安娜", level="middle", born=dt.date(2022, 3, 1), number=number, wishes=[garden])
    before = figures(town)
    assert (before.city.after.all, before.city.after.public) == (1, 0)
    run = computed(town)
    after = run_intake.after_run(town.session, run.id, before)
    town.publish()
    published = figures(town).city.after
    assert (after.all, after.public) == (published.all, published.public) == (1, 1)
