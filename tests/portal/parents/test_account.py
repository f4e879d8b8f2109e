"""A family's account: what it agreed to, what it takes back by itself, and closing it when nothing is under way."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.ground.accounts import Account
from enrollment.ground.audit import AuditEntry
from enrollment.ground.sign_in import WebSession
from enrollment.people import consents
from tests.portal.parents.desk import page, summary
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

LANGUAGES = ["zh", "en"]
CLOSE = "/parents/account/close"


@prepared
def garden(town):
    found = town.kindergarten("金苹果", places=2)
    town.open_registration()
    return found


@prepared
def family(client, town, garden):
    found = town.family("李")
    town.agree_to_registers(found)
    town.session.commit()
    sign_in(client, found.account)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_account_shows_its_consents_and_leads_on(client, family, language):
    shown = client.get(f"/parents/account?lang={language}")
    links = {link["href"] for link in page(shown).select("main a")}
    assert {CLOSE, "/parents/consent/withdraw"} <= links
    assert page(shown).select_one('form[action="/parents/data/download"]') is not None


def test_the_registers_are_asked_no_more_after_one_click(client, town, family):
    action = "/parents/account/consents/ask_property/withdraw"
    assert fill_in(client, "/parents/account", action=action).status_code == 303
    town.session.expire_all()
    left = set(consents.Register) - {consents.Register.PROPERTY}
    assert set(consents.registers_of(town.session, family.account.id)) == left
    assert consents.current_consent(town.session, consents.CHILD_DATA, by=family.actor) is not None
    assert page(client.get("/parents/account")).select_one(f'form[action="{action}"]') is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_application_under_way_keeps_the_account_open_and_says_so(client, town, garden, family, language):
    ana = town.child("安娜", family=family, wishes=[garden])
    town.session.commit()
    shown = client.get(f"{CLOSE}?lang={language}")
    assert "安娜" in page(shown).main.get_text()
    assert page(shown).select("main form") == []
    refused = client.post(CLOSE, data=tokens_of(client.get("/parents/account")))
    assert "安娜" in " ".join(summary(refused))
    town.session.expire_all()
    assert town.session.get(Account, family.account.id).disabled_at is None
    assert town.session.get(Application, ana.id).stage == "submitted"


def tokens_of(answer) -> dict[str, str]:
    return {"csrf_token": page(answer).select_one("main [name=csrf_token]")["value"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_closing_takes_back_drafts_and_consents_and_ends_every_session(client, town, garden, family, language):
    draft = town.child("安娜", family=family, wishes=[garden], submit=False)
    town.session.commit()
    client.get(f"{CLOSE}?lang={language}")
    answer = fill_in(client, CLOSE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    town.session.expire_all()
    assert town.session.get(Account, family.account.id).disabled_at is not None
    assert town.session.get(Application, draft.id).stage == "withdrawn"
    assert consents.current_consent(town.session, consents.CHILD_DATA, by=family.actor) is None
    mine = select(WebSession.digest).where(WebSession.account_id == family.account.id)
    assert town.session.scalars(mine).all() == []
    told = select(AuditEntry.account_id).where(AuditEntry.act == "close_account")
    assert town.session.scalars(told).all() == [family.account.id]
    assert {"zh": "账户已关闭", "en": "The account is closed"}[language] in client.get("/").text
    assert client.get("/parents/account").status_code == 303


def test_a_season_that_is_over_keeps_no_account_open(client, town, garden, family, frozen_clock):
    town.child("安娜", family=family, wishes=[garden])
    town.at(dt.datetime(2027, 1, 10, tzinfo=dt.UTC))
    frozen_clock.set(town.now)
    town.session.commit()
    assert fill_in(client, CLOSE).headers["Location"] == "/"
