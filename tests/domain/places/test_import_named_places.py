"""Points of streets and estates from a list: what is near a home is measured from them."""

from sqlalchemy import select

from enrollment.places.search import named_places
from enrollment.places.search.named_places import NamedPlace
from tests.support.office_files import csv_file

HEADINGS = ["区域", "类型", "地点名称", "经度", "纬度"]


def listed(*rows):
    return csv_file(HEADINGS, [list(row) for row in rows])


def test_a_list_adds_and_moves_points_and_leaves_the_others(take_in, session):
    first = listed(["锦江区", "街道", "三圣街道", "104.13", "30.6"], ["锦江区", "小区", "锦官新城", "104.1", "30.62"])
    assert take_in("named-places", first).counts["added"] == 2
    assert take_in("named-places", first).is_empty
    difference = take_in("named-places", listed(["锦江区", "小区", "锦官新城", "104.11", "30.62"]))
    assert (difference.counts["changed"], difference.absent) == (1, 1)
    [found] = named_places.points_of(session).suggested("jinguan")
    assert (found.name, found.kind, found.longitude) == ("锦官新城", "estate", 104.11)
    assert session.scalars(select(NamedPlace.sort_key).order_by(NamedPlace.sort_key)).all() == [
        "jin guan xin cheng",
        "san sheng jie dao",
    ]


def test_a_fault_says_which_cell(faults_of):
    assert faults_of("named-places", listed(["锦江区", "道路", "锦华路", "104.13", "30.6"])) == [
        ("B2", "place_kind_unknown")
    ]
    assert (
        faults_of("named-places", listed(["锦江区", "街道", "三圣街道", "30.6", "104.13"]))[0][1] == "degrees_exchanged"
    )
    assert faults_of("named-places", listed(["锦江区", "街道", "三圣街道", "", "30.6"])) == [("D2", "value_missing")]


def test_a_place_at_two_points_is_told_and_the_same_entry_again_counts_once(take_in, faults_of):
    row = ["锦江区", "小区", "锦官新城", "104.1", "30.62"]
    assert faults_of("named-places", listed(row, [*row[:3], "104.11", "30.62"])) == [("D3", "place_at_two_points")]
    difference = take_in("named-places", listed(row, [*row[:3], "104.1000000", "30.62"]))
    assert (difference.counts["added"], difference.remarks["same_entry_twice"].count) == (1, 1)
