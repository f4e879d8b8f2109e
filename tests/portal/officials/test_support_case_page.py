"""The page of an Article 17 case says how the proposal to refuse the child ended, while the case itself stays open."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup

from enrollment.review import refusals, support_cases
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

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
