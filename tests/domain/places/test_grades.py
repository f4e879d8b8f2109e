"""Grades of kindergartens: the code list, who holds which grade since when, the list that is imported, and the search."""

import datetime as dt

import pytest

from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.places import finder
from enrollment.places.grades import code_list, held
from enrollment.places.grades.code_list import GradeNames
from enrollment.places.imports.changes import as_text
from enrollment.places.search.site_index import HIGH_QUALITY, Question
from tests.support.office_files import csv_file
from tests.support.prepared import prepared

HEADINGS = ["学校标识码", "园所名称", "办园性质", "招生区域", "办园等级", "评定日期"]


@prepared
def city(town):
    town.area()
    return town.city_pair()[0]


@prepared
def grades(town, city):
    """省级示范 and 市一级, the second of which is not of high quality."""
    listed = (GradeNames("省级示范性幼儿园", "Provincial model", True), GradeNames("市一级", "City grade 1", False))
    return [code_list.add(town.session, each, by=city, now=town.now) for each in listed]


def names(town, garden):
    return [each.name for each in held.now_held(town.session).get(garden.id, [])]


def test_the_city_keeps_the_list_and_a_name_stands_in_it_once(town, city, grades):
    with pytest.raises(Refused, match="only_the_city"):
        code_list.add(town.session, GradeNames("高品质园", "Quality", True), by=town.area_official(), now=town.now)
    for names_of in (GradeNames(" 市 一级", "Other", True), GradeNames("新", "city grade 1", True)):
        with pytest.raises(Refused, match="grade_name_taken"):
            code_list.add(town.session, names_of, by=city, now=town.now)
    with pytest.raises(Refused, match="grade_name_missing"):
        code_list.add(town.session, GradeNames("新", " ", True), by=city, now=town.now)
    code_list.change(
        town.session,
        "g2",
        GradeNames("市一级园", "City grade 1", False, in_use=False),
        version=1,
        by=city,
        now=town.now,
    )
    assert [each.name for each in code_list.all_grades(town.session)] == ["省级示范性幼儿园", "市一级园"]
    with pytest.raises(Stale):
        code_list.change(town.session, "g2", GradeNames("x", "y", True), version=1, by=city, now=town.now)


def test_a_grade_has_its_days_and_its_document(town, grades):
    garden, official = town.kindergarten("锦官园"), town.area_official()
    today = town.now.date()

    def give(code="g1", since=today, document="川教〔2024〕8号", by=official):
        return held.give(town.session, garden.id, code, since, document, by=by, now=town.now)

    for code, wrong in {
        "grade_in_future": {"since": today + dt.timedelta(1)}, "grade_document_missing": {"document": " "},
        "grade_unknown": {"code": "g9"},
    }.items():  # fmt: skip
        with pytest.raises(Refused, match=code):
            give(**wrong)
    with pytest.raises(NotFound):
        give(by=town.head_of(garden))
    first = give(since=dt.date(2020, 1, 1))
    give("g2")
    assert names(town, garden) == ["省级示范性幼儿园", "市一级"]
    with pytest.raises(Refused, match="grade_held"):
        give()
    with pytest.raises(Refused, match="grade_ends_before"):
        held.end(town.session, first.id, dt.date(2019, 12, 31), by=official, now=town.now)
    held.end(town.session, first.id, dt.date(2024, 1, 1), by=official, now=town.now)
    assert names(town, garden) == ["市一级"]
    with pytest.raises(Refused, match="grade_ended"):
        held.end(town.session, first.id, today, by=official, now=town.now)
    with pytest.raises(Refused, match="grade_held"):
        give(since=dt.date(2023, 1, 1))
    give(since=dt.date(2025, 1, 1))
    assert [(each.grade_code, each.until) for each in held.history(town.session, garden.id)][-1] == (
        "g1", dt.date(2024, 1, 1),
    )  # fmt: skip


def test_a_list_says_what_each_kindergarten_holds(town, grades, take_in, faults_of):
    rows = [["5151040001", "锦官园", "公办", "锦江区", "省级示范性幼儿园、city grade 1", "2021-03-01"]]
    change = take_in("kindergartens", csv_file(HEADINGS, rows)).added[0]
    assert change.fields["grade"] == (None, "省级示范性幼儿园、市一级")
    garden = finder.kindergarten_of_code(town.session, "5151040001")
    first = held.history(town.session, garden.id)[0]
    assert (names(town, garden), as_text(first.since)) == (["省级示范性幼儿园", "市一级"], "2021-03-01")
    assert "名册.xlsx" in first.document
    assert take_in("kindergartens", csv_file(HEADINGS, rows)).is_empty
    rows[0][4:] = ["", ""]
    assert take_in("kindergartens", csv_file(HEADINGS, rows)).is_empty
    rows[0][4] = "市一级"
    assert take_in("kindergartens", csv_file(HEADINGS, rows)).counts["changed"] == 1
    assert names(town, garden) == ["市一级"]
    rows[0][4:] = ["五星、六星", "2030-01-01"]
    assert faults_of("kindergartens", csv_file(HEADINGS, rows)) == [
        ("E2", "grade_unknown"), ("E2", "grade_unknown"), ("F2", "grade_in_future"),
    ]  # fmt: skip
    rows[0][4:] = ["未评级", ""]
    take_in("kindergartens", csv_file(HEADINGS, rows))
    assert names(town, garden) == []


def test_the_search_finds_by_grade(town, grades):
    model, first_grade, _none = (town.kindergarten(name) for name in ("甲园", "乙园", "丙园"))
    for garden, code in ((model, "g1"), (first_grade, "g2")):
        held.give(town.session, garden.id, code, town.now.date(), "文件", by=town.area_official(), now=town.now)

    def found(grade):
        return [hit.kindergarten.name for hit in finder.search(town.session, Question(grade=grade))]

    assert (found(HIGH_QUALITY), found("g2"), found("g7")) == (["甲园"], ["乙园"], [])
    page = finder.search(town.session, Question(grade="g2"))
    assert page.counts.grades == {"g1": 1, "g2": 1, HIGH_QUALITY: 1}
    assert [grade.code for grade in page.items[0].grades] == ["g2"]
