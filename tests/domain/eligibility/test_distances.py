"""FAM29: what is suggested to a family is of its own area, and nothing is called near without a distance."""

from enrollment.draw.central import central_proposals
from enrollment.draw.unserved import board
from enrollment.eligibility import home_points, households
from enrollment.eligibility.wish_candidates import Finder
from tests.support.prepared import prepared

OTHER_COUNTY = "510105"
STREET = {"street": "三圣街道", "latitude": 30.60}


@prepared
def gardens(town):
    """Two kindergartens on the family's street, one far away in its area, and one of another county beside them."""
    town.first = town.kindergarten("一幼", places=1, longitude=104.10, **STREET)
    town.second = town.kindergarten("二幼", places=2, longitude=104.12, **STREET)
    town.far = town.kindergarten("远幼", places=2, street="锦华街道", longitude=104.30, latitude=30.60)
    town.county = town.kindergarten(
        "邻县幼", places=2, area=OTHER_COUNTY, street="邻街", longitude=104.11, latitude=30.60
    )
    return town


def finder_of(town, application) -> Finder:
    return Finder(town.session, application, town.round_for(application).id)


def test_fam29_the_finder_has_the_own_area_first_and_measures_from_the_street(gardens):
    ana = gardens.child("安娜", wishes=[gardens.first])
    found = finder_of(gardens, ana).search().items
    assert [each.kindergarten for each in found] == [gardens.second, gardens.first, gardens.far, gardens.county]
    assert [each.measured_from for each in found] == ["三圣街道"] * 4
    assert found[0].metres == found[1].metres == 957
    assert [each.own_area for each in found] == [True, True, True, False]


def test_fam29_an_estate_is_finer_than_a_street_and_a_point_finer_than_both(gardens):
    gardens.service_area(gardens.second, "estate", "锦官新城")
    ana = gardens.child("安娜", wishes=[gardens.first], home_estate="锦官新城")
    home = households.household_of(gardens.session, ana.id)
    found = home_points.point_of(gardens.session, home)
    assert (found.longitude, found.measured_from) == (104.12, "锦官新城")
    ben = gardens.child("本本", wishes=[gardens.first], home_longitude=104.2, home_latitude=30.6)
    found = home_points.point_of(gardens.session, households.household_of(gardens.session, ben.id))
    assert (found.longitude, found.measured_from) == (104.2, None)


def test_fam29_a_street_of_the_same_name_in_another_county_says_nothing(gardens):
    ana = gardens.child("安娜", wishes=[gardens.first], home_street="邻街")
    assert home_points.point_of(gardens.session, households.household_of(gardens.session, ana.id)) is None
    assert {each.metres for each in finder_of(gardens, ana).search().items} == {None}


def test_fam29_another_county_is_never_suggested_unless_it_serves_the_home(gardens):
    ana = gardens.child("安娜", wishes=[gardens.first])
    finder = finder_of(gardens, ana)
    listed = finder.seen(finder.others([], 1))
    assert [one.kindergarten for one in finder.others(listed, 6)] == [gardens.first, gardens.far]
    point = {
        "type": "Polygon",
        "coordinates": [[[104.0, 30.5], [104.4, 30.5], [104.4, 30.7], [104.0, 30.7], [104.0, 30.5]]],
    }
    gardens.service_area(gardens.county, "polygon", "片区", point)
    ben = gardens.child("本本", wishes=[gardens.first], home_longitude=104.11, home_latitude=30.6)
    assert finder_of(gardens, ben).others([], 1)[0].kindergarten == gardens.county


def test_fam29_vacancies_of_the_own_area_come_first_and_others_only_with_their_distance(gardens):
    ana, ben = (gardens.child(name, wishes=[gardens.first]) for name in ("安娜", "本本"))
    unknown = gardens.child("楚楚", wishes=[gardens.first], home_street="没有这条街")
    gardens.drawn(ana, ben, unknown)
    rows = {row.entry.id: row for row in board.listing(gardens.session, 2026, by=gardens.city_official()).rows}
    assert [(one.kindergarten.name, one.metres) for one in rows[ben.id].vacancies] == [
        ("二幼", 957),
        ("远幼", 18185),
        ("邻县幼", 0),
    ]
    assert {one.kindergarten.name for one in rows[unknown.id].vacancies} == {"二幼", "远幼"}
    assert {one.metres for one in rows[unknown.id].vacancies} == {None}


def test_fam29_central_placement_measures_from_the_street_where_there_is_no_point(gardens):
    ana, ben = (gardens.child(name, wishes=[gardens.first]) for name in ("安娜", "本本"))
    gardens.drawn(ana, ben)
    [proposed] = central_proposals.proposals(gardens.session, gardens.place_centrally().id).rows
    assert proposed.metres is not None
