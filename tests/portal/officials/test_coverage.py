"""The officials' page of the two shares: the same figures, down to the kindergarten."""

import csv
import io

import pytest
from bs4 import BeautifulSoup

from tests.support.counted_city import CountedCity
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in


@prepared
def city(town, portal_session):
    city = CountedCity(portal_session)
    city.targets()
    city.large = city.kindergarten("public", {"lower": 30}, name="大园")
    city.small = city.kindergarten("private", {"lower": 70, "nursery": 5}, name="小园")
    return city


@prepared
def official(client, town, city):
    account = town.account_of_staff("city-1", "周工", "city_official")
    town.session.commit()
    return sign_in(client, account)


def test_nobody_else_sees_the_page(client, city, portal_session):
    portal_session.commit()
    assert client.get("/officials/2026/coverage").status_code == 303


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_city_shows_the_areas_that_are_farthest_from_the_target(official, language):
    page = official.get("/officials/2026/coverage", query_string={"lang": language})
    assert page.status_code == 200
    assert "30.00%" in page.text
    assert "/officials/2026/coverage/510104" in page.text


def test_an_area_shows_its_kindergartens_the_largest_first(official, city):
    page = official.get("/officials/2026/coverage/510104").text
    assert page.index("小园") < page.index("大园")
    assert "70.0%" in page


def test_the_switches_reach_the_kindergartens(official, city):
    assert ">75<" in official.get("/officials/2026/coverage/510104", query_string={"nursery": "y"}).text


def test_an_area_that_does_not_exist_is_not_found(official):
    assert official.get("/officials/2026/coverage/999999").status_code == 404


def test_an_area_without_kindergartens_says_so(official):
    assert "这个区域还没有幼儿园" in official.get("/officials/2026/coverage/GXQ").text


def rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def test_off05_the_file_of_an_area_says_what_a_kindergarten_is_and_judges_none(official, city):
    """OFF05: a single kindergarten has a nature and classes; the targets are those of the area."""
    city.kindergarten("public", {"upper": 3}, name="附小", attached=True)
    answer = official.get("/officials/2026/coverage/510104.csv")
    assert answer.mimetype == "text/csv"
    lines = rows(answer)
    assert not [head for head in lines[0] if "达标" in head or "还差" in head or "目标" in head]
    told = [
        (one["幼儿园"], one["性质"], one["附设幼儿班"], one["托班在园"], one["小班在园"], one["大班在园"])
        for one in lines
    ]
    small, large, attached = told
    assert small == ("小园", "其他民办", "否", "—", "70", "0")
    assert large == ("大园", "公办", "否", "—", "30", "0")
    assert attached == ("附小", "公办", "是", "—", "0", "3")
    with_nursery = rows(
        official.get("/officials/2026/coverage/510104.csv", query_string={"nursery": "y", "lang": "en"})
    )[0]
    assert (with_nursery["Children"], with_nursery["Type"]) == ("75", "Other private")


def test_off03_the_file_of_an_area_is_refused_in_words_too(official):
    answer = official.get("/officials/2026/coverage/510104.csv", query_string={"on": "2030-01-01"})
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "2025年9月1日" in answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_off04_an_area_with_kindergartens_and_no_roll_says_what_is_missing(official, city, language):
    city.kindergarten("public", area_code="GXQ", name="空园")
    page = official.get("/officials/2026/coverage/GXQ", query_string={"lang": language}).text
    assert {"zh": "这个区域还没有在园名册", "en": "This area has no roll yet"}[language] in page
    assert 'href="/officials/2026/imports"' in page


def test_drw07_after_the_intake_reads_a_dash_until_a_run_is_published(official, city, portal_session):
    """Before that, the figure would count the leavers and no new class."""
    pages = ("/coverage?lang=zh", "/officials/2026/coverage?lang=zh")
    for page in pages:
        shown = official.get(page).text
        assert "· 2026 年招生后 <b>" not in shown
        assert "2026 年的派位结果还没有公布，公布以后才列出这一项" in shown
        assert "招生后公办" not in shown, "no column of which nobody knows anything"
    assert ",—,—,—," in official.get("/coverage.csv?lang=zh").text
    heads = BeautifulSoup(official.get("/officials/2026/coverage/510104").text, "lxml").select("main thead th")
    assert "招生后" not in {head.text for head in heads}
    city.round.stage = "published"
    portal_session.commit()
    for page in pages:
        shown = official.get(page).text
        assert "· 2026 年招生后 <b>" in shown
        assert "公布以后才列出这一项" not in shown
    heads = BeautifulSoup(official.get("/officials/2026/coverage/510104").text, "lxml").select("main thead th")
    assert "招生后" in {head.text for head in heads}
    assert "招生后公办" in official.get(pages[0]).text


REFUSED = {
    "public.coverage_csv": ("/coverage.csv?on=2030-01-01", 400),
    "officials.coverage_of_an_area_csv": ("/officials/2026/coverage/510104.csv?on=2030-01-01", 400),
    "officials.policy_trial_csv": ("/officials/2026/policies/510104/99/trial.csv", 404),
}
"""For each file of the public and of officials an address that asks for what does not exist."""


def test_off03_no_file_answers_with_other_figures_than_those_asked_for(app, official):
    """A new file has to say here what it refuses."""
    files = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.endswith(".csv") and rule.endpoint.split(".")[0] in ("public", "officials")
    }
    assert files == REFUSED.keys()
    for address, status in REFUSED.values():
        answer = official.get(address)
        assert (answer.status_code, answer.mimetype) == (status, "text/html"), address
        assert "Content-Disposition" not in answer.headers
