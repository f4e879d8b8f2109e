"""A kindergarten around 1 September: last year's classes, an arrival in an older class of the new year, the promotion."""

import datetime as dt

from sqlalchemy import select

from enrollment.coverage import newest_rolls, readiness, shares, steps
from enrollment.coverage.indicator import Definition
from enrollment.ground.accounts import SYSTEM
from enrollment.offers.arrivals import arrival
from enrollment.places import promotion, roll
from enrollment.places.class_promotion import new_classes
from enrollment.places.roll_changes import classes, promotion_undo
from enrollment.reports.tables import report, statistics
from tests.support.town_families import id_number
from tests.support.town_season import at

YEAR, AREA = 2026, "510104"
AUGUST, SEPTEMBER = dt.date(2026, 8, 25), dt.date(2026, 9, 2)
BORN = dt.date(2022, 3, 1)


def in_august(town):
    """A kindergarten with two children in 小一班 and one in 大一班, all with a number; 李沐晨 is to come into a middle class."""
    town.here = town.kindergarten("锦官新城幼儿园", places=2)
    middle = town.programme(town.here, places=2, level="middle")
    town.round(levels=["lower", "middle"])
    town.ana = town.child("李沐晨", level="middle", wishes=[middle])
    town.drawn(town.ana)
    town.confirm(town.ana)
    town.at(at(8, 21, 10))
    town.clerk = town.clerk_of(town.here)
    town.mates = [comes(town, name, "lower", year=YEAR - 1, class_name="小一班") for name in ("本本", "陈陈")]
    comes(town, "大大", "upper", year=YEAR - 1, class_name="大一班", born=dt.date(2020, 3, 1))
    return town


def comes(town, name, level="middle", *, year=YEAR, class_name="中一班", born=BORN, numbered=True):
    number = id_number(born) if numbered else None
    told = {"class_name": class_name, "born": born, "id_number": number}
    return town.child_on_roll(town.here, name, level=level, year=year, **told)


def ana_was_here(town):
    child = town.ana.child
    known = {"id_number": child.id_number, "id_kind": child.id_kind, "born": child.born, "class_name": "小一班"}
    town.child_on_roll(town.here, child.name, level="lower", **known)


def arrive(town):
    arrival.arrive(town.session, town.offer_for(town.ana).id, class_name="中一班", by=town.clerk, now=town.now)


def promote(town):
    choices = {"level-middle": "accept"}
    promotion.promote(town.session, town.here.id, YEAR - 1, choices=choices, by=town.clerk, now=town.now)


def undo(town):
    made = promotion.last_promotion(town.session, town.here.id, YEAR - 1)
    assert made is not None
    promotion_undo.undo(town.session, made.id, by=town.clerk, now=town.now)


def open_class(town, kept_as):
    told = {"name": "中三班", "level": "middle", "school_year": YEAR, "kept_as": kept_as}
    return classes.open_class(town.session, town.here.id, **told, by=SYSTEM, now=town.now)


def count(town, children):
    return town.roll(town.here, "middle", children, name="中三班", year=YEAR)


def move_by_hand(town):
    """The child leaves its old class and is entered anew, as somebody does who does not know the promotion."""
    old = town.mates[0]
    roll.leave(town.session, old.id, on=dt.date(2026, 9, 1), reason="other", by=town.clerk, now=town.now)
    known = {"id_number": old.id_number, "born": old.born, "class_name": "中一班"}
    return town.child_on_roll(town.here, old.name, level="middle", year=YEAR, **known)


def sums(town, on):
    """Children on the rolls and after the intake, as every reader of the rolls counts them."""
    figures = shares.city_shares(town.session, Definition(on), year=YEAR).city
    places = readiness.kindergartens(town.session, on, AREA)
    listed = sum(each.children for each in places)
    in_classes = sum(seat.children for each in places for seat in steps.classes_of(town.session, on, each.id))
    assert [figures.now.all, listed] == [in_classes, in_classes]
    official, noon = town.city_official(), dt.datetime.combine(on, dt.time(12), town.now.tzinfo)
    returned = report.read(statistics.STATISTICS, report.Question(town.session, YEAR, official, noon), how="page")
    assert returned.unequal == ()
    return figures.now.all, figures.after.all


def is_whole(town, on=SEPTEMBER):
    newest = newest_rolls.query(on)
    return town.session.scalars(select(newest.c.whole).where(newest.c.kindergarten_id == town.here.id)).one()


def were_promoted(town):
    already = new_classes.of_year(town.session, town.here.id, YEAR)
    return new_classes.were_promoted(town.session, already, town.here.id, YEAR - 1)
