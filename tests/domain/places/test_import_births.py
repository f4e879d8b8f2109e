"""Births and the children of past school years, as two offices write them."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.places import areas
from enrollment.places.population.rows import AreaBirths, AreaHistory
from tests.support.office_files import csv_file

HEADINGS = ["区县", "出生学年", "出生人数", "数据日期"]
PAST = ["区域", "学年", "年级段", "办园性质", "在园人数"]


@pytest.fixture
def take_in(take_in, town):
    areas.load(town.session)
    return take_in


def births_of(session):
    found = select(AreaBirths.area_code, AreaBirths.school_year, AreaBirths.vintage, AreaBirths.children)
    return sorted(tuple(row) for row in session.execute(found))


def test_births_come_in_and_a_newer_vintage_stands_beside_the_old(take_in, session):
    first = csv_file(
        HEADINGS, [["锦江区", "2023学年", "4,410人", "2026年4月30日"], ["高新区", 2023, 5200, "2026-04-30"]]
    )
    assert take_in("births", first).counts["added"] == 2
    assert take_in("births", first).is_empty
    take_in("births", csv_file(HEADINGS, [["锦江区", 2023, 4425, "2026-05-20"]]))
    assert births_of(session) == [
        ("510104", 2023, dt.date(2026, 4, 30), 4410),
        ("510104", 2023, dt.date(2026, 5, 20), 4425),
        ("GXQ", 2023, dt.date(2026, 4, 30), 5200),
    ]


def test_every_fault_of_a_list_of_births_is_told_at_its_cell(faults_of, session):
    rows = [
        ["锦江区", 2023, 4410, "2026-04-30"],
        ["锦江区", 2023, 4411, "2026-04-30"],
        ["重庆", 2023, 1, ""],
        ["青羊区", 2022, "四千", ""],
        ["青羊区", 2024, 10, "2027-01-01"],
        ["青羊区", 2025, 10, "2025-03-01"],
    ]
    assert sorted(faults_of("births", csv_file(HEADINGS, rows)), key=lambda fault: fault[0][1:]) == [
        ("C3", "number_told_twice"),
        ("A4", "area_unknown"),
        ("C5", "not_a_number"),
        ("D6", "vintage_in_the_future"),
        ("D7", "vintage_before_the_year"),
    ]
    assert births_of(session) == []


def test_an_area_official_writes_its_own_area_only(town, faults_of):
    official = town.area_official("510104")
    rows = [["锦江区", 2023, 4410, "2026-04-30"], ["高新区", 2023, 5200, "2026-04-30"]]
    assert faults_of("births", csv_file(HEADINGS, rows), by=official) == [("A3", "area_outside_yours")]


def test_past_years_have_a_nature_and_a_level_and_end_before_the_admission_year(take_in, faults_of, session):
    rows = [["锦江区", 2024, "小班", "公办", 2310], ["锦江区", 2024, "小班", "普惠性民办", 1500]]
    assert take_in("area-history", csv_file(PAST, rows)).counts["added"] == 2
    found = session.execute(select(AreaHistory.nature, AreaHistory.children).order_by(AreaHistory.children)).all()
    assert [tuple(row) for row in found] == [("inclusive", 1500), ("public", 2310)]
    wrong = [
        ["锦江区", 2026, "小班", "公办", 1],
        ["锦江区", 2024, "托班", "公办", 1],
        ["锦江区", 2024, "中班", "民办", 1],
    ]
    assert faults_of("area-history", csv_file(PAST, wrong)) == [
        ("B2", "number_out_of_range"),
        ("C3", "level_not_in_history"),
        ("D4", "nature_unclear"),
    ]
