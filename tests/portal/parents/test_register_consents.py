"""A family agrees to each register by itself: on the page of the consent, and in the fold of the papers."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from enrollment.people import consents
from enrollment.people.consents import Register
from tests.portal.parents.desk import filled, page
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

TEXTS = Path(__file__).parents[3] / "portal/text/words/consents"


@prepared
def ana(client, town):
    garden = town.kindergarten("锦官园", places=5)
    town.open_registration()
    town.parents = town.family("安")
    ana = town.child("安娜", family=town.parents, wishes=[garden], submit=False)
    town.session.commit()
    sign_in(client, ana.entered_by)
    return ana


def agreed(town, ana) -> list[Register]:
    town.session.expire_all()
    return list(consents.registers_of(town.session, ana.entered_by))


@pytest.mark.parametrize(
    ("chosen", "given"),
    [
        ({"asking": "all"}, list(Register)),
        ({"asking": "some", "registers": ["property", "roll"]}, [Register.PROPERTY, Register.ROLL]),
        ({"asking": "none", "registers": ["property"]}, []),
        ({}, []),
    ],
)
def test_one_choice_agrees_to_all_or_none_or_leads_to_each(client, town, ana, chosen, given):
    sent = filled(client.get("/parents/consent"))
    sent.pop("asking", None)
    assert client.post("/parents/consent", data=sent | chosen).status_code == 303
    assert agreed(town, ana) == given
    shown = filled(client.get("/parents/consent"))
    assert shown["asking"] == ["all" if len(given) == len(Register) else "some" if given else "none"]
    assert shown.get("registers", []) == given


@pytest.mark.parametrize(("language", "told"), [("zh", "同意了 1 个，共 3 个"), ("en", "you agree to 1 of 3")])
def test_the_papers_page_offers_the_registers_that_hold_a_claim_and_shows_time_and_version(
    client, town, ana, language, told
):
    path = f"/parents/applications/{ana.id}/evidence?lang={language}"
    town.agree_to_registers(town.parents, Register.ROLL)
    town.session.commit()
    fold = page(client.get(path)).select_one("#registers")
    offered = [box["value"] for box in fold.select("input[type=checkbox]")]
    assert offered == ["household_register", "property", "vaccination"], (
        "nobody claimed a permit, a workplace or a sibling"
    )
    sent = filled(client.get(path), "#registers form") | {"registers": ["property"]}
    assert client.post(fold.form["action"], data=sent).headers["Location"].endswith("/evidence#registers")
    assert agreed(town, ana) == [Register.PROPERTY, Register.ROLL], "what was not shown stays as it is"
    fold = page(client.get(path)).select_one("#registers")
    assert told in fold.summary.get_text()
    assert "2026-1" in fold.get_text()
    account = BeautifulSoup(client.get("/parents/account").text, "lxml")
    assert [form["action"].split("/")[-2] for form in account.select("form[action*=consents]")] == [
        "ask_property",
        "ask_roll",
    ]


def test_the_consent_promises_nothing_else_than_what_notice_and_reminders_ask_for():
    """The kindergarten looks at the vaccination record of every child, whatever the register said."""
    for language, brings in (("zh", "请带上接种证"), ("en", "bring the vaccination record")):
        text = (TEXTS / f"ask_vaccination.{language}.txt").read_text("utf-8")
        assert brings in text and "可以不带" not in text and "need not" not in text
