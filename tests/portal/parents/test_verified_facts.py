"""The review's findings for a family: each finding with its reason, each register answer with its source and a dispute form."""

import pytest
from bs4 import BeautifulSoup

from enrollment.applications import register_answers
from enrollment.applications.register_answers import Answer
from enrollment.review import refusals
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in


@prepared
def ana(town, frozen_clock):
    town.here = town.kindergarten("锦官新城幼儿园", places=5)
    town.open_registration()
    family = town.family("李")
    town.agree_to_registers(family)
    ana = town.child("李沐晨", family=family, wishes=[town.here], grounds={"elder_sibling": town.here})
    answers = [
        Answer(ana.id, "hukou_area", "household_register", "matches", "510104"),
        Answer(ana.id, "home_place", "property", "differs", {"street": "春熙路街道"}),
    ]
    register_answers.note(town.session, answers, now=town.now)
    town.session.commit()
    return ana


@prepared
def parent(town, ana, client):
    return sign_in(client, town.parent_of(ana).account_id)


def main(response) -> str:
    return " ".join(BeautifulSoup(response.text, "lxml").find("main").get_text(" ").split())


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_registers_are_shown_with_source_and_date_and_can_be_disputed(ana, parent, portal_session, lang):
    path = f"/parents/applications/{ana.id}/findings"
    page = parent.get(f"{path}?lang={lang}")
    assert "春熙路街道" in main(page)
    assert ("不动产登记 5月22日" if lang == "zh" else "Property register 22 May") in main(page)
    assert fill_in(parent, path, f"{path}/home_place").status_code == 303
    portal_session.expire_all()
    assert register_answers.answers_of(portal_session, ana.id)["home_place"].disputed_at is not None
    again = main(parent.get(path))
    assert ("您已提出异议" if lang == "zh" else "You dispute this") in again


def test_a_disputed_answer_is_a_case_with_an_officer_a_date_and_a_letter(
    town, ana, parent, another_client, portal_engine, frozen_clock
):
    official = town.area_official(login="登记的人")
    town.session.commit()
    path = f"/parents/applications/{ana.id}/findings"
    long = fill_in(parent, path, f"{path}/home_place", **{"home_place-text": "长" * 201})
    assert long.status_code == 200 and "长" * 201 in long.text and "govuk-error-summary" in long.text
    sent = fill_in(parent, path, f"{path}/home_place", **{"home_place-text": "三月搬到锦江区"})
    receipt = sent.headers["Location"]
    assert "三月搬到锦江区" in main(parent.get(receipt)) and "前答复您" in main(parent.get(receipt))
    assert fill_in(parent, path, f"{path}/hukou_area").headers["Location"] == receipt, "one case of a family"
    officer = sign_in(another_client(), official.account_id)
    case = f"/officials/2026/cases/{receipt.rsplit('/', 1)[1]}"
    assert case in officer.get("/officials/2026/cases?kind=register_dispute").text
    shown = main(officer.get(case))
    assert "三月搬到锦江区" in shown and "春熙路街道" in shown and "不动产登记" in shown
    settled = {"outcome": "settled", "reason": "已转不动产登记", "sure": "y"}
    assert "写给家庭" in fill_in(officer, case, **settled).text
    assert fill_in(officer, case, answer="不动产登记已改，不用再跑。", **settled).status_code == 303
    told = main(parent.get(receipt))
    assert "不动产登记已改" in told and "下载结果通知书" in told
    letter = drawn_letter(parent, portal_engine, frozen_clock, f"{receipt}/outcome.pdf")
    assert letter.mimetype == "application/pdf"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_findings_are_shown_when_the_review_is_over_with_the_reason(town, ana, parent, frozen_clock, lang):
    path = f"/parents/applications/{ana.id}/findings?lang={lang}"
    clerk = town.clerk_takes(ana)
    town.session.commit()
    assert "证明材料不符" not in main(parent.get(path))
    town.clerk_confirms(ana, declined=["sibling_at"], by=clerk)
    town.session.commit()
    page = main(parent.get(path))
    assert "证明材料不符" in page
    assert ("未认定" if lang == "zh" else "Not recognised") in page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_refusal_names_its_rule_and_the_way_on(town, ana, parent, lang):
    proposal = town.clerk_proposes_refusal(ana, explanation="户口簿系伪造")
    refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.head_of(town.here), now=town.now)
    town.session.commit()
    page = main(parent.get(f"/parents/applications/{ana.id}/findings?lang={lang}"))
    assert "户口簿系伪造" in page
    assert ("服务热线" if lang == "zh" else "hotline") in page


def test_another_family_finds_nothing(town, ana, another_client):
    stranger = sign_in(another_client(), town.family("王").account.id)
    town.session.commit()
    assert stranger.get(f"/parents/applications/{ana.id}/findings").status_code == 404
