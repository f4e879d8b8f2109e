"""The counts that are kept ready are what counting again gives, whatever happened since, and are used where nothing did."""

import datetime as dt
import random

from sqlalchemy import delete, func, select, update

from enrollment.coverage import counts, rollup
from enrollment.coverage.rollup import CoverageChange
from enrollment.coverage.steps import steps_of
from enrollment.ground.accounts import SYSTEM
from enrollment.offers.offers import Offer
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import counts as counts_of_classes
from tests.support.counted_city import NOON, YEAR, CountedCity
from tests.support.prepared import prepared

ON = NOON.date()
AREAS = ("510104", "GXQ", "510106")


@prepared
def city(session):
    city = CountedCity(session)
    for n, area in enumerate(AREAS):
        school = city.kindergarten(("public", "inclusive", "private")[n], {"middle": 20}, area_code=area, run_by="教办")
        _group, city.children = city.listed_class(school, "lower", [dt.date(2022, 1, 1)] * 5)
        city.listed_class(school, "mixed", [dt.date(2020, 1, 1)] * 3)
    return city


def as_sets(snapshot: counts.Snapshot):
    return set(snapshot.now), set(snapshot.after), set(snapshot.coming), dict(snapshot.dates)


def dirty(session) -> set[str]:
    return set(session.scalars(select(CoverageChange.area_code)))


def test_what_is_kept_is_what_counting_again_gives(session, city):
    luck = random.Random(9)
    school = session.scalars(select(Kindergarten).order_by(Kindergarten.code)).first()
    acts = [
        lambda: session.execute(
            update(RollChild).where(RollChild.id == luck.choice(ids(RollChild))).values(left_on=ON)
        ),
        lambda: session.execute(delete(RollChild).where(RollChild.id == luck.choice(ids(RollChild)))),
        lambda: [
            counts_of_classes.enter(
                session, each.id, children=luck.randrange(9, 26), day=ON, reason="点名", by=SYSTEM, now=NOON
            )
            for each in session.scalars(select(RollClass).where(RollClass.kept_as == "count"))
        ],
        lambda: session.execute(
            update(Kindergarten)
            .where(Kindergarten.id == luck.choice(ids(Kindergarten)))
            .values(nature=luck.choice(["public", "inclusive", "private"]))
        ),
        lambda: session.execute(
            update(Kindergarten).where(Kindergarten.id == luck.choice(ids(Kindergarten))).values(closed_on=ON)
        ),
        lambda: city.offer(school, "lower", of=session.get(RollChild, luck.choice(ids(RollChild)))),
        lambda: city.offer(school, "lower"),
        lambda: session.execute(update(Offer).values(state=luck.choice(["offered", "declined", "arrived"]))),
        lambda: city.kindergarten("public", {"lower": 7}, area_code=luck.choice(AREAS), parent_id=school.id),
    ]

    def ids(table):
        return session.scalars(select(table.id).order_by(table.id)).all()

    for turn in range(40):
        luck.choice(acts)()
        session.flush()
        if turn % 3 == 0:
            rollup.refresh(session, [YEAR], now=NOON)
            assert dirty(session) == set()
        assert as_sets(rollup.read(session, ON, YEAR)) == as_sets(counts.count(session, ON, YEAR))
        for area in AREAS:
            assert rollup.steps(session, ON, YEAR, [area]) == steps_of(session, ON, area)


def test_only_the_area_that_changed_is_counted_again(session, city):
    assert rollup.refresh(session, [YEAR], now=NOON) == 23
    assert rollup.refresh(session, [YEAR], now=NOON) == 0
    city.children[0].left_on = ON
    session.flush()
    assert dirty(session) == {"510106"}
    assert rollup.refresh(session, [YEAR], now=NOON) == 1
    assert rollup.refresh(session, [YEAR], now=NOON + dt.timedelta(days=1)) == 23, "another day counts other children"


def test_the_answer_of_a_family_touches_no_count_until_it_gives_the_place_up(session, city):
    offer = city.offer(session.scalars(select(Kindergarten).order_by(Kindergarten.code)).first(), "lower")
    rollup.refresh(session, [YEAR], now=NOON)
    offer.state = "confirmed"
    session.flush()
    assert dirty(session) == set()
    offer.state = "declined"
    session.flush()
    assert dirty(session) == {"510104"}


def test_a_figure_of_another_day_or_year_is_counted_at_once(session, city):
    rollup.refresh(session, [YEAR], now=NOON)
    earlier = dt.date(2025, 8, 1)
    assert rollup.read(session, earlier, YEAR).now == ()
    for year in (YEAR, YEAR + 1):
        assert as_sets(rollup.read(session, ON, year)) == as_sets(counts.count(session, ON, year))
    assert session.scalar(select(func.count()).select_from(CoverageChange)) == 0
