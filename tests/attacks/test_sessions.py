"""Stolen, fixated, revived or foreign sessions give no access."""

import datetime as dt
import json
import threading

import pyotp
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enrollment.ground import sign_in as doors
from enrollment.ground.accounts import RoleGrant
from enrollment.ground.sign_in import WebSession
from portal.web import clock
from portal.web.sessions import digest_of
from tests.portal.web.test_signing_in import newest_code
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

PHONE = "13977770001"
PASSWORD = "a long enough password"


@prepared
def official(portal_session, town):
    account = doors.create_staff_account(
        portal_session, "attack.wei", "何处", PASSWORD, [RoleGrant(role="city_official")], now=town.now
    )
    portal_session.commit()
    return account


def test_a_session_that_was_signed_out_is_not_revived_by_a_request_under_way(
    client, whole_app, portal_session, official
):
    """A slow request reads its session before the sign-out and saves it afterwards."""
    sign_in(client, official)
    key = client.get_cookie("session").value
    interface = whole_app.session_interface
    with whole_app.test_request_context("/officials/2026", headers={"Cookie": f"session={key}"}) as slow:
        under_way = interface.open_session(whole_app, slow.request)
        page = client.get("/officials/2026")
        client.post("/sign-out", data=hidden_fields_of_sign_out(page))
        under_way["something"] = "new"
        answer = whole_app.response_class()
        interface.save_session(whole_app, under_way, answer)
    portal_session.rollback()
    assert portal_session.get(WebSession, digest_of(key)) is None
    assert "session=" not in answer.headers.get("Set-Cookie", "")


def hidden_fields_of_sign_out(page) -> dict[str, str]:
    from bs4 import BeautifulSoup

    form = BeautifulSoup(page.text, "lxml").select_one('form[action="/sign-out"]')
    return {field["name"]: field["value"] for field in form.select("input[type=hidden]")}


def test_a_key_that_an_attacker_planted_is_not_the_key_after_signing_in(client, portal_session, town):
    client.set_cookie("session", "planted-by-the-attacker", domain="localhost")
    fill_in(client, "/sign-in", phone=PHONE)
    planted = client.get_cookie("session").value
    assert planted != "planted-by-the-attacker"
    fill_in(client, "/sign-in/code", code=newest_code(portal_session))
    assert client.get_cookie("session").value != planted
    client.set_cookie("session", planted, domain="localhost")
    assert client.get("/parents").headers["Location"].startswith("/sign-in")


def test_the_phone_of_a_code_request_is_not_stored_in_plain_text(client, portal_session, town):
    fill_in(client, "/sign-in", phone=PHONE)
    rows = portal_session.scalars(select(WebSession.data)).all()
    assert rows
    assert PHONE not in json.dumps(rows)


def test_entered_values_are_not_shown_to_another_person_at_the_same_computer(client, portal_session, town):
    """A session expires while one person enters values; another person signs in with the same browser."""
    sign_in(client, town.family("甲").account)
    body = hidden_fields(client.get("/parents/guardian").text) | {"name": "泄漏甲", "id_number": "510104199001011234"}
    portal_session.execute(text("UPDATE web_session SET expires_at = created_at"))
    assert client.post("/parents/guardian", data=body).status_code == 303
    other = town.family("乙")
    fill_in(client, "/sign-in", phone=other.phone)
    fill_in(client, "/sign-in/code", code=newest_code(portal_session))
    page = client.get("/parents/guardian").text
    assert "泄漏甲" not in page
    assert "510104199001011234" not in page


def test_a_form_that_another_site_posted_is_not_kept_for_the_reader(client, portal_session, town):
    """Without the cookie the account is unknown; otherwise a foreign site could prefill the reader's form."""
    family = town.family("甲")
    portal_session.commit()
    answer = client.post("/parents/guardian", data={"name": "攻击者填的名字"})
    assert answer.status_code == 303
    fill_in(client, "/sign-in", phone=family.phone)
    fill_in(client, "/sign-in/code", code=newest_code(portal_session))
    assert "攻击者填的名字" not in client.get("/parents/guardian").text


def test_entered_values_are_restored_for_the_same_person(client, portal_session, town):
    family = town.family("甲")
    sign_in(client, family.account)
    body = hidden_fields(client.get("/parents/guardian").text) | {"name": "写到一半"}
    portal_session.execute(text("UPDATE web_session SET expires_at = created_at"))
    client.post("/parents/guardian", data=body)
    fill_in(client, "/sign-in", phone=family.phone)
    fill_in(client, "/sign-in/code", code=newest_code(portal_session))
    assert "写到一半" in client.get("/parents/guardian").text


def test_an_account_that_was_closed_after_its_password_does_not_pass_the_second_factor(
    client, portal_session, official
):
    fill_in(client, "/sign-in/staff", login="attack.wei", password=PASSWORD)
    official.disabled_at = clock.real_now()
    portal_session.commit()
    code = pyotp.TOTP(official.second_factor).now()
    answer = fill_in(client, "/sign-in/staff/code", code=code)
    assert answer.status_code == 200 or answer.headers["Location"].startswith("/sign-in")
    assert portal_session.scalars(select(WebSession).where(WebSession.account_id == official.id)).all() == []


