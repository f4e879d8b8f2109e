"""The officials' page of the two shares: the same figures, down to the kindergarten."""

import pytest

from tests.support.counted_city import CountedCity
from tests.support.signing_in import sign_in


@pytest.fixture
def city(town, portal_session):
    city = CountedCity(portal_session)
    city.large = city.kindergarten("public", {"lower": 30}, name="大园")
    city.small = city.kindergarten("private", {"lower": 70, "nursery": 5}, name="小园")
    return city


@pytest.fixture
def official(client, town, city):
    account = town.account_of_staff("city-1", "周工", "city_official")
    town.session.commit()
    return sign_in(client, account)


def test_nobody_else_sees_the_page(client, city, portal_session):
    portal_session.commit()
    assert client.get("/officials/coverage").status_code == 303


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_city_shows_the_areas_that_are_farthest_from_the_target(official, language):
    page = official.get("/officials/coverage", query_string={"lang": language})
    assert page.status_code == 200
    assert "30.00%" in page.text
    assert "/officials/coverage/510104" in page.text


def test_an_area_shows_its_kindergartens_the_largest_first(official, city):
    page = official.get("/officials/coverage/510104").text
    assert page.index("小园") < page.index("大园")
    assert "70.0%" in page


def test_the_switches_reach_the_kindergartens(official, city):
    assert ">75<" in official.get("/officials/coverage/510104", query_string={"nursery": "y"}).text


def test_an_area_that_does_not_exist_is_not_found(official):
    assert official.get("/officials/coverage/999999").status_code == 404


def test_an_area_without_kindergartens_says_so(official):
    assert "这个区域还没有幼儿园" in official.get("/officials/coverage/GXQ").text


def test_the_area_has_a_file_of_its_own(official):
    answer = official.get("/officials/coverage/510104.csv")
    assert answer.mimetype == "text/csv"
    assert "小园" in answer.get_data(as_text=True)
