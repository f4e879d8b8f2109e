"""The page of the season: numbers open to their rows, each official sees the own areas, and it costs the same for a city."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import text

from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.statements import counted

PAGE = "/officials/2026/season/river"


@prepared
def city(town, client, frozen_clock):
    garden, other = town.kindergarten("金苹果", places=2), town.kindergarten("牡丹", places=2, area="510105")
    town.open_registration()
    for sign in "甲乙丙":
        town.child(f"小{sign}", wishes=[garden])
    town.child("小丁", wishes=[other])
    town.session.commit()
    frozen_clock.set(town.now)
    town.screen = sign_in(client, town.city_pair()[0].account_id)
    return town


@pytest.fixture
def looking_seldom(app, monkeypatch):
    """The catalogue looks at large tables every two seconds, as it does outside tests."""
    monkeypatch.setattr(app.extensions["catalogue"], "always_look", False)
    monkeypatch.setattr(app.extensions["catalogue"], "moment", lambda: 0.0)
    monkeypatch.setattr(app.extensions["catalogue"], "_looked", {})


def soup(client, address: str) -> BeautifulSoup:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert "%(" not in answer.text
    return BeautifulSoup(answer.text, "lxml")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_number_opens_to_its_kindergartens(city, another_client, language):
    page = soup(city.screen, f"{PAGE}?lang={language}")
    assert page.select_one(".five b").text == "4"
    assert len(page.select(".stations li")) == 8
    early = {
        "zh": ["还没有录取，没有要答复的家庭", "还没有确认的孩子"],
        "en": ["No places are offered yet", "Nobody has confirmed a place yet"],
    }
    assert [row.select_one(".grow").text for row in page.select(".ready .later")] == early[language]
    link = page.select_one('.ready a[href$="readiness/review"]')
    assert "4" in link.text
    rows = soup(city.screen, link["href"])
    assert [(row.th.text, row.select("td")[1].text) for row in rows.select("tbody tr")] == [
        ("金苹果", "3"),
        ("牡丹", "1"),
    ]
    rows = soup(city.screen, f"{link['href']}?area=510105")
    assert [row.th.text for row in rows.select("tbody tr")] == ["牡丹"]
    own = city.account_of_staff("area-1", "李工", "area_official", area_code="510105")
    city.session.commit()
    theirs = sign_in(another_client(), own)
    assert soup(theirs, f"{PAGE}?lang={language}").select_one(".five b").text == "1"
    assert [row.th.text for row in soup(theirs, link["href"]).select("tbody tr")] == ["牡丹"]
    assert theirs.get(f"{link['href']}?area=510104").status_code == 404


def test_the_page_asks_at_most_twelve_statements_and_reads_no_application(city, looking_seldom):
    city.screen.get(PAGE)
    with counted(city.session) as statements:
        city.screen.get(PAGE)
    own = [each for each in statements if "FROM application" in each or "FROM offer" in each or "FROM wish" in each]
    assert own == []
    assert len(statements) <= 12, statements


def test_the_calendar_shows_days_off_minima_and_areas(city):
    page = soup(city.screen, "/officials/2026/season?lang=zh")
    assert len(page.select("#calendar svg .rest")) > 20
    assert "公告至少 5 个工作日" in page.text
    assert page.select_one("#calendar + section tbody tr th").text == "锦江区"


def test_a_city_of_many_applications_costs_what_a_town_costs(city, looking_seldom):
    """Two hundred thousand applications stand in the tally as the few rows of their kindergartens."""
    city.session.execute(text("UPDATE season_tally SET n = n * 50000"))
    city.session.commit()
    city.screen.get(PAGE)
    with counted(city.session) as statements:
        page = soup(city.screen, PAGE)
    assert page.select_one(".five b").text.replace("\u202f", "").replace(" ", "") == "200000"
    assert len(statements) <= 12
