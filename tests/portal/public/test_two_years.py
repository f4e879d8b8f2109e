"""DRW01: where two admission years run, every public page says which one it shows and leads to the other."""

import io

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sqlalchemy import select

from enrollment.season import rounds
from portal.demo import time_travel
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.town_season import at

AREA = "510104"


@prepared
def two_years(town, frozen_clock):
    """2026 is drawn and children arrive until June 2027; 2027 takes registrations; 2028 is in preparation."""
    town.season(2026, arrival=(at(8, 20), at(6, 30, year=2027)))
    town.garden = town.kindergarten("金苹果幼儿园", places=1)
    town.family_of_both = town.family("李", phone="13900000001")
    town.placed = town.child("安娜", family=town.family_of_both, wishes=[town.garden])
    town.drawn(town.placed)
    town.confirm(town.placed)
    town.round_of_2026 = town.the_round
    town.at(at(4, 2, year=2027))
    town.season(2027)
    town.programme(town.garden, places=3, year=2027)
    town.round(name="2027 主批次")
    town.open_registration()
    town.prepared_season(2028)
    town.programme(town.garden, places=9, year=2028)
    more = {"opens_at": at(5, 21, year=2028), "closes_at": at(5, 29, year=2028), "confirm_by": at(6, 9, year=2028)}
    town.round_of_2028 = rounds.plan(
        town.session, 2028, name="2028 主批次", by=town.city_pair()[0], now=town.now, **more
    )
    town.at(at(5, 25, year=2027))
    frozen_clock.set(town.now)
    town.session.commit()
    return town


def links(page: str) -> list[tuple[str, str, bool]]:
    """The switch of the year: its texts, addresses, and which one is shown."""
    found = BeautifulSoup(page, "lxml").select("main nav[aria-label=招生年度] a")
    return [(link.get_text(), link["href"], link.get("aria-current") == "page") for link in found]


@pytest.mark.parametrize("path", ["/rules", f"/rules/{AREA}", "/kindergartens"])
def test_a_page_of_one_year_leads_to_the_other_and_never_to_the_one_in_preparation(two_years, client, path):
    assert links(client.get(path).text) == [
        ("2027 年秋季", f"{path}?year=2027", True),
        ("2026 年秋季", f"{path}?year=2026", False),
    ]
    assert [shown for _text, _href, shown in links(client.get(f"{path}?year=2026").text)] == [False, True]
    for year in (2028, 2031, 1):
        assert links(client.get(f"{path}?year={year}").text)[0][2], "an unknown year shows the main one"
        shown = BeautifulSoup(client.get(f"{path}?year={year}").text, "lxml").body.get_text()
        assert "2028" not in shown


def test_with_one_year_there_is_no_choice(client, town):
    town.kindergarten("金苹果幼儿园", places=1)
    town.open_registration()
    town.session.commit()
    for path in ("/rules", "/kindergartens", "/check", "/coverage"):
        assert links(client.get(path).text) == []


def test_the_search_keeps_its_words_and_its_year(two_years, client):
    page = client.get("/kindergartens?q=金苹果&year=2026&page=1").text
    shown = BeautifulSoup(page, "lxml")
    places = [each.dd.get_text() for each in shown.select(".four > div") if each.dt.get_text() == "小班学位"]
    assert places == ["1 个"], "the places of the year that is shown"
    assert links(page)[0][1].endswith("&year=2027") and "page=" not in links(page)[0][1]
    assert shown.select_one("form.find input[name=year]")["value"] == "2026"
    assert all("year=2026" in each["href"] for each in shown.select("main nav.chips a, main .areas a"))


def test_the_switch_of_the_year_keeps_every_kindergarten_in_the_comparison(two_years, client):
    other = links(client.get("/kindergartens?k=510104-A&k=510104-B&year=2026").text)[0][1]
    assert "k=510104-A&k=510104-B" in other


def test_a_kindergarten_shows_the_places_of_every_year_under_way(two_years, client):
    page = client.get(f"/kindergartens/{two_years.garden.code}").text
    assert page.index("2027 年秋季学位") < page.index("2026 年秋季学位") and "2028 年" not in page
    assert f"/rules/{AREA}?year=2026" in page and f"/rules/{AREA}?year=2027" in page


def test_the_rules_file_is_that_of_its_year(two_years, client):
    for year in (2026, 2027):
        page = BeautifulSoup(client.get(f"/rules/{AREA}?year={year}").text, "lxml")
        address = page.select_one("a[href$='toml'], a[href*='.toml?']")["href"]
        assert f"{year}" in client.get(address).text


def test_the_coverage_keeps_the_intake_of_this_year_until_the_next_one_has_results(two_years, client):
    assert [each[2] for each in links(client.get("/coverage").text)] == [False, True]
    assert "加上 2026 年已录取的 1 名" in client.get("/coverage").text
    assert "加上 2027 年已录取的 0 名" in client.get("/coverage?year=2027").text


def test_a_round_of_a_year_in_preparation_has_no_public_page(two_years, client):
    assert client.get(f"/draws/{two_years.round_of_2028.id}").status_code == 404
    assert client.get(f"/draws/{two_years.round_of_2026.id}").status_code == 200
    assert 'href="/draws"' in client.get("/").text, "the draws of 2026, while 2027 has none yet"


def test_drw01_staff_find_the_arrivals_of_the_year_in_which_children_come(two_years, client):
    """The next year's registration does not hide them, and what a clerk saves leads back to the same year."""
    sign_in(client, two_years.head_of(two_years.garden).account_id)
    two_years.session.commit()
    page = client.get("/staff/arrivals").text
    assert "2026 年秋季报到" in page and "安娜" in page
    form = BeautifulSoup(page, "lxml").select_one("form.kid")
    sent = {field["name"]: field.get("value", "") for field in form.select("input[type=hidden]")}
    answer = client.post(form["action"], data=sent | {"health": "y", "act": "check"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff/arrivals?year=2026&group=expected")


def test_letters_and_messages_of_a_family_with_two_years_name_the_right_one(
    two_years, client, portal_engine, frozen_clock
):
    town = two_years
    younger = town.child("安妮", family=town.family_of_both, year=2027, wishes=[town.garden])
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.family_of_both.account.id)
    for address, year, other in (
        (f"/parents/applications/{town.placed.id}/notice.pdf", "2026年秋季", "2027年秋季"),
        (f"/parents/applications/{younger.id}/receipts/1.pdf", "2027年秋季", "2026年秋季"),
    ):
        letter = drawn_letter(client, portal_engine, frozen_clock, address)
        text = "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(letter.get_data())).pages)
        assert year in text and other not in text, address
    page = client.get("/parents/messages?lang=zh", follow_redirects=True).text
    assert "2026 年秋季：派位结果" in page and "2027 年秋季：" in page
    assert "Autumn 2026: " in client.get("/parents/messages?lang=en", follow_redirects=True).text


def test_the_demo_clock_knows_the_announced_years_only(two_years):
    stops = time_travel.steps(two_years.session, two_years.now)
    assert {stop.year for stop in stops} == {2026, 2027}
    assert [stop.at for stop in stops] == sorted(stop.at for stop in stops)
    assert [stop.step for stop in stops if stop.next] == ["review"]
    assert two_years.session.scalars(select(rounds.Round).where(rounds.Round.year == 2028)).all()
