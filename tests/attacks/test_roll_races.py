"""Two kindergartens and many tablets at once: a child is on one roll, a class moves up once, and a count has one author."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment.ground.constraint_errors import refusal_of
from enrollment.ground.errors import Refused, Stale
from enrollment.places import promotion, roll
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import RollCount, RollPromotion
from enrollment.places.roll_changes import counts
from tests.support.town_families import id_number

pytestmark = pytest.mark.long
JULY = dt.datetime(2026, 7, 6, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


def codes(said) -> list[str]:
    """The refusals; a violated constraint is one, as on a page."""
    found = [refusal_of(fault) if isinstance(fault, IntegrityError) else fault for fault in said]
    assert all(not isinstance(fault, Exception) or isinstance(fault, Refused) for fault in found), found
    return sorted(fault.code for fault in found if isinstance(fault, Refused))


def test_twenty_desks_that_enter_one_child_have_it_on_one_roll(race, now):
    town = race.town(now)
    gardens = [town.kindergarten(f"{n}园") for n in "甲乙丙丁戊"]
    for garden in gardens:
        town.child_on_roll(garden, "别人")
    clerks = [town.clerk_of(garden) for garden in gardens for _ in range(4)]
    number = id_number(dt.date(2021, 12, 1))
    town.session.commit()

    def enter(by):
        (garden,) = by.kindergartens
        told = {"name": "同一个", "class_name": "中二班", "id_number": number, "entered_on": dt.date(2026, 3, 1)}
        return lambda s: roll.enter_child(s, garden, "middle", 2025, **told, by=by, now=now).id

    said = race.at_once(*[enter(by) for by in clerks])
    assert codes(said) == ["on_roll_already"] * 19
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).where(RollChild.id_index.is_not(None))) == 1


def test_a_promotion_that_five_people_confirm_happens_once(race, now):
    town = race.town(now)
    garden = town.kindergarten("锦官园")
    for n in range(6):
        town.child_on_roll(garden, "安娜", born=dt.date(2021, 5, n + 1))
    heads = [town.head_of(garden) for _ in range(5)]
    town.session.commit()
    said = race.at_once(
        *[lambda s, by=by: promotion.promote(s, garden.id, 2025, by=by, now=JULY).children for by in heads]
    )
    assert codes(said) == ["promoted_before"] * 4
    with Session(race.engine) as session:
        upper = select(func.count()).select_from(RollChild).join(RollClass, RollClass.id == RollChild.class_id)
        assert session.scalar(upper.where(RollClass.level == "upper")) == 6
        assert session.scalar(select(func.count()).select_from(RollPromotion)) == 1


def test_of_two_clerks_who_count_a_class_the_second_sees_the_first(race, now):
    town = race.town(now)
    garden = town.kindergarten("锦官园")
    kept = town.roll(garden, "lower", 20)
    clerks = [town.clerk_of(garden) for _ in range(4)]
    seen = town.session.scalar(select(func.max(RollCount.number)))
    town.session.commit()
    said = race.at_once(
        *[
            lambda s, by=by, n=n: (
                counts.enter(
                    s, kept.id, children=21 + n, day=now.date(), reason="点名", seen=seen, by=by, now=now
                ).children
            )
            for n, by in enumerate(clerks)
        ]
    )
    assert [type(each) for each in said].count(Stale) == 3
    with Session(race.engine) as session:
        assert session.get_one(RollClass, kept.id).counted in {each for each in said if isinstance(each, int)}
