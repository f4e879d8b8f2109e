"""Sign-in and sign-out."""

import re
from dataclasses import replace

import pyotp
import pytest
from sqlalchemy import select

from enrollment.ground import sign_in as codes
from enrollment.ground.accounts import Account, RoleGrant
from enrollment.ground.outbox import TextMessage
from enrollment.ground.sign_in import WebSession
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

PHONE = "13912345678"


def newest_code(session) -> str:
    text = session.scalars(select(TextMessage).order_by(TextMessage.written_at.desc())).first()
    return re.search(r"\d{6}", text.body).group()


def sign_in_by_phone(client, session, phone=PHONE):
    assert fill_in(client, "/sign-in", phone=phone).headers["Location"] == "/sign-in/code"
    return fill_in(client, "/sign-in/code", code=newest_code(session))


def test_a_parent_signs_in_with_a_code(client, portal_session, town):
    answer = sign_in_by_phone(client, portal_session)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/parents"
    account = portal_session.scalars(select(Account)).one()
    assert [grant.role for grant in account.grants] == ["guardian"]


@pytest.mark.parametrize("typed", ["１３９ 1234 5678", "+86 139-1234-5678"])
def test_phone_numbers_are_normalised(client, portal_session, typed):
    assert sign_in_by_phone(client, portal_session, typed).headers["Location"] == "/parents"


@pytest.mark.parametrize(("language", "error"), [("zh", "手机号是 11 位数字"), ("en", "A phone number has 11 digits")])
def test_a_number_that_is_none_is_told_next_to_the_field(client, language, error):
    client.get(f"/sign-in?lang={language}")
    answer = fill_in(client, "/sign-in", phone="12345")
    assert answer.status_code == 200
    assert error in answer.text
    assert 'value="12345"' in answer.text


def test_a_wrong_code_is_told_and_counts(client, portal_session):
    fill_in(client, "/sign-in", phone=PHONE)
    code = newest_code(portal_session)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _try in range(codes.CODE_TRIES):
        assert "验证码不对或已过期" in fill_in(client, "/sign-in/code", code=wrong).text
    assert "验证码不对或已过期" in fill_in(client, "/sign-in/code", code=code).text


def test_the_answer_is_the_same_whether_or_not_a_phone_may_have_a_code(client, portal_session):
    for _code in range(codes.CODES_AN_HOUR + 2):
        answer = fill_in(client, "/sign-in", phone=PHONE)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in/code")


def test_sign_in_redirects_to_the_requested_page_only(client, portal_session):
    led = client.get("/parents")
    assert led.headers["Location"] == "/sign-in?next=/parents"
    assert (
        fill_in(client, "/sign-in?next=/parents", action="/sign-in", phone=PHONE, next="https://elsewhere.example/")
        is not None
    )
    answer = fill_in(client, "/sign-in/code", code=newest_code(portal_session))
    assert answer.headers["Location"] == "/parents"


def test_signing_in_changes_the_key_and_signing_out_ends_it(client, portal_session):
    client.get("/sign-in")
    before = client.get_cookie("session").value if client.get_cookie("session") else None
    sign_in_by_phone(client, portal_session)
    inside = client.get_cookie("session").value
    assert inside != before
    client.get("/")
    page = client.get("/sign-in?next=/help")
    token = re.search(r'csrf_token" value="([^"]+)"', page.text).group(1)
    client.post("/sign-out", data={"csrf_token": token})
    assert client.get("/parents").headers["Location"].startswith("/sign-in")
    client.set_cookie("session", inside, domain="localhost")
    assert client.get("/parents").headers["Location"].startswith("/sign-in"), "the old cookie opens nothing"


@pytest.mark.parametrize("who", ["clerk", "official", "helper", "family"])
def test_tru03_whoever_signs_out_at_a_desk_comes_to_no_page_with_a_line_before_it(client, town, who):
    people = {
        "clerk": lambda: town.clerk_of(town.kindergarten("锦官园", places=1)).account_id,
        "official": lambda: town.city_official().account_id,
        "helper": lambda: town.helper().account_id,
        "family": lambda: town.family("甲").account.id,
    }
    sign_in(client, people[who]())
    token = re.search(r'csrf_token" value="([^"]+)"', client.get("/privacy").text).group(1)
    answer = client.post("/sign-out", data={"csrf_token": token})
    assert answer.headers["Location"] == ("/" if who == "family" else "/sign-in/staff")
    assert "您已退出" in client.get(answer.headers["Location"]).text


@prepared
def official(portal_session, town):
    account = codes.create_staff_account(
        portal_session, "he.wei", "何处", "a long enough password", [RoleGrant(role="city_official")], now=town.now
    )
    portal_session.commit()
    return account