def test_a_second_factor_code_is_valid_once(client, another_client, portal_session, official):
    code = pyotp.TOTP(official.second_factor).now()
    for browser, opens in ((client, True), (another_client(), False)):
        fill_in(browser, "/sign-in/staff", login="attack.wei", password=PASSWORD)
        answer = fill_in(browser, "/sign-in/staff/code", code=code)
        assert (answer.status_code == 303) is opens


def test_a_second_factor_code_used_twice_at_once_is_valid_once(race, now):
    with Session(race.engine) as session:
        account = doors.create_staff_account(session, "twice", "何", PASSWORD, [RoleGrant(role="auditor")], now=now)
        session.commit()
        account_id, code = account.id, pyotp.TOTP(account.second_factor).at(now)
    said = race.at_once(*[lambda s: doors.check_second_factor(s, account_id, code, at=now)] * 4)
    assert sorted(map(str, said)) == ["False", "False", "False", "True"]


def test_a_role_that_was_taken_away_ends_with_the_next_click(client, portal_session, official):
    sign_in(client, official)
    assert client.get("/officials/2026/rounds").status_code == 200
    portal_session.delete(official.grants[0])
    portal_session.commit()
    assert client.get("/officials/2026/rounds").status_code == 403


def test_a_staff_account_cannot_sign_in_with_a_text_message(client, portal_session, official):
    """A phone number in a staff account does not allow sign-in with a text message."""
    from enrollment.ground.vault import blind_index

    official.phone, official.phone_index = PHONE, blind_index(PHONE, "phone")
    portal_session.commit()
    fill_in(client, "/sign-in", phone=PHONE)
    fill_in(client, "/sign-in/code", code=newest_code(portal_session))
    assert client.get("/officials/2026").status_code in (303, 403)


def test_a_closed_account_looks_like_an_unknown_one(client, portal_session, official):
    wrong = fill_in(client, "/sign-in/staff", login="attack.wei", password="wrong").text
    unknown = fill_in(client, "/sign-in/staff", login="nobody.here", password="wrong").text
    official.disabled_at = clock.real_now()
    portal_session.commit()
    closed = fill_in(client, "/sign-in/staff", login="attack.wei", password=PASSWORD).text
    assert same_words(wrong) == same_words(unknown) == same_words(closed)


def same_words(page: str) -> list[str]:
    from bs4 import BeautifulSoup

    return [line.get_text(strip=True) for line in BeautifulSoup(page, "lxml").select(".govuk-error-message")]


def test_many_requests_send_no_more_codes_than_the_hourly_limit(race, now):
    sent = race.at_once(*[lambda s: doors.send_code(s, PHONE, now=now)] * 16)
    assert len([code for code in sent if isinstance(code, str)]) <= doors.CODES_AN_HOUR


def test_a_one_time_code_used_twice_at_once_is_valid_once(race, now):
    with Session(race.engine) as session, session.begin():
        code = doors.send_code(session, PHONE, now=now)
    used = race.at_once(*[lambda s: doors.use_code(s, PHONE, code, now=now)] * 6)
    assert used.count(True) == 1


def test_guesses_at_the_same_moment_are_all_counted(race, now):
    with Session(race.engine) as session, session.begin():
        code = doors.send_code(session, PHONE, now=now)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    race.at_once(*[lambda s: doors.use_code(s, PHONE, wrong, now=now)] * doors.CODE_TRIES)
    with Session(race.engine) as session:
        assert doors.use_code(session, PHONE, code, now=now) is False


def test_an_idle_or_old_session_expires(client, portal_session, town):
    sign_in(client, town.family("甲").account)
    assert client.get("/parents").status_code == 200
    portal_session.execute(text("UPDATE web_session SET expires_at = now() - interval '1 second'"))
    assert client.get("/parents").status_code == 303


def test_a_session_in_constant_use_expires_in_the_end(client, portal_session, town, frozen_clock, monkeypatch):
    sign_in(client, town.family("甲").account)
    monkeypatch.setattr("portal.web.sessions.real_now", lambda: frozen_clock.now)
    portal_session.execute(
        text("UPDATE web_session SET created_at = :now, seen_at = :now, expires_at = :later"),
        {"now": town.now, "later": town.now + dt.timedelta(hours=1)},
    )
    for _quarter in range(60):
        frozen_clock.move(minutes=15)
        if client.get("/parents").status_code == 303:
            break
    assert dt.timedelta(hours=11) <= frozen_clock.now - town.now <= dt.timedelta(hours=13)


def test_threads_do_not_share_who_is_signed_in(whole_app, another_client, town, portal_session):
    people = [town.family(name) for name in ("甲", "乙", "丙", "丁")]
    browsers = [sign_in(another_client(), family.account) for family in people]
    cookies = [browser.get_cookie("session").value for browser in browsers]
    seen: dict[int, set[str]] = {}

    def look(number: int) -> None:
        browser = whole_app.test_client()
        browser.rows_of_the_test = None
        browser.set_cookie("session", cookies[number], domain="localhost")
        seen[number] = {
            browser.get("/parents/data", inspect=False).text.count(people[number].name) > 0 for _ in range(5)
        }

    threads = [threading.Thread(target=look, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {number: {True} for number in range(4)}
