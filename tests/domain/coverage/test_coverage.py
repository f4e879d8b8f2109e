"""The two coverage shares from rows: published figures, what is counted, and the effect of the intake."""

import datetime as dt

import pytest

from enrollment.coverage import shares
from enrollment.coverage.indicator import Definition
from enrollment.ground.accounts import SYSTEM
from enrollment.places import promotion
from enrollment.places.roll_changes import classes
from tests.support.counted_city import YEAR, CountedCity
from tests.support.prepared import prepared
from tests.support.town_families import id_number

ON = dt.date(2026, 5, 22)
BORN = {"lower": dt.date(2022, 3, 1), "middle": dt.date(2021, 3, 1), "upper": dt.date(2020, 3, 1)}


@prepared
def city(session):
    return CountedCity(session)


def figures(session, **switches):
    return shares.city_shares(session, Definition(ON, **switches), year=YEAR)


def counted(coverage) -> tuple[int, int, int]:
    return coverage.all, coverage.public, coverage.inclusive


def test_published_figures_of_hengnan(session, city):
    """衡南县, official page: 25,113 children, 10,301 public, 7,629 inclusive private → 41.02 % and 71.40 %."""
    city.targets()
    city.kindergarten("public", {"lower": 3_400, "middle": 3_401, "upper": 3_500})
    city.kindergarten("inclusive", {"lower": 2_543, "middle": 2_543, "upper": 2_543}, area_code="GXQ")
    city.kindergarten("private", {"mixed": 7_183})
    result = figures(session).city.now
    assert counted(result) == (25_113, 10_301, 7_629)
    assert result.public_share.text == "41.02"
    assert result.inclusive_coverage.text == "71.40"
    assert not result.public_share.met
    assert not result.inclusive_coverage.met
    assert result.public_share.to_move == 2_507
    assert result.public_share.to_add == 5_116


def test_rounding_never_reaches_a_target(session, city):
    city.targets()
    city.kindergarten("public", {"lower": 12_749})
    city.kindergarten("private", {"lower": 12_251})
    share = figures(session).city.now.public_share
    assert share.text == "51.00"
    assert not share.met


def test_nursery_children_count_only_on_request(session, city):
    city.kindergarten("public", {"nursery": 20, "lower": 25})
    assert counted(figures(session).city.now) == (25, 25, 0)
    assert counted(figures(session, nursery=True).city.now) == (45, 45, 0)


def test_attached_classes_are_in_the_numerator_only_on_request(session, city):
    city.kindergarten("public", {"upper": 30})
    city.kindergarten("public", {"upper": 10}, attached=True)
    assert counted(figures(session).city.now) == (40, 30, 0)
    assert counted(figures(session, attached=True).city.now) == (40, 40, 0)


def test_a_site_counts_in_its_own_area_with_its_parents_nature(session, city):
    parent = city.kindergarten("public", {"lower": 25})
    city.kindergarten("private", {"lower": 50}, parent_id=parent.id, area_code="GXQ")
    by_code = {line.code: line.now for line in figures(session).areas}
    assert counted(by_code["510104"]) == (25, 25, 0)
    assert counted(by_code["GXQ"]) == (50, 50, 0)


def test_an_area_without_children_has_a_dash(session, city):
    city.targets()
    city.kindergarten("public", {"lower": 25})
    empty = next(line.now for line in figures(session).areas if line.code == "GXQ")
    assert empty.public_share.text == "—"
    assert empty.public_share.met is None


def test_a_closed_kindergarten_no_longer_counts(session, city):
    city.kindergarten("public", {"lower": 25}, closed_on=dt.date(2026, 1, 31))
    city.kindergarten("private", {"lower": 25}, closed_on=dt.date(2026, 7, 31))
    assert counted(figures(session).city.now) == (25, 0, 0)


def test_children_kept_as_rows_count_at_the_reference_date(session, city):
    school = city.kindergarten("public")
    _group, (first, second) = city.listed_class(school, "lower", [dt.date(2022, 3, 1), dt.date(2022, 4, 1)])
    second.left_on = dt.date(2026, 3, 1)
    session.flush()
    assert first.left_on is None
    assert counted(figures(session).city.now) == (1, 1, 0)
    in_winter = shares.city_shares(session, Definition(dt.date(2026, 1, 15)), year=YEAR)
    assert counted(in_winter.city.now) == (2, 2, 0)


def test_only_the_newest_roll_counts(session, city):
    school = city.kindergarten("public", {"middle": 25})
    city.counted_class(school, "lower", 99, school_year=YEAR - 2)
    assert counted(figures(session).city.now) == (25, 25, 0)