def test_an_official_needs_password_and_second_factor(client, official):
    assert "账号或密码不对" in fill_in(client, "/sign-in/staff", login="he.wei", password="wrong").text
    answer = fill_in(client, "/sign-in/staff", login="he.wei", password="a long enough password")
    assert answer.headers["Location"] == "/sign-in/staff/code"
    assert client.get("/officials/2026").headers["Location"].startswith("/sign-in"), "a password alone opens nothing"
    code = pyotp.TOTP(official.second_factor).now()
    assert (
        "动态口令不对" in fill_in(client, "/sign-in/staff/code", code="000000" if code != "000000" else "000001").text
    )
    assert fill_in(client, "/sign-in/staff/code", code=code).headers["Location"] == "/officials"


def test_a_disabled_account_is_signed_out_immediately(client, portal_session, official, town):
    sign_in(client, official)
    assert client.get("/officials/2026").status_code == 200
    official.disabled_at = town.now
    portal_session.commit()
    assert client.get("/officials/2026").headers["Location"].startswith("/sign-in")


def test_session_rows_contain_no_usable_key(client, portal_session, official):
    sign_in(client, official)
    row = portal_session.scalars(select(WebSession)).one()
    client.set_cookie("session", row.digest.hex(), domain="localhost")
    assert client.get("/officials/2026").headers["Location"].startswith("/sign-in")


def test_fam27_the_page_says_when_the_next_code_can_be_requested(client, portal_session):
    for _code in range(codes.CODES_AN_HOUR):
        fill_in(client, "/sign-in", phone=PHONE)
    assert "验证码正在发往 139****5678" in client.get("/sign-in/code").text
    fill_in(client, "/sign-in", phone=PHONE)
    page = client.get("/sign-in/code").text
    assert "60 分钟后可以再要" in page
    assert "发往" not in page
    assert len(portal_session.scalars(select(TextMessage)).all()) == codes.CODES_AN_HOUR


def test_fam27_a_browser_that_signed_in_before_gets_codes_while_strangers_ask(
    client, another_client, portal_session, frozen_clock
):
    sign_in_by_phone(client, portal_session)
    client.set_cookie("session", "ended", domain="localhost")
    for n in range(codes.CODES_FOR_STRANGERS):
        stranger = another_client()
        stranger.environ_base["REMOTE_ADDR"] = f"203.0.113.{n}"
        fill_in(stranger, "/sign-in", phone=PHONE)
    newcomer = another_client()
    fill_in(newcomer, "/sign-in", phone=PHONE)
    assert "分钟后可以再要" in newcomer.get("/sign-in/code").text
    frozen_clock.move(minutes=1)
    assert sign_in_by_phone(client, portal_session).headers["Location"] == "/parents"


def test_tru07_a_stranger_who_asks_and_guesses_locks_out_neither_an_owner_nor_a_newcomer(
    client, another_client, portal_session, frozen_clock
):
    """Six codes an hour and five guesses from one address: the family gets its code on a new phone and on its own one."""
    sign_in_by_phone(client, portal_session)
    client.set_cookie("session", "ended", domain="localhost")
    stranger = another_client()
    stranger.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    for _code in range(codes.CODES_AN_HOUR + 2):
        fill_in(stranger, "/sign-in", phone=PHONE)
    for _guess in range(codes.CODE_TRIES + 1):
        fill_in(stranger, "/sign-in/code", code="000000")
    said = stranger.get("/sign-in/code").text
    assert "分钟后可以再要" in said, "the limit is the asker's, and it is told in minutes"
    new_phone = another_client()
    new_phone.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    frozen_clock.move(minutes=1)
    assert sign_in_by_phone(new_phone, portal_session).headers["Location"] == "/parents"
    frozen_clock.move(minutes=1)
    assert sign_in_by_phone(client, portal_session).headers["Location"] == "/parents"


def test_fam11_a_guardian_abroad_signs_in_with_its_own_number(client, portal_session):
    answer = sign_in_by_phone(client, portal_session, "+852 9123 4567")
    assert answer.headers["Location"] == "/parents"
    assert portal_session.scalars(select(Account)).one().phone == "+85291234567"


def test_fam11_a_number_that_the_gateway_cannot_reach_leads_to_the_desk(app, client, portal_session, monkeypatch):
    real = app.extensions["services"]
    config = replace(real.config, message_gateway="https://gateway.example", message_country_codes=("86",))
    monkeypatch.setitem(app.extensions, "services", replace(real, config=config))
    answer = fill_in(client, "/sign-in", phone="+852 9123 4567")
    assert "窗口办理" in answer.text
    assert "9123" in answer.text, "nothing typed is lost"
    assert portal_session.scalars(select(TextMessage)).all() == []
    assert fill_in(client, "/sign-in", phone=PHONE).status_code == 303
