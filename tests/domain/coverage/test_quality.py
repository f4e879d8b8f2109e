"""High-quality kindergartens beside the year's target, and the readiness of each area for the national assessment."""

import datetime as dt

import pytest

from enrollment.coverage import quality, readiness, shares, target_decisions
from enrollment.coverage.indicator import Definition
from enrollment.coverage.readiness import Indicator, Measure, Missing
from enrollment.coverage.target_decisions import Source
from enrollment.coverage.targets import Targets, TargetScope, targets_on
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.places.grades import code_list, held
from enrollment.places.grades.code_list import GradeNames
from enrollment.places.population.rows import AreaBirths
from enrollment.places.staffing import counts
from tests.support.counted_city import NOON, YEAR, CountedCity
from tests.support.prepared import prepared

ON = NOON.date()
PLAN = Source("高质量发展计划", "", dt.date(2026, 1, 5))


@prepared
def city(session):
    return CountedCity(session)


def target(city, number, scope=TargetScope.CITY, area=None):
    made = target_decisions.propose(
        city.session, YEAR, scope, Targets(high_quality=number), PLAN, in_force_from=dt.date(YEAR, 1, 1), area=area,
        by=city.official(1), now=NOON,
    )  # fmt: skip
    target_decisions.sign(city.session, made.id, by=city.official(2), now=NOON)


def give(city, school, code, since=dt.date(2024, 1, 1)):
    return held.give(city.session, school.id, code, since, "文件", by=SYSTEM, now=NOON)


def measures(city, area="510104", on=ON):
    found = {each.code: each for each in readiness.of_areas(city.session, on, YEAR)}[area]
    return {measure.indicator: measure for measure in found.measures}


def born(city, *children):
    """Births of the three cohorts that are in kindergarten in June 2026: 2019 to 2021."""
    for year, number in zip((2021, 2020, 2019), children, strict=False):
        city.session.add(AreaBirths(area_code="510104", school_year=year, vintage=dt.date(2025, 1, 1), children=number))
    city.session.flush()


def test_the_target_of_kindergartens_is_set_by_two_and_an_area_has_its_own(session, city):
    target(city, 100)
    target(city, 8, TargetScope.AREA, "510104")
    on = targets_on(session, ON)
    assert (on.city.high_quality, on.of_area("510104").high_quality, on.of_area("GXQ").high_quality) == (100, 8, None)
    with pytest.raises(Refused, match="target_not_national"):
        target(city, 5, TargetScope.NATIONAL)
    with pytest.raises(Refused, match="target_kindergartens"):
        target(city, 0)


def test_kindergartens_of_high_quality_count_with_their_children_and_places(session, city):
    for each in (GradeNames("省级示范", "Provincial model", True), GradeNames("市一级", "City 1", False)):
        code_list.add(session, each, by=SYSTEM, now=NOON)
    target(city, 2)
    model = city.kindergarten("public", {"lower": 25, "upper": 30, "nursery": 12})
    far = city.kindergarten("inclusive", {"lower": 10}, area_code="GXQ")
    plain = city.kindergarten("public", {"lower": 20})
    for school, code in ((model, "g1"), (model, "g2"), (far, "g1"), (plain, "g2")):
        give(city, school, code)
    found = quality.figures(session, ON, YEAR)
    assert (found.city.kindergartens, found.city.children, found.city.met) == (2, 65, True)
    assert (found.of_area("510104").children, found.of_area("510104").met) == (55, None)
    assert (found.of_nature("inclusive").kindergartens, found.of_nature("public", "GXQ").kindergartens) == (1, 0)
    assert (found.of_grade("g2").kindergartens, found.of_grade("g1").children) == (1, 65)
    before = quality.figures(session, dt.date(2023, 12, 31), YEAR)
    assert before.city.kindergartens == 0
    held.end(session, held.history(session, far.id)[0].id, ON, by=SYSTEM, now=NOON)
    left = quality.figures(session, ON, YEAR, areas=["510104", "GXQ"]).city
    assert (left.kindergartens, left.met, left.short) == (1, False, 1)


def test_the_five_indicators_of_an_area_in_whole_children(session, city):
    public = city.kindergarten("public", {"lower": 25, "middle": 31, "upper": 35, "nursery": 20})
    private = city.kindergarten("private", {"lower": 20})
    born(city, 40, 40, 50)
    counts.enter(session, public.id, dt.date(2026, 3, 31), 7, 3, by=SYSTEM, now=NOON)
    counts.enter(session, private.id, dt.date(2026, 4, 30), 1, 1, by=SYSTEM, now=NOON)
    found = measures(city)
    told = {indicator: (each.part, each.whole, each.text, each.met, each.short) for indicator, each in found.items()}
    assert told == {
        Indicator.ENROLMENT: (111, 130, "85.38%", True, 0),
        Indicator.INCLUSIVE: (91, 111, "81.98%", True, 0),
        Indicator.PUBLIC: (91, 111, "81.98%", True, 0),
        Indicator.CLASS_SIZE: (3, 4, "75.00%", False, 1),
        Indicator.TEACHERS: (8, 111, "1 : 13.9", True, 0),
    }
    assert found[Indicator.TEACHERS].as_of == dt.date(2026, 3, 31)


def test_what_is_missing_is_said_and_leaves_a_verdict_open(session, city):
    school = city.kindergarten("public", {"lower": 30})
    born(city, 10, 10)
    city.kindergarten("public")
    found = measures(city)
    assert found[Indicator.ENROLMENT].missing == (Missing("births", 1), Missing("roll", 1))
    assert (found[Indicator.ENROLMENT].text, found[Indicator.ENROLMENT].met) == ("—", None)
    assert found[Indicator.TEACHERS].missing == (Missing("roll", 1), Missing("staff", 1))
    assert {measure.met for measure in found.values()} == {None}
    counts.enter(session, school.id, dt.date(2025, 6, 1), 2, 0, by=SYSTEM, now=NOON)
    assert measures(city)[Indicator.TEACHERS].missing == (Missing("roll", 1), Missing("old_staff", 1))
    assert measures(city, "GXQ")[Indicator.PUBLIC].text == "—"


def test_missing_data_that_could_only_help_do_not_hide_a_met_standard():
    lacking = (Missing("staff", 2),)
    assert Measure(Indicator.TEACHERS, 10, 150, None, lacking).met is True
    assert Measure(Indicator.TEACHERS, 9, 150, None, lacking).met is None
    assert Measure(Indicator.TEACHERS, 9, 150, None).met is False
    assert Measure(Indicator.TEACHERS, 9, 150, None).text == "1 : 16.7"
    assert Measure(Indicator.PUBLIC, 4_999, 9_999, None).text == "49.99%"


def test_the_rows_of_an_area_add_up_to_its_figures(session, city):
    first = city.kindergarten("public", {"lower": 25, "middle": 20})
    city.listed_class(first, "upper", [dt.date(2020, 1, 1)] * 4)
    city.kindergarten("inclusive", {"lower": 26}, parent_id=first.id)
    city.kindergarten("private", {"mixed": 31}, closed_on=dt.date(2026, 1, 1))
    rows = readiness.kindergartens(session, ON, "510104")
    found = measures(city)
    line = next(each for each in shares.city_shares(session, Definition(ON), year=YEAR).areas if each.code == "510104")
    assert sum(row.children for row in rows) == line.now.all == found[Indicator.PUBLIC].whole
    assert sum(row.within for row in rows) == found[Indicator.CLASS_SIZE].part
    assert {row.nature for row in rows} == {"public"}
