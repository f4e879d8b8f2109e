"""The eligibility check without an account: grounds, documents and priority at each kindergarten."""

import pytest
from bs4 import BeautifulSoup

from tests.support.prepared import prepared

LOCAL = {"level": "lower", "hukou_kind": "local", "hukou_area": "510104", "home_area": "510104", "home_owned": "no"}


@prepared
def two_areas(town):
    town.season()
    town.kindergarten("锦官新城幼儿园", places=50)
    town.kindergarten("小蜜蜂幼儿园", nature="inclusive", area="510107", places=30)
    town.policy("510104", family="whole_district")
    town.policy("510107", family="any_inclusive")
    town.open_registration(areas=["510104"])
    town.session.commit()
    return town


def main(page) -> str:
    return " ".join(BeautifulSoup(page.text, "lxml").find("main").get_text(" ").split())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_without_a_season_the_page_says_so(client, language):
    page = client.get("/check", query_string={"lang": language})
    assert page.status_code == 200
    assert "/help#papers" in page.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_home_page_leads_to_the_questions(client, two_areas, language):
    assert 'href="/check"' in client.get("/", query_string={"lang": language}).text
    page = client.get("/check", query_string={"lang": language})
    assert "govuk-error" not in page.text
    assert 'name="level"' in page.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ["本区户籍", "户口簿", "锦官新城幼儿园", "优先级 · 本区户籍", "开始登记"]),
        ("en", ["Local hukou", "锦官新城幼儿园", "Start registering"]),
    ],
)
def test_the_answers_give_grounds_papers_and_priorities(client, two_areas, language, words):
    text = main(client.get("/check", query_string=LOCAL | {"lang": language}))
    for each in words:
        assert each in text


def test_a_sibling_brings_the_area_of_its_kindergarten(client, two_areas):
    text = main(client.get("/check", query_string=LOCAL | {"elder_sibling": "小蜜蜂"}))
    assert "哥哥姐姐在该园就读" in text
    assert "武侯区" in text
    assert "小蜜蜂幼儿园" in text


def test_what_is_missing_is_named_beside_its_question_and_nothing_is_lost(client, two_areas):
    said = {"level": "lower", "hukou_kind": "local", "home_area": "", "home_estate": "麓山雅居"}
    page = client.get("/check", query_string=said)
    soup = BeautifulSoup(page.text, "lxml")
    assert soup.select_one("#hukou_area-error") is not None
    assert soup.select_one("#home_area-error") is not None
    assert soup.select_one("input[name=home_estate]")["value"] == "麓山雅居"
    assert soup.select_one("input[name=level][value=lower]").has_attr("checked")
    assert "优先级 ·" not in main(page)


def test_an_empty_form_is_told_what_it_lacks(client, two_areas):
    soup = BeautifulSoup(client.get("/check", query_string={"home_area": "", "multi_child": ""}).text, "lxml")
    assert [error["id"] for error in soup.select(".govuk-error-message")] == [
        "level-error",
        "hukou_kind-error",
        "home_area-error",
    ]


@pytest.mark.parametrize(
    ("odd", "field"),
    [
        ({"level": "university"}, "level"),
        ({"hukou_kind": "martian"}, "hukou_kind"),
        ({"home_area": "999999"}, "home_area"),
        ({"multi_child": "many"}, "multi_child"),
        ({"multi_child": "400"}, "multi_child"),
        ({"policy_care": "nobility"}, "policy_care"),
        ({"elder_sibling": "没有这所园"}, "elder_sibling"),
        ({"elder_sibling": "幼儿园"}, "elder_sibling"),
    ],
)
def test_an_odd_answer_is_told_next_to_its_question(client, two_areas, odd, field):
    page = client.get("/check", query_string=LOCAL | odd)
    assert page.status_code == 200
    assert BeautifulSoup(page.text, "lxml").select_one(f"#{field}-error") is not None


def test_nothing_of_the_answers_is_kept(client, two_areas):
    before = client.get("/check", query_string=LOCAL | {"home_estate": "麓山雅居"})
    assert "Set-Cookie" not in before.headers or "麓山" not in before.headers["Set-Cookie"]
    assert not two_areas.session.new
