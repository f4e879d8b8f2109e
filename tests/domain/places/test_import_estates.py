"""New housing estates, as a planning office lists them."""

import pytest
from sqlalchemy import select

from enrollment.places import areas
from enrollment.places.population.rows import Estate
from tests.support.office_files import csv_file

HEADINGS = ["区县", "小区名称", "首个9月", "套数", "每百套幼儿"]


@pytest.fixture
def take_in(take_in, town):
    areas.load(town.session)
    return take_in


def estates_of(session):
    rows = session.scalars(select(Estate).order_by(Estate.area_code, Estate.name))
    return [(each.area_code, each.name, each.first_september, each.children) for each in rows]


def test_estates_come_in_and_are_changed_by_area_and_name(take_in, session):
    first = csv_file(HEADINGS, [["锦江区", "东湖苑", "2027年", "1,200套", 12], ["高新区", "东湖苑", 2028, 400, 15]])
    assert take_in("estates", first).counts["added"] == 2
    assert take_in("estates", first).is_empty
    later = csv_file(HEADINGS, [["锦江区", "东湖苑", 2028, 1200, 12]])
    assert take_in("estates", later).counts["changed"] == 1, "handed over a year late"
    assert estates_of(session) == [("510104", "东湖苑", 2028, 144), ("GXQ", "东湖苑", 2028, 60)]


def test_every_fault_of_a_list_of_estates_is_told_at_its_cell(faults_of, session):
    rows = [
        ["锦江区", "东湖苑", 2027, 1200, 12],
        ["锦江区", "东湖苑", 2027, 1200, 12],
        ["重庆", "江边苑", 2027, 100, 12],
        ["青羊区", "", 2027, 100, 12],
        ["青羊区", "一苑", 2027, 0, 12],
        ["青羊区", "二苑", 2027, 100, 120],
        ["青羊区", "三苑", 2027, "很多", 12],
    ]
    assert sorted(faults_of("estates", csv_file(HEADINGS, rows)), key=lambda fault: fault[0][1:]) == [
        ("B3", "estate_told_twice"),
        ("A4", "area_unknown"),
        ("B5", "value_missing"),
        ("D6", "number_out_of_range"),
        ("E7", "estate_brings_too_many"),
        ("D8", "not_a_number"),
    ]
    assert estates_of(session) == []


def test_an_area_official_writes_its_own_area_only(town, faults_of):
    rows = [["锦江区", "东湖苑", 2027, 1200, 12], ["高新区", "西湖苑", 2027, 400, 12]]
    official = town.area_official("510104")
    assert faults_of("estates", csv_file(HEADINGS, rows), by=official) == [("A3", "area_outside_yours")]
