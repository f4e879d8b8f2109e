"""Measures come in from a list: new, changed, and every fault at its cell."""

from sqlalchemy import select

from enrollment.ground.classifications import Nature
from enrollment.places.measures.rows import Measure
from tests.support.office_files import csv_file

HEAD = ["编号", "项目名称", "种类", "区县", "学校标识码", "学位数", "投入（万元）", "每年节省（万元）", "最早年份"]
BUILD = ["JJ-01", "三圣新建", "新建园", "锦江区", "", "270", "2850", "", "2027"]


def measures_of(session):
    found = select(Measure.code, Measure.kind, Measure.places, Measure.cost, Measure.yearly, Measure.lead_years)
    return sorted(tuple(row) for row in session.execute(found))


def test_measures_come_in_and_are_changed_by_their_code(take_in, town):
    place = town.kindergarten("小园", nature=Nature.PRIVATE)
    close = ["JJ-02", "小园停办", "停办", "锦江区", place.code, "60", "5", "12", "2026"]
    assert take_in("measures", csv_file(HEAD, [BUILD, close])).counts["added"] == 2
    assert take_in("measures", csv_file(HEAD, [BUILD])).is_empty
    assert take_in("measures", csv_file(HEAD, [[*BUILD[:6], "3000", "", "2027"]])).counts["changed"] == 1
    assert measures_of(town.session) == [("JJ-01", "build", 270, 3000, 0, 2), ("JJ-02", "close", 60, 5, -12, 0)]


def test_every_fault_of_a_list_of_measures_is_told_at_its_cell(faults_of, town):
    public = town.kindergarten("公办园")
    rows = [
        BUILD,
        ["JJ-01", *BUILD[1:]],
        ["JJ-03", "不知道", "装修", "锦江区", "", "30", "1", "", "2027"],
        ["JJ-04", "停哪所", "停办", "锦江区", "", "30", "1", "", "2027"],
        ["JJ-05", "转什么", "转公办", "锦江区", public.code, "30", "1", "", "2027"],
        ["JJ-06", "没有学位", "新建", "锦江区", "", "0", "1", "", "2027"],
        ["JJ-07", "没有这所园", "停办", "锦江区", "5199990009", "30", "1", "", "2027"],
    ]
    assert sorted(faults_of("measures", csv_file(HEAD, rows)), key=lambda fault: fault[0][1:]) == [
        ("A3", "number_told_twice"),
        ("C4", "measure_kind_unknown"),
        ("E5", "measure_kindergarten"),
        ("E6", "measure_turns_nothing"),
        ("F7", "number_out_of_range"),
        ("E8", "kindergarten_unknown"),
    ]
    assert measures_of(town.session) == []


def test_the_stage_of_a_project_is_read_and_an_empty_one_changes_nothing(take_in, faults_of, town):
    head = [*HEAD, "项目进展"]
    assert take_in("measures", csv_file(head, [[*BUILD, "已开工"]])).counts["added"] == 1
    stages = select(Measure.stage)
    assert town.session.scalars(stages).all() == ["underway"]
    assert take_in("measures", csv_file(head, [[*BUILD, ""]])).is_empty
    assert take_in("measures", csv_file(HEAD, [BUILD])).is_empty
    assert take_in("measures", csv_file(head, [[*BUILD, "建成"]])).counts["changed"] == 1
    assert town.session.scalars(stages).all() == ["done"]
    assert faults_of("measures", csv_file(head, [[*BUILD, "快了"]])) == [("J2", "measure_stage_unknown")]
