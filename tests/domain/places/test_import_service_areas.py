"""Service areas from a notice, row by row or listed in one cell."""

import json

import pytest
from sqlalchemy import select

from enrollment.places import service_areas
from enrollment.places.service_areas import ServiceArea
from tests.support.office_files import csv_file, xlsx
from tests.support.prepared import prepared

SQUARE = {"type": "Polygon", "coordinates": [[[104.0, 30.6], [104.1, 30.6], [104.1, 30.7], [104.0, 30.6]]]}


@prepared
def kindergarten(town):
    return town.kindergarten("锦官新城幼儿园", code="5151040001")


def rows_of(session, kindergarten):
    found = session.scalars(select(ServiceArea).where(ServiceArea.kindergarten_id == kindergarten.id))
    return sorted(((row.kind, row.name) for row in found), key=lambda row: (service_areas.KINDS.index(row[0]), row[1]))


def notice(*rows, headings=("学校标识码", "类型", "范围名称")):
    return xlsx(list(headings), [list(row) for row in rows])


def test_a_row_for_each_street_or_estate(kindergarten, take_in, session):
    take_in("service-areas", notice(["5151040001", "街道", "三圣街道"], ["5151040001", "小区", "锦城花园、江家院子"]))
    assert rows_of(session, kindergarten) == [("street", "三圣街道"), ("estate", "江家院子"), ("estate", "锦城花园")]


def test_a_row_for_each_kindergarten_with_lists_in_its_cells(kindergarten, take_in, session):
    wide = ("园所名称", "街道", "社区", "小区", "道路")
    take_in("service-areas", notice(["锦官新城幼儿园", "三圣街道；柳江街道", "粮丰社区", "", "锦华路"], headings=wide))
    assert rows_of(session, kindergarten) == [
        ("street", "三圣街道"), ("street", "柳江街道"), ("community", "粮丰社区"), ("road", "锦华路")
    ]  # fmt: skip


def test_a_second_import_changes_nothing_and_a_new_notice_replaces_the_old(kindergarten, take_in, session):
    first = notice(["5151040001", "街道", "三圣街道"], ["5151040001", "街道", "柳江街道"])
    take_in("service-areas", first)
    assert take_in("service-areas", first).is_empty
    difference = take_in("service-areas", notice(["5151040001", "街道", "柳江街道"]))
    assert (difference.counts["removed"], difference.unchanged) == (1, 1)
    assert rows_of(session, kindergarten) == [("street", "柳江街道")]


def test_kindergartens_that_the_file_does_not_name_keep_theirs(town, kindergarten, take_in, session):
    other = town.kindergarten("别处", code="5151040002")
    take_in("service-areas", notice(["5151040002", "街道", "草堂街道"]))
    take_in("service-areas", notice(["5151040001", "街道", "三圣街道"]))
    assert rows_of(session, other) == [("street", "草堂街道")]


def test_a_boundary_in_a_cell(kindergarten, take_in, session):
    headings = ["学校标识码", "类型", "范围名称", "边界"]
    content = csv_file(headings, [["5151040001", "范围", "划片一", json.dumps(SQUARE)]])
    take_in("service-areas", content)
    assert take_in("service-areas", content).is_empty
    assert service_areas.service_area_index(session).serves(kindergarten.id, {"point": [104.08, 30.65]})


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (["5151040001", "星球", "火星", ""], ("B3", "service_kind_unknown")),
        (["5151040001", "", "三圣街道", ""], ("B3", "service_kind_missing")),
        (["5151040001", "街道", "", ""], ("C3", "value_missing")),
        (["5151040001", "", "", ""], ("C3", "service_area_empty")),
        (["5151040001", "范围", "划片", ""], ("D3", "boundary_missing")),
        (["5151040001", "范围", "划片", "一圈"], ("D3", "boundary_unreadable")),
        (["5151040001", "范围", "划片", '{"type": "Point", "coordinates": [1, 2]}'], ("D3", "boundary_unreadable")),
        (["5151040009", "街道", "三圣街道", ""], ("A3", "kindergarten_unknown")),
    ],
)
def test_faults_of_a_notice(kindergarten, faults_of, row, fault):
    headings = ("学校标识码", "类型", "范围名称", "边界")
    assert faults_of("service-areas", notice(row, headings=headings)) == [fault]
