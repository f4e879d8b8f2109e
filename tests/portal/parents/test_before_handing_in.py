"""What a family reads while nothing is handed in: no code where there is none, and what a missing paper leads to."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.eligibility import evidence, required_documents
from enrollment.people.person_rows import Guardianship
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.town_helping import photo_of_a_paper


@prepared
def drafts(client, town):
    """Twins that are bound but not handed in; their mother is signed in."""
    garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    both = town.twins("安娜", "本本", wishes=[garden], submit=False)
    town.bind(*both)
    sign_in(client, both[0].entered_by)
    return both


def main_of(client, path: str) -> str:
    return BeautifulSoup(client.get(path).text, "lxml").main.get_text(" ", strip=True)


@pytest.mark.parametrize(
    ("language", "bound", "coded"),
    [("zh", "一份志愿，一起录取。", "登记编号："), ("en", "placed together.", "Registration code: ")],
)
def test_fam01_a_message_names_codes_only_where_there_are_any(client, town, drafts, language, bound, coded):
    before = main_of(client, f"/parents/messages?lang={language}")
    assert bound in before and coded not in before and "—" not in before
    town.submit(drafts[0])
    town.separate(drafts[0])
    town.session.commit()
    after = main_of(client, "/parents/messages")
    assert f"{coded}{drafts[0].registration_code}" in after.replace(f"{coded} ", coded)


def test_fam01_a_withdrawn_draft_has_no_code_in_its_message(client, town, drafts):
    town.separate(drafts[0])
    town.withdraw(drafts[0])
    town.session.commit()
    told = main_of(client, "/parents/messages")
    assert "撤回了申请 （未提交）" in told and "—" not in told


def test_fam10_a_missing_proof_of_guardianship_is_not_said_to_be_a_ground(client, town, drafts):
    path = f"/parents/applications/{drafts[0].id}/evidence"
    of_a_ground, of_a_guardian = "没有材料的依据，审核时不能认定。", "没有监护证明的，审核时会请您补交"
    assert of_a_ground in main_of(client, path) and of_a_guardian not in main_of(client, path)
    for each in town.session.scalars(select(Guardianship).where(Guardianship.child_id == drafts[0].child_id)):
        each.relation = "grandparent"
    town.session.commit()
    assert of_a_guardian in main_of(client, path)


def test_fam10_whoever_asks_to_remove_a_guardian_is_listed_as_oneself(client, town, drafts):
    town.second_guardian(drafts[0], "王")
    town.session.commit()
    page = BeautifulSoup(client.get(f"/parents/applications/{drafts[0].id}/guardians/remove").text, "lxml")
    listed = [each.get_text(strip=True) for each in page.select("main .govuk-radios__label")]
    assert sorted(each.startswith("您（") for each in listed) == [False, True]


def test_after_handing_in_the_missing_papers_are_the_one_act_and_then_nothing_is(client, town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.session.commit()
    sign_in(client, ana.entered_by)
    papers = f"/parents/applications/{ana.id}/evidence"
    home = BeautifulSoup(client.get("/parents").text, "lxml")
    card = home.select_one("section.card.now")
    assert "份材料没有上传" in card.h2.get_text() and "截止" in card.select_one(".left").get_text()
    assert (card.select_one("a.btn").get_text(), card.select_one("a.btn")["href"]) == ("去拍照上传", papers)
    assert "都好了" not in home.get_text()
    assert "前都可以补。" in main_of(client, papers) and "先提交" not in main_of(client, papers)
    onward = BeautifulSoup(client.get(papers).text, "lxml").select_one(".sticky a")
    assert (onward.get_text(), onward["href"]) == ("回到我的申请", f"/parents/applications/{ana.id}")
    by = town.parent_of(ana)
    for each in required_documents.needed(town.session, ana):
        photo = [photo_of_a_paper()]
        evidence.add_pages(town.session, ana.id, each.document.value, photo, by=by, now=town.now)
    town.session.commit()
    done = main_of(client, "/parents")
    assert "都好了，6月5日看结果" in done and "没有上传" not in done


def test_a_paper_of_a_draft_leads_on_to_the_next_page_by_its_name(client, town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)], submit=False)
    town.session.commit()
    sign_in(client, ana.entered_by)
    shown = BeautifulSoup(client.get(f"/parents/applications/{ana.id}/evidence").text, "lxml")
    assert shown.select_one(".sticky a").get_text() == "继续：检查并提交", "its wishes are chosen"
