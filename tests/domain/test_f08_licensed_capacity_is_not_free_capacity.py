"""F8: elsewhere the licensed capacity was shown as free.  Here only what a class plan leaves over is a place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.places import place_plans, programmes
from enrollment.places.areas import CLASS_NORM, LEVELS
from enrollment.places.class_plan import LevelPlan, check_kindergarten
from enrollment.places.plans.receipts import Limit, free_places, receipt
from tests.support.prepared import prepared


@prepared
def wenjiang(town):
    """A kindergarten licensed for 9 classes, where 3 middle and 4 upper classes go on."""
    k = town.kindergarten("温江示例幼儿园", area="510115", licensed_classes=9)
    for level, classes, children in (("middle", 3, 90), ("upper", 4, 140)):
        plan(town, k, level, planned_classes=classes, staffed_classes=classes, continuing=children)
    return k


def plan(town, kindergarten, level, **numbers):
    programme = programmes.ensure(town.session, kindergarten.id, level, 2026)
    return town.plan(programme, **numbers)


def test_nine_licensed_classes_with_seven_continuing_offer_fifty_places(town, wenjiang):
    lower = plan(town, wenjiang, "lower", planned_classes=2, staffed_classes=2)
    assert lower.places == 50
    assert [programme.places for programme in programmes.of_kindergarten(town.session, wenjiang.id, 2026)] == [50, 0, 0]


def test_a_third_lower_class_is_not_licensed(town, wenjiang):
    with pytest.raises(Refused) as refused:
        plan(town, wenjiang, "lower", planned_classes=3, staffed_classes=3)
    assert refused.value.code == "more_classes_than_licensed"
    assert refused.value.details == {"planned": 10, "licensed": 9}


def test_a_class_without_teachers_offers_nothing(town, wenjiang):
    assert plan(town, wenjiang, "lower", planned_classes=2, staffed_classes=1).places == 25


def test_children_who_continue_and_places_kept_out_of_the_draw_are_not_offered(town, wenjiang):
    lower = plan(town, wenjiang, "lower", planned_classes=2, staffed_classes=2, continuing=7, withheld=3)
    assert lower.places == 40


@pytest.mark.parametrize(
    ("numbers", "code", "told"),
    [
        ({"continuing": 66}, "continuing_above_classes", {"classes": 1, "norm": 25, "capacity": 25, "continuing": 66}),
        ({"staffed_classes": 2, "planned_classes": 2, "continuing": 60}, "continuing_above_classes", {"capacity": 50}),
        ({"staffed_classes": 0, "continuing": 1}, "continuing_above_classes", {"classes": 0, "capacity": 0}),
        ({"staffed_classes": 2, "planned_classes": 2, "withheld": 51}, "withheld_above_free", {"free": 50, "n": 51}),
    ],
)
def test_stf03_impossible_numbers_are_refused_with_the_arithmetic(town, wenjiang, numbers, code, told):
    with pytest.raises(Refused) as refused:
        plan(town, wenjiang, "lower", **({"planned_classes": 1, "staffed_classes": 1} | numbers))
    assert refused.value.code == code
    assert told.items() <= refused.value.details.items()


def test_stf03_the_sum_is_printed_line_by_line_with_the_limit_that_binds(town, wenjiang):
    """温江: licence 9 − 3 − 4 = 2 classes × 25 = 50, and the licence is why there are no more."""
    plan(town, wenjiang, "lower", planned_classes=2, staffed_classes=2)
    printed = place_plans.place_plan(town.session, wenjiang.id, 2026, by=SYSTEM, now=town.now).receipt("lower")
    assert [(line.sign, line.code, line.value, line.binds) for line in printed.lines] == [
        ("", "licence", 9, True), ("−", "others", 3, False), ("−", "others", 4, False), ("=", "left", 2, False),
        ("", "staffed", 2, False), ("×", "norm", 25, False), ("=", "capacity", 50, False),
        ("−", "continuing", 0, False), ("−", "withheld", 0, False),
    ]  # fmt: skip
    assert (printed.places, printed.limit, printed.more) == (50, Limit.LICENCE, 25)


def test_stf03_children_on_roll_of_a_level_without_a_plan_take_their_classes_of_the_licence(town):
    """62 children come up into 大班, for which nobody has planned a class: two classes of the licence are theirs."""
    here = town.kindergarten("温江幼儿园", licensed_classes=4)
    plan(town, here, "lower", planned_classes=2, staffed_classes=2)
    town.roll(here, "middle", 31)
    town.roll(here, "middle", 31, name="中二班")
    printed = place_plans.place_plan(town.session, here.id, 2026, by=SYSTEM, now=town.now).receipt("lower")
    assert [(line.code, line.value, line.level) for line in printed.lines[:3]] == [
        ("licence", 4, None), ("on_roll", 2, "upper"), ("left", 2, None),
    ]  # fmt: skip
    assert (printed.limit, printed.places) == (Limit.LICENCE, 50), "nobody may be told that two more could open"


def test_stf03_one_class_with_teachers_four_reserved_and_three_committed_leaves_eighteen():
    assert free_places(LevelPlan(2, 1, 25).places, reserved=4, committed=3) == 18


@given(
    planned=st.integers(0, 6), staffed=st.integers(0, 6), norm=st.integers(1, 25), continuing=st.integers(0, 60),
    withheld=st.integers(0, 20), licensed=st.one_of(st.none(), st.integers(0, 12)),
)  # fmt: skip
def test_stf03_the_lines_of_every_receipt_come_to_the_places(planned, staffed, norm, continuing, withheld, licensed):
    plans = {
        level: LevelPlan(class_norm=CLASS_NORM[level], planned_classes=1, staffed_classes=1)
        for level in ("middle", "upper")
    }
    plans["lower"] = LevelPlan(planned, staffed, norm, continuing, withheld)
    printed = receipt("lower", plans, licensed)
    children = {line.code: line.value for line in printed.lines if line.unit == "child"}
    sum_of_lines = children["capacity"] - children["continuing"] - children["withheld"]
    assert printed.places == max(sum_of_lines, 0)
    assert [line.binds for line in printed.lines].count(True) == 1, "one limit, neither none nor two"


def test_a_kindergarten_never_seats_more_than_360(town):
    k = town.kindergarten("大幼儿园", licensed_classes=15)
    plan(town, k, "upper", planned_classes=5, staffed_classes=5, continuing=175)
    plan(town, k, "middle", planned_classes=5, staffed_classes=5, continuing=150)
    with pytest.raises(Refused) as refused:
        plan(town, k, "lower", planned_classes=2, staffed_classes=2)
    assert refused.value.code == "more_than_360_children"
    assert refused.value.details["children"] == 375
    assert plan(town, k, "lower", planned_classes=2, staffed_classes=2, withheld=15).places == 35


@pytest.mark.parametrize("places", [0, 49, 51])
def test_the_table_itself_refuses_places_that_do_not_follow_from_the_plan(town, wenjiang, places):
    lower = plan(town, wenjiang, "lower", planned_classes=2, staffed_classes=2)
    with pytest.raises(IntegrityError, match="places_follow_the_class_plan"), town.session.begin_nested():
        town.session.execute(text("UPDATE programme SET places = :p WHERE id = :id"), {"p": places, "id": lower.id})


def test_a_class_is_never_larger_than_the_regulation_allows(town, wenjiang):
    with pytest.raises(Refused) as refused:
        plan(town, wenjiang, "lower", planned_classes=2, staffed_classes=2, class_norm=30)
    assert (refused.value.code, refused.value.field) == ("class_norm_too_high", "class_norm")


def test_pools_split_only_what_is_left(town, wenjiang):
    plan(town, wenjiang, "lower", planned_classes=2, staffed_classes=2)
    town.pool(wenjiang, "care", 30, ["policy_care"])
    with pytest.raises(Refused) as refused:
        town.pool(wenjiang, "need", 21, ["special_need"])
    assert refused.value.code == "pools_exceed_places"


small = st.integers(0, 8)
plans = st.dictionaries(
    st.sampled_from(LEVELS),
    st.builds(
        LevelPlan,
        planned_classes=small,
        staffed_classes=small,
        class_norm=st.sampled_from(sorted(CLASS_NORM.values())),
        continuing=st.integers(0, 200),
        withheld=st.integers(0, 50),
    ),
)


@given(plans, st.integers(0, 20))
def test_what_is_offered_always_has_a_licensed_and_staffed_chair(plans, licensed):
    try:
        check_kindergarten(plans, licensed)
    except Refused:
        return
    for each in plans.values():
        if each.places:
            assert each.continuing + each.withheld + each.places == each.classes * each.class_norm
    assert sum(each.classes for each in plans.values()) <= licensed
    assert sum(each.continuing + each.places for each in plans.values()) <= 360