def test_after_the_intake_the_upper_class_has_left_and_the_offers_are_there(session, city):
    school = city.kindergarten("public", {"nursery": 4, "lower": 25, "middle": 30, "upper": 35})
    other = city.kindergarten("private", {"lower": 10, "upper": 5})
    for _ in range(3):
        city.offer(school, "lower")
    city.offer(school, "lower", state="declined")
    city.offer(other, "lower", state="confirmed")
    result = figures(session).city
    assert counted(result.now) == (105, 90, 0)
    assert counted(result.after) == (4 + 25 + 30 + 3 + 10 + 1, 4 + 25 + 30 + 3, 0)


def test_a_child_on_a_roll_who_is_offered_a_place_elsewhere_is_one_child(session, city):
    old, new = city.kindergarten("private"), city.kindergarten("public")
    _group, (child,) = city.listed_class(old, "nursery", [dt.date(2023, 3, 1)])
    assert counted(figures(session).city.after) == (1, 0, 0)
    city.offer(new, "lower", of=child)
    assert counted(figures(session).city.after) == (1, 1, 0)


def test_a_mixed_class_loses_those_who_go_to_school(session, city):
    school = city.kindergarten("public")
    city.listed_class(school, "mixed", [dt.date(2020, 8, 31), dt.date(2020, 9, 1), dt.date(2022, 5, 5)])
    result = figures(session).city
    assert result.now.all == 3
    assert result.after.all == 2


def test_an_arrived_child_is_not_counted_twice_once_the_new_roll_is_kept(session, city):
    school = city.kindergarten("public", {"lower": 25})
    city.offer(school, "lower", state="arrived")
    assert figures(session).city.after.all == 26
    for level, children in (("lower", 1), ("middle", 25)):
        city.counted_class(school, level, children, school_year=YEAR)
    in_september = shares.city_shares(session, Definition(dt.date(2026, 9, 20)), year=YEAR)
    assert in_september.city.now.all == 26
    assert in_september.city.after.all == 26


def test_the_drill_down_names_the_kindergartens_of_an_area_largest_first(session, city):
    small, large = city.kindergarten("public", {"lower": 5}), city.kindergarten("inclusive", {"lower": 50})
    city.kindergarten("public", {"lower": 500}, area_code="GXQ")
    city.offer(small, "lower")
    lines = shares.area_shares(session, "510104", Definition(ON), year=YEAR)
    assert [line.code for line in lines] == [large.code, small.code]
    assert counted(lines[1].after) == (6, 6, 0)
    assert (lines[1].nature, lines[1].attached, dict(lines[1].children)) == ("public", False, {"lower": 5})


def test_the_date_of_the_roll_is_the_newest_that_was_counted(session, city):
    assert figures(session).roll_of is None
    city.kindergarten("public", {"lower": 5})
    assert figures(session).roll_of == dt.date(2026, 5, 20)


@pytest.mark.parametrize("level", ["lower", "middle", "mixed", "counted"])
def test_after_first_arrivals_unpromoted_classes_still_count(town, level):
    """In September a kindergarten may have new children, and empty older classes, before it promotes its classes."""
    school = town.kindergarten("锦官新城幼儿园")
    for number, old in enumerate(("lower", "middle", "upper")):
        for child in range(3 - number):
            town.child_on_roll(school, f"{old}{child}", level=old, id_number=id_number(BORN[old]), born=BORN[old])
    if level == "counted":
        town.roll(school, "middle", 30, name="中一班")
        town.roll(school, "lower", 20, year=YEAR)
        waiting_before, new = 3 + 2 + 1 + 30, 20
    else:
        known = {"id_number": id_number(BORN["lower"]), "born": BORN["lower"], "class_name": "新一班"}
        town.child_on_roll(school, "安安", level=level, year=YEAR, entered_on=dt.date(2026, 9, 1), **known)
        waiting_before, new = 3 + 2 + 1, 1
    told = {"school_year": YEAR, "by": SYSTEM, "now": town.now}
    classes.open_class(town.session, school.id, name="中七班", level="middle", kept_as="rows", **told)
    classes.open_class(town.session, school.id, name="大七班", level="upper", kept_as="count", **told)

    def on(day: dt.date) -> int:
        return shares.city_shares(town.session, Definition(day), year=YEAR).city.now.all

    assert on(dt.date(2026, 8, 31)) == waiting_before
    waiting = on(dt.date(2026, 9, 2))
    town.at(dt.datetime(2026, 9, 2, 9, tzinfo=town.now.tzinfo))
    promotion.promote(town.session, school.id, YEAR - 1, by=SYSTEM, now=town.now)
    assert waiting == on(dt.date(2026, 9, 2)) == waiting_before - 1 + new
