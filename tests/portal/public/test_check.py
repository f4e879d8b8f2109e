"""The eligibility check without an account: grounds, documents and priority at each kindergarten."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import delete, func, select

from enrollment.eligibility.claims import Claim
from enrollment.people.household_rows import Household
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

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


def answer(client, page, **said):
    """Send the question of a page with these answers: what a browser would ask next."""
    form = BeautifulSoup(page.text, "lxml").select_one("main form[method=get]")
    kept = {each["name"]: each["value"] for each in form.select("input[type=hidden]")}
    asked = {each["name"]: "" for each in form.select("select, input[type=text], input:not([type])")}
    return client.get("/check", query_string={**kept, **asked, **said}, follow_redirects=True)


def title(page) -> str:
    return BeautifulSoup(page.text, "lxml").find("h1").get_text(strip=True)


def test_one_screen_asks_one_question_and_keeps_the_answers_before(client, two_areas):
    page = client.get("/check", query_string={"lang": "zh"})
    assert "第 1 题，共 6 题" in main(page)
    again = answer(client, page)
    assert BeautifulSoup(again.text, "lxml").select_one("#level-error") is not None
    assert BeautifulSoup(again.text, "lxml").select(".govuk-error-message")[1:] == [], "not yet asked, not yet missing"
    page = answer(client, page, level="lower")
    assert title(page) == "户籍"
    page = answer(client, page, hukou_kind="local", hukou_area="510104")
    assert title(page) == "住址"
    back = BeautifulSoup(page.text, "lxml").find("a", string="上一题")["href"]
    before = BeautifulSoup(client.get(back).text, "lxml")
    assert before.select_one("input[name=hukou_kind][value=local]").has_attr("checked")
    page = answer(client, page, home_area="510104", home_owned="no")
    page = answer(client, page, work_area="510107")
    page = answer(client, page, multi_child="2")
    page = answer(client, page, policy_care="")
    text = main(page)
    assert "您家符合的优先依据" in text
    assert "多子女" in text
    change = BeautifulSoup(page.text, "lxml").select("main .card .list a[href*=change]")[1]["href"]
    page = answer(client, client.get(change), hukou_kind="elsewhere", hukou_area="")
    assert "您家符合的优先依据" in main(page), "after one change the result, not every question again"
    assert "本区户籍" not in main(page)


def test_the_answers_are_taken_along_unsaved(client, two_areas):
    """They fill the pages; nothing is a claim before the family saves them, and then they are gone."""
    family = two_areas.family("陈")
    draft = two_areas.child("陈一", family=family)
    for table in (Claim, Household):
        two_areas.session.execute(delete(table))
    two_areas.session.commit()
    said = LOCAL | {"home_estate": "麓山雅居", "multi_child": "2", "elder_sibling": "小蜜蜂"}
    page = client.get("/check", query_string=said)
    posted = hidden_fields(page.text, "/check")
    assert posted["home_estate"] == "麓山雅居"
    assert client.post("/check", data=posted).headers["Location"] == "/parents"
    with client.session_transaction() as kept:
        sealed = kept["check_answers"]
    assert "麓山" not in sealed
    sign_in(client, family.account, check_answers=sealed)
    path = f"/parents/applications/{draft.id}"
    shown = client.get(f"{path}/household").text
    assert "按您在“我需要什么”里的回答填好" in shown
    assert 'value="麓山雅居"' in shown
    grounds = client.get(f"{path}/grounds").text
    assert BeautifulSoup(grounds, "lxml").select_one("input[name=multi_child]").has_attr("checked")
    assert 'value="小蜜蜂"' in grounds
    stored = select(func.count()).select_from
    assert two_areas.session.scalar(stored(Claim)) == 0
    assert two_areas.session.scalar(stored(Household)) == 0
    assert fill_in(client, f"{path}/household", **LOCAL, home_estate="麓山雅居").status_code == 303
    assert "我需要什么" not in client.get(f"{path}/household").text
    assert "我需要什么" in client.get(f"{path}/grounds").text
    assert fill_in(client, f"{path}/grounds").status_code == 303
    assert "我需要什么" not in client.get(f"{path}/grounds").text, "what the family took out stays out"
