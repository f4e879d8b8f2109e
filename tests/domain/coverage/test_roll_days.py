"""The days of a class, which the database keeps, are what counting its children again gives."""

import datetime as dt
import random

from sqlalchemy import delete, func, or_, select, update

from enrollment.coverage import shares
from enrollment.coverage.indicator import Definition
from enrollment.coverage.roll_days import RollClassDay
from enrollment.ground.classifications import Level
from enrollment.places.roll import RollChild, RollClass
from tests.support.counted_city import YEAR, CountedCity
from tests.support.prepared import prepared

SEPTEMBER = dt.date(2025, 9, 1)
DAYS = [SEPTEMBER + dt.timedelta(days=n) for n in (0, 1, 40, 150, 262, 364)]


@prepared
def city(session):
    return CountedCity(session)


def kept(session, day):
    found = select(RollClassDay.class_id, func.sum(RollClassDay.children), func.sum(RollClassDay.of_school_age))
    return {
        row[0]: (row[1], row[2])
        for row in session.execute(found.where(RollClassDay.day <= day).group_by(RollClassDay.class_id))
        if row[1] or row[2]
    }


def counted_again(session, day):
    of_age = (RollClass.level == Level.MIXED) & (RollChild.school_from <= RollClass.school_year + 1)
    found = (
        select(RollChild.class_id, func.count(), func.count().filter(of_age))
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(RollChild.entered_on <= day, or_(RollChild.left_on.is_(None), RollChild.left_on > day))
        .group_by(RollChild.class_id)
    )
    return {row[0]: (row[1], row[2]) for row in session.execute(found)}


def test_whatever_happens_to_a_roll_its_days_are_those_of_its_children(session, city):
    luck = random.Random(14)
    school = city.kindergarten("public")
    born = [dt.date(2019, 9, 1) + dt.timedelta(days=31 * n) for n in range(30)]
    groups = [city.listed_class(school, level, born)[0] for level in ("lower", "mixed", "upper")]
    for _turn in range(25):
        children = session.scalars(select(RollChild.id).order_by(RollChild.id)).all()
        some = luck.sample(children, min(7, len(children)))
        day = luck.choice(DAYS)
        act = luck.randrange(5)
        if act == 0:
            session.execute(
                update(RollChild).where(RollChild.id.in_(some)).values(left_on=func.greatest(RollChild.entered_on, day))
            )
        elif act == 1:
            session.execute(update(RollChild).where(RollChild.id.in_(some)).values(class_id=luck.choice(groups).id))
        elif act == 2:
            session.execute(delete(RollChild).where(RollChild.id.in_(some[:2])))
        elif act == 3:
            session.execute(update(RollChild).where(RollChild.id.in_(some)).values(left_on=None, entered_on=day))
        else:
            changed = luck.choice(groups)
            level = luck.choice(["mixed", "middle"])
            session.execute(update(RollClass).where(RollClass.id == changed.id).values(level=level))
            session.execute(
                update(RollChild).where(RollChild.id.in_(some)).values(school_from=luck.choice([2025, 2026, 2027]))
            )
        for when in DAYS:
            assert kept(session, when) == counted_again(session, when)


def test_a_class_that_is_deleted_takes_its_days_with_it(session, city):
    group, _children = city.listed_class(city.kindergarten("public"), "lower", [dt.date(2022, 1, 1)] * 3)
    assert kept(session, SEPTEMBER) == {group.id: (3, 0)}
    session.execute(delete(RollChild))
    session.execute(delete(RollClass))
    assert kept(session, SEPTEMBER) == {}


def test_who_left_on_the_day_of_entering_was_never_there(session, city):
    _group, (child,) = city.listed_class(city.kindergarten("public"), "lower", [dt.date(2022, 1, 1)])
    child.left_on = child.entered_on
    session.flush()
    assert kept(session, dt.date(2026, 5, 1)) == {}


def test_the_switches_change_the_figure_and_say_by_how_much(session, city):
    main = city.kindergarten("public", {"lower": 40, "nursery": 10}, run_by="教办")
    city.kindergarten("public", {"lower": 20}, run_by="国企办")
    city.kindergarten("public", {"upper": 10}, run_by="教办", attached=True)
    city.kindergarten("private", {"lower": 30}, parent_id=main.id, area_code="GXQ")
    city.kindergarten("private", {"lower": 30})
    figures = shares.city_shares(session, Definition(dt.date(2026, 5, 22)), year=YEAR)
    assert (figures.city.now.all, figures.city.now.public) == (130, 90)
    told = {switch: (each.all, each.public) for switch, each in figures.effects.items()}
    assert told == {"nursery": (140, 100), "attached": (130, 100), "education": (130, 70)}
    for switch, (everybody, public) in told.items():
        turned = shares.city_shares(session, figures.definition.turned(switch), year=YEAR)
        assert (turned.city.now.all, turned.city.now.public) == (everybody, public)


def test_a_site_counts_where_it_is_or_where_its_parent_is(session, city):
    main = city.kindergarten("public", {"lower": 40})
    city.kindergarten("public", {"lower": 30}, parent_id=main.id, area_code="GXQ", name="分园")

    def of_areas(**switches):
        figures = shares.city_shares(session, Definition(dt.date(2026, 5, 22), **switches), year=YEAR)
        return {line.code: line.now.all for line in figures.areas if line.now.all}

    assert of_areas() == {"510104": 40, "GXQ": 30}
    assert of_areas(at_parent=True) == {"510104": 70}
    definition = Definition(dt.date(2026, 5, 22), at_parent=True)
    assert [each.now.all for each in shares.area_shares(session, "510104", definition, year=YEAR)] == [40, 30]
    assert shares.area_shares(session, "GXQ", definition, year=YEAR) == ()
