"""Classes of the new year that are there before the promotion: empty ones, those of new children, closed ones."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from enrollment.ground.errors import Refused
from enrollment.places import promotion, roll
from enrollment.places.class_promotion.sheet import ExceptionKind
from enrollment.places.roll import RollClass
from enrollment.places.roll_changes import classes, promotion_undo
from tests.support.prepared import prepared

AUGUST = dt.datetime(2026, 8, 20, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
BORN = dt.date(2022, 3, 1)
ANA = {"id_number": "510104202203010018", "born": BORN}


@prepared
def place(town):
    """A kindergarten in August, with two children in 小一班 and an older one in 大一班."""
    town.at(AUGUST)
    town.here = town.kindergarten("金苹果")
    town.head = town.head_of(town.here)
    town.ana = town.child_on_roll(town.here, "安娜", level="lower", class_name="小一班", **ANA)
    town.ben = town.child_on_roll(town.here, "本本", level="lower", class_name="小一班", born=dt.date(2022, 5, 1))
    old = {"level": "upper", "class_name": "大一班"}
    town.big = town.child_on_roll(town.here, "大大", born=dt.date(2020, 9, 1), **old)
    return town


def opened(town, name, level="middle", kept_as="rows"):
    told = {"name": name, "level": level, "school_year": 2026, "kept_as": kept_as, "by": town.head, "now": town.now}
    return classes.open_class(town.session, town.here.id, **told)


def comes(town, name, level="middle", class_name="中一班", born=dt.date(2022, 4, 1), **more):
    """A child that was on no roll enters the new year."""
    told = {"level": level, "year": 2026, "class_name": class_name, "born": born}
    return town.child_on_roll(town.here, name, **told, **more)


def promote(town, big="graduate", **choices):
    told = {f"child-{town.big.id}": big, **choices}
    return promotion.promote(town.session, town.here.id, 2025, choices=told, by=town.head, now=town.now)


def undo(town):
    made = promotion.last_promotion(town.session, town.here.id, 2025)
    assert made is not None
    return promotion_undo.undo(town.session, made.id, by=town.head, now=town.now)


def new_year(town):
    lines = roll.class_list(town.session, town.here.id, 2026, by=town.head, now=town.now)
    return [(line.name, line.children) for line in lines]


def test_children_move_up_into_the_class_of_a_new_child(place):
    town = place
    comes(town, "新新")
    promote(town)
    assert new_year(town) == [("中一班", 3)]


def test_an_empty_class_opened_by_hand_is_joined(place):
    town = place
    opened(town, "中 一班")
    opened(town, "大一班", "upper")
    promote(town, big="stay")
    assert new_year(town) == [("中一班", 2), ("大一班", 1)]


@pytest.mark.parametrize("kept_as", ["rows", "count"])
def test_a_class_of_another_level_or_a_number_is_not_joined(place, kept_as):
    town = place
    opened(town, "中一班", "upper" if kept_as == "rows" else "middle", kept_as)
    promote(town)
    assert sorted(new_year(town)) == [("中一班", 0), ("中一班（升）", 2)]


def test_the_name_of_a_closed_class_stays_taken(place):
    town = place
    for name, level in (("中一班", "middle"), ("大一班", "upper")):
        closed = opened(town, name, level)
        classes.close(town.session, closed.id, reason="没有幼儿", by=town.head, now=town.now)
        closed.closed_on = town.now.date()
    town.session.flush()
    promote(town, big="stay")
    assert new_year(town) == [("中一班（升）", 2), ("大一班（升）", 1)]


def test_the_norm_counts_the_children_who_are_there(place, monkeypatch):
    town = place
    comes(town, "新新")
    monkeypatch.setattr("enrollment.places.roll_checks.CLASS_NORM", {"middle": 2, "upper": 2})
    seen = promotion.preview(town.session, town.here.id, 2025, by=town.head, now=town.now)
    found = [(each.n, each.norm) for each in seen.exceptions if each.kind == ExceptionKind.ABOVE_NORM]
    assert found == [(3, 2)]


def test_the_undoing_takes_only_the_promoted_children_back(place):
    town = place
    new = comes(town, "新新")
    opened(town, "大一班", "upper")
    before = new_year(town)
    for _time in range(2):
        promote(town, big="stay")
        undo(town)
        town.session.expire_all()
        assert new_year(town) == before == [("中一班", 1), ("大一班", 0)]
        assert [each.left_on for each in (town.ana, town.ben, town.big, new)] == [None] * 4


@pytest.mark.parametrize("numbered", [True, False], ids=["by number", "by name"])
def test_children_that_were_moved_up_by_hand_show_a_promotion(place, numbered):
    town = place
    old = town.ana if numbered else town.ben
    roll.leave(town.session, old.id, on=dt.date(2026, 9, 1), reason="other", by=town.head, now=town.now)
    comes(town, old.name, born=old.born, id_number=old.id_number)
    with pytest.raises(Refused, match="promoted_already"):
        promote(town)


def test_a_number_of_children_shows_a_promotion(place):
    town = place
    town.roll(town.here, "middle", 20, name="中三班", year=2026)
    with pytest.raises(Refused, match="promoted_already"):
        promote(town)
    assert promotion.outlook(town.session, town.here.id, 2025, by=town.head) is None


def test_a_child_that_left_in_winter_and_comes_again_shows_none(place):
    town = place
    roll.leave(town.session, town.ana.id, on=dt.date(2026, 2, 1), reason="moved", by=town.head, now=town.now)
    comes(town, "安娜", **ANA)
    promote(town)
    assert new_year(town) == [("中一班", 2)]


def test_after_the_promotion_nothing_is_left_to_promote(place):
    town = place
    opened(town, "中一班")
    promote(town)
    assert promotion.outlook(town.session, town.here.id, 2025, by=town.head) is None
    with pytest.raises(Refused, match="promoted_before"):
        promote(town)
    joined = town.session.scalars(select(RollClass).where(RollClass.name == "中一班")).one()
    assert joined.promotion_id is None
