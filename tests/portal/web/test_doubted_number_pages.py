"""ADR 58: what a browser sees after the code of a number that the carrier may have given to another person."""

import datetime as dt
import re
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import delete, select, update

from enrollment.applications.guardian_access import desk_access, doubted_phones, phone_change_course
from enrollment.ground.accounts import Account
from enrollment.ground.outbox import TextMessage
from enrollment.ground.sign_in import OneTimeCode
from enrollment.people.desk_rows import PhoneChange
from enrollment.people.person_rows import Guardian
from enrollment.season.rules import PHONE_DOUBT_DAYS
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in


@prepared
def family(town, client):
    town.garden = town.kindergarten("锦官园", places=1)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.mother = town.session.get_one(Account, town.ana.entered_by)
    town.mother.created_at = town.now - dt.timedelta(days=PHONE_DOUBT_DAYS + 1)
    town.guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.id)).one()
    town.session.commit()
    return town


def enter_code(client, town):
    town.session.execute(delete(TextMessage))
    town.session.execute(delete(OneTimeCode))
    town.session.commit()
    fill_in(client, "/sign-in", phone=town.mother.phone)
    found = town.session.scalars(select(TextMessage)).one()
    return fill_in(client, "/sign-in/code", code=re.search(r"\d{6}", found.body).group())


@pytest.fixture(autouse=True)
def in_production(app, monkeypatch):
    """The demo shows the answer to its visitors."""
    real = app.extensions["services"]
    monkeypatch.setitem(app.extensions, "services", replace(real, config=replace(real.config, demo=False)))


def main_of(page):
    return BeautifulSoup(page.text, "lxml").main.get_text(" ", strip=True)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_new_holder_of_a_number_sees_nothing_and_learns_when_to_come_back(family, client, another_client, language):
    town = family
    client.get(f"/sign-in?lang={language}")
    assert enter_code(client, town).headers["Location"] == "/sign-in/question"
    shown = main_of(client.get("/sign-in/question"))
    for secret in (town.guardian.name, town.ana.child.name, town.ana.registration_code, town.guardian.id_number[-4:]):
        assert secret not in shown
    assert client.get("/parents").headers["Location"].startswith("/sign-in"), "nobody is signed in"
    wrong = fill_in(client, "/sign-in/question", document_end="000Y")
    assert ("不一致" if language == "zh" else "differs") in main_of(wrong)
    answer = fill_in(client, "/sign-in/question", action="/sign-in/question/never")
    assert answer.headers["Location"] == "/sign-in/question/wait"
    assert ("以后再来" if language == "zh" else "Come back after") in main_of(client.get("/sign-in/question/wait"))
    assert client.get("/sign-in/question").headers["Location"] == "/sign-in", "one code, one question"

    elsewhere = sign_in(another_client(), town.mother)
    assert "从未用它登记" in main_of(elsewhere.get("/parents/phone"))
    assert "是自己的" in main_of(elsewhere.get("/parents"))
    assert fill_in(elsewhere, "/parents/phone", action="/parents/phone/stop").status_code == 303
    assert town.session.scalars(select(PhoneChange.outcome)).all() == ["stopped"]


def test_the_guardian_on_a_new_telephone_answers_once_and_is_known_then(family, client, another_client):
    town = family
    assert enter_code(client, town).headers["Location"] == "/sign-in/question"
    assert (
        fill_in(client, "/sign-in/question", document_end=town.guardian.id_number[-4:]).headers["Location"]
        == "/parents"
    )
    assert client.get("/parents").status_code == 200
    client.delete_cookie("session", domain="localhost")
    town.session.execute(update(Account).values(phone_proven_at=None))
    town.session.commit()
    assert enter_code(client, town).headers["Location"] == "/parents", "this browser has signed in with the number"
    town.session.execute(update(Account).values(phone_proven_at=None))
    town.session.commit()
    assert enter_code(another_client(), town).headers["Location"] == "/sign-in/question"


def test_who_objects_at_a_desk_after_the_waiting_time_is_not_told_that_it_was_stopped(family, client):
    town = family
    clerk = town.clerk_of(town.garden)
    doubted_phones.begin(town.session, town.mother, now=town.now)
    release = doubted_phones.disclaim(town.session, town.mother, now=town.now)
    desk_access.check_identity(
        town.session, town.ana.id, town.mother.id, document_kind="resident", document_end=town.guardian.id_number[-4:],
        purpose="desk", by=clerk, now=town.now,
    )  # fmt: skip
    town.session.commit()
    sign_in(client, clerk.account_id)
    page = f"/staff/desk/{town.ana.id}/{town.mother.id}"
    stale = hidden_fields(client.get(page).text, f"{page}/phone/keep")
    assert phone_change_course.end_waiting_times(town.session, now=release.effective_at)
    town.session.commit()
    assert client.post(f"{page}/phone/keep", data=stale).status_code == 303
    shown = client.get(page).text
    assert "没有可以停止的" in shown
    assert "号码仍属于这位监护人" not in shown
