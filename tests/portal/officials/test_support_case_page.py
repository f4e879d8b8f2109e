"""The page of an Article 17 case says how the proposal to refuse the child ended, while the case itself stays open."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.review import refusals, support_cases
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

SAID = {
    "lapsed": ("家长改了申请", "The family changed the application"),
    "given_back": ("第二人没有同意", "The second person did not agree"),
    "withdrawn": ("家长撤回了申请", "The family withdrew the application"),
}


@prepared
def proposed(town):
    """A clerk has proposed to refuse Ana, who has a disability; registration goes on for a day."""
    town.here, town.there = (town.kindergarten(name, places=5) for name in ("锦官园", "蜜蜂园"))
    town.open_registration()
    town.ana = town.child("安娜", wishes=[town.here], grounds={"special_need": True, "multi_child": 3})
    town.proposal = town.clerk_proposes_refusal(town.ana, explanation="地址与登记不符")
    town.the_round.closes_at = town.now + dt.timedelta(days=1)
    town.session.flush()
    return town


def end(town, how: str) -> None:
    if how == "lapsed":
        town.claim(town.ana, {"special_need": True, "multi_child": 2})
    elif how == "withdrawn":
        town.withdraw(town.ana)
    else:
        head = town.head_of(town.here)
        refusals.decide_refusal(town.session, town.proposal.id, upheld=False, note="再看", by=head, now=town.now)


def case_of(town):
    town.session.rollback()
    return support_cases.of_application(town.session, town.ana.id)


def remarks(client, town, lang: str) -> list[str]:
    town.session.commit()
    case = support_cases.of_application(town.session, town.ana.id)
    answer = client.get(f"/officials/2026/cases/{case.id}/support?lang={lang}")
    assert answer.status_code == 200
    return [each.get_text(strip=True) for each in BeautifulSoup(answer.text, "lxml").main.select(".says.warn")]


@pytest.mark.parametrize("how", SAID)
def test_the_official_reads_how_the_proposal_ended(proposed, client, frozen_clock, how):
    town = proposed
    frozen_clock.set(town.now)
    sign_in(client, town.area_official().account_id)
    assert remarks(client, town, "zh") == [], "a proposal waits for the decision"
    end(town, how)
    for lang, words in zip(("zh", "en"), SAID[how], strict=True):
        (said,) = remarks(client, town, lang)
        assert said.startswith(words)


def test_a_new_proposal_waits_for_the_decision_again(proposed, client, frozen_clock):
    town = proposed
    frozen_clock.set(town.now)
    sign_in(client, town.area_official().account_id)
    end(town, "lapsed")
    assert len(remarks(client, town, "zh")) == 1
    town.at(town.now + dt.timedelta(hours=1))
    town.clerk_proposes_refusal(town.ana, explanation="材料是别人的")
    assert remarks(client, town, "zh") == []


def test_the_case_of_a_withdrawn_application_ends_without_an_invented_assessment(proposed, client, frozen_clock):
    """Every guardian is told why; the report counts it apart, and a refusal that is proposed later opens a new case."""
    town = proposed
    frozen_clock.set(town.now)
    official = town.area_official()
    sign_in(client, official.account_id)
    case = support_cases.of_application(town.session, town.ana.id)
    town.session.commit()
    page = f"/officials/2026/cases/{case.id}/support"
    assert "不评估" not in client.get(page).text, "the family still asks for a place"
    early = client.post(f"{page}/withdrawn", data=hidden_fields(client.get(page).text) | {"explanation": "问过了"})
    assert "家长没有撤回申请" in early.text

    end(town, "withdrawn")
    town.session.commit()
    empty = fill_in(client, page, f"{page}/withdrawn", explanation="  ")
    assert "请写明原因" in empty.text and case_of(town).settled_at is None
    done = fill_in(client, page, f"{page}/withdrawn", explanation="6 月 1 日电话问过妈妈，孩子随爷爷奶奶回老家上园。")
    assert done.status_code == 303
    found = case_of(town)
    assert (found.outcome, found.decision, found.assessed_on, found.assessment) == ("withdrawn", None, None, None)
    shown = client.get(page).text
    assert "没有评估" in shown and "回老家" in shown and "<form" not in BeautifulSoup(shown, "lxml").main.decode()

    told = town.session.scalars(select(Notice).where(Notice.kind == "support_case_withdrawn")).all()
    assert [each.account_id for each in told] == [town.ana.entered_by]
    sign_in(client, town.ana.entered_by)
    assert "回老家" in client.get(f"/parents/cases/{found.id}").text


def test_a_child_that_comes_again_has_a_new_case(proposed):
    town = proposed
    official = town.area_official()
    case = support_cases.of_application(town.session, town.ana.id)
    with pytest.raises(Refused, match="application_not_withdrawn"):
        support_cases.close_withdrawn(town.session, case.id, explanation="问过了", by=official, now=town.now)
    end(town, "withdrawn")
    support_cases.close_withdrawn(town.session, case.id, explanation="问过了", by=official, now=town.now)
    with pytest.raises(Refused, match="case_is_settled"):
        support_cases.close_withdrawn(town.session, case.id, explanation="问过了", by=official, now=town.now)
    assert support_cases.of_application(town.session, town.ana.id).decision is None
    with pytest.raises(Refused, match="support_case_undecided"):
        support_cases.require_decided(town.session, town.ana.id)
