"""Service areas: which kindergarten serves a place."""

import pytest

from enrollment.ground.errors import Refused
from enrollment.places import service_areas
from enrollment.places.service_areas import ServiceAreaIndex

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[104.0, 30.6], [104.1, 30.6], [104.1, 30.7], [104.0, 30.7], [104.0, 30.6]]],
}
BOW_TIE = {"type": "Polygon", "coordinates": [[[104, 30], [105, 31], [105, 30], [104, 31], [104, 30]]]}


def both_ways(session, kindergarten, place):
    """The cached index equals a new one, whatever was added in between."""
    remembered = service_areas.service_area_index(session).serves(kindergarten.id, place)
    assert ServiceAreaIndex(session).serves(kindergarten.id, place) == remembered
    return remembered


def test_the_same_name_in_another_area_is_another_place(town, session):
    """There is a 新城社区 in more than one district: a name counts where the family lives."""
    here, there = town.kindergarten("这边", area="510104"), town.kindergarten("那边", area="510108")
    for kindergarten in (here, there):
        town.service_area(kindergarten, "community", "新城社区")
    assert both_ways(session, here, {"community": "新城社区", "area": "510104"})
    assert not both_ways(session, there, {"community": "新城社区", "area": "510104"})
    assert not both_ways(session, here, {"community": "新城社区", "area": ""}), (
        "an area that was not verified serves nobody"
    )


@pytest.mark.parametrize("kind", service_areas.NAMED)
def test_a_name_serves_those_who_live_there(town, session, kind):
    near, far = town.kindergarten("近"), town.kindergarten("远")
    town.service_area(near, kind, "三圣街道")
    assert both_ways(session, near, {kind: "三圣 街道"})
    assert not both_ways(session, near, {kind: "柳江街道"})
    assert not both_ways(session, far, {kind: "三圣街道"})


def test_a_street_is_not_a_road_of_the_same_name(town, session):
    k = town.kindergarten("金苹果")
    town.service_area(k, "road", "春熙路")
    assert not both_ways(session, k, {"street": "春熙路"})


def test_a_polygon_serves_the_points_within_and_on_its_edge(town, session):
    k = town.kindergarten("金苹果")
    town.service_area(k, "polygon", "划片", SQUARE)
    assert both_ways(session, k, {"point": [104.05, 30.65]})
    assert both_ways(session, k, {"point": [104.0, 30.65]})
    assert not both_ways(session, k, {"point": [104.2, 30.65]})


@pytest.mark.parametrize("place", [None, {}, {"street": ""}, {"street": None, "point": None}])
def test_nobody_is_served_without_a_place(town, session, place):
    k = town.kindergarten("金苹果")
    town.service_area(k, "street", "三圣街道")
    assert not both_ways(session, k, place)


@pytest.mark.parametrize(
    ("boundary", "code"),
    [
        ({"type": "Point", "coordinates": [104, 30]}, "boundary_unreadable"),
        ({"type": "Polygon", "coordinates": "nonsense"}, "boundary_unreadable"),
        ({"type": "Polygon", "coordinates": []}, "boundary_unreadable"),
        (BOW_TIE, "boundary_crosses_itself"),
        ({"type": "Polygon", "coordinates": [[[412000, 3390000], [412100, 3390000], [412100, 3390100], [412000, 3390000]]]}, "boundary_not_degrees"),
    ],
)  # fmt: skip
def test_a_boundary_that_is_none_is_refused(boundary, code):
    with pytest.raises(Refused) as refused:
        service_areas.polygon(boundary)
    assert refused.value.code == code


def test_the_lookup_of_a_year_reads_only_kindergartens_that_offer(town, session):
    offers, rests = town.kindergarten("招生", places=5), town.kindergarten("停招")
    for k in (offers, rests):
        town.service_area(k, "street", "三圣街道")
    assert ServiceAreaIndex(session, 2026).serving({"street": "三圣街道"}) == {offers.id}


def test_families_pick_from_the_names_of_their_area(town, session):
    here, there = town.kindergarten("这里"), town.kindergarten("那里", area="510105")
    town.service_area(here, "street", "三圣街道")
    town.service_area(there, "street", "草堂街道")
    assert service_areas.list_names(session, "street", "510104") == ["三圣街道"]
