"""Sign-in of families by the city's single sign-on: a real provider answers, well and badly, and attackers try their luck."""

import dataclasses
import datetime as dt
import re

import pytest
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import func, select

from enrollment.ground.accounts import Account
from enrollment.ground.outbox import Notice, TextMessage
from enrollment.people.desk_rows import PhoneDoubt
from enrollment.people.person_rows import Guardian
from enrollment.people.sign_on_bindings import SignOnBinding
from enrollment.season.rules import PHONE_DOUBT_DAYS
from portal.config import SingleSignOn
from portal.gateways import single_sign_on
from portal.gateways.stand_ins.single_sign_on import Mood, Person, TestProvider
from tests.support.sign_on import BACK, answer_of, asked, begin, walk
from tests.support.signing_in import fill_in, hidden_fields, sign_in

PHONE = "13900000001"


@pytest.fixture
def provider(app, monkeypatch):
    """A provider for which this portal is a client."""
    with TestProvider(BACK) as running:
        known = app.extensions["services"]
        settings = SingleSignOn(running.issuer, running.client_id, running.client_secret)
        config = dataclasses.replace(known.config, single_sign_on=settings)
        monkeypatch.setitem(app.extensions, "services", dataclasses.replace(known, config=config))
        yield running
    single_sign_on.provider.cache_clear()


@pytest.fixture
def another_browser(another_client):
    return another_client()


def client_of(provider):
    return single_sign_on.provider(SingleSignOn(provider.issuer, provider.client_id, provider.client_secret), BACK)


def newest_code(session) -> str:
    body = session.scalars(select(TextMessage).order_by(TextMessage.written_at.desc())).first().body
    return re.search(r"\d{6}", body).group()


def prove(client, session, phone: str = PHONE):
    """Prove the phone on the pages after the provider's answer."""
    assert fill_in(client, "/sign-in/sso/phone", phone=phone).headers["Location"] == "/sign-in/sso/code"
    return fill_in(client, "/sign-in/sso/code", code=newest_code(session))


def holder(client, session) -> Account | None:
    """Whom this browser is signed in as."""
    with client.session_transaction() as kept:
        who = kept.get("_user_id")
    return session.get(Account, who) if who else None


def warning(client, answer) -> str:
    assert answer.headers["Location"].startswith("/sign-in"), answer.headers["Location"]
    return client.get(answer.headers["Location"]).text


def test_the_first_sign_in_proves_the_phone_and_the_next_one_enters_at_once(client, portal_session, town, provider):
    page = client.get("/sign-in?next=/parents/messages").text
    assert "用城市统一身份认证登录" in page
    address = begin(client, "?next=/parents/messages")
    request = asked(address)
    assert request["response_type"] == "code"
    assert request["code_challenge_method"] == "S256"
    assert {"state", "nonce", "code_challenge"} <= set(request)
    answer = client.get(answer_of(provider, address, "demo-0001"))
    assert answer.headers["Location"] == "/sign-in/sso/phone"
    page = client.get("/sign-in/sso/phone").text
    assert "李**" in page
    assert "139****0001" in page
    assert f'value="{PHONE}"' in page
    answer = prove(client, portal_session)
    assert answer.headers["Location"] == "/parents/messages"
    assert "您的账户已连接统一身份认证" in client.get("/parents/messages").text
    account = holder(client, portal_session)
    assert account.phone == f"+86{PHONE}"
    bound = portal_session.scalars(select(SignOnBinding)).one()
    assert b"demo-0001" not in bound.subject_index
    client.post("/sign-out", data=hidden_fields(client.get("/parents/account/close").text))
    address = begin(client)
    assert asked(address)["prompt"] == "login", "the provider still knows who signed out here"
    before = client.get_cookie("session").value
    answer = client.get(answer_of(provider, address, "demo-0001"))
    assert answer.headers["Location"] == "/parents"
    assert holder(client, portal_session).id == account.id
    assert client.get_cookie("session").value != before
    portal_session.expire_all()
    assert portal_session.scalars(select(SignOnBinding)).one().used_at is not None


def test_a_verified_phone_of_the_provider_opens_no_account(client, portal_session, town, provider, another_browser):
    """The number may have another holder today: without its code nobody enters, and no account is made."""
    family = town.family("李")
    provider.people["demo-0009"] = Person("别人", family.phone)
    answer = walk(client, provider, "demo-0009")
    assert answer.headers["Location"] == "/sign-in/sso/phone"
    assert client.get("/parents").headers["Location"].startswith("/sign-in")
    assert "验证码不对" in _with_a_wrong_code(client, family.phone)
    assert portal_session.scalar(select(func.count()).select_from(SignOnBinding)) == 0


def _with_a_wrong_code(client, phone: str) -> str:
    fill_in(client, "/sign-in/sso/phone", phone=phone)
    return fill_in(client, "/sign-in/sso/code", code="000000").text


def test_a_binding_holds_for_the_phone_with_which_it_was_made(client, portal_session, town, provider, another_browser):
    """After a change of the phone, whoever held the earlier number has to prove the new one."""
    walk(client, provider, "demo-0001")
    prove(client, portal_session)
    account = holder(client, portal_session)
    account.phone_index = b"another number"
    portal_session.commit()
    assert walk(another_browser, provider, "demo-0001").headers["Location"] == "/sign-in/sso/phone"
    account = portal_session.get(Account, account.id)
    account.disabled_at = account.created_at
    portal_session.commit()
    assert walk(another_browser, provider, "demo-0001").headers["Location"] == "/sign-in/sso/phone"


def test_a_person_bound_to_one_account_cannot_be_bound_to_another(
    client, portal_session, town, provider, another_browser
):
    walk(client, provider, "demo-0001")
    prove(client, portal_session)
    other = town.family("王")
    portal_session.commit()
    sign_in(another_browser, other.account)
    answer = walk(another_browser, provider, "demo-0001", "?connect=1")
    assert answer.headers["Location"] == "/sign-in/sso/connect"
    assert "已经连接另一个账户" in fill_in(another_browser, "/sign-in/sso/connect").text
    walk(another_browser, provider, "demo-0004", "?connect=1")
    assert fill_in(another_browser, "/sign-in/sso/connect").headers["Location"] == "/parents/account"
    page = another_browser.get("/parents/account").text
    assert "已连接" in page
    told = portal_session.scalars(select(Notice.account_id).where(Notice.kind == "sign_on_bound")).all()
    assert other.account.id in told
    fill_in(another_browser, "/parents/account", "/parents/account/sign-on/disconnect")
    portal_session.expire_all()
    bound = portal_session.scalars(select(SignOnBinding.account_id)).all()
    assert bound == [holder(client, portal_session).id]


def test_a_connection_is_confirmed_by_a_click_and_only_by_the_one_who_asked(
    client, portal_session, town, provider, another_browser
):
    """A link alone binds nobody: the provider's session in this browser may be a stranger's."""
    mine, other = town.family("李"), town.family("王")
    portal_session.commit()
    sign_in(client, mine.account)
    back = answer_of(provider, begin(client, "?connect=1"), "demo-0002")
    assert client.get(back).headers["Location"] == "/sign-in/sso/connect"
    assert portal_session.scalar(select(func.count()).select_from(SignOnBinding)) == 0
    sign_in(another_browser, mine.account)
    back = answer_of(provider, begin(another_browser, "?connect=1"), "demo-0002")
    with another_browser.session_transaction() as kept:
        attempts = kept["sign_on_attempts"]
    sign_in(another_browser, other.account)
    with another_browser.session_transaction() as kept:
        kept["sign_on_attempts"] = attempts
    assert another_browser.get(back).headers["Location"].startswith("/sign-in?next=")


def test_an_answer_counts_once_and_in_its_own_browser(client, portal_session, town, provider, another_browser):
    address = begin(client)
    back = answer_of(provider, address, "demo-0001")
    another_browser.get("/sign-in")
    assert "已经过期" in warning(another_browser, another_browser.get(back)), "an answer for another browser"
    assert client.get(back).headers["Location"] == "/sign-in/sso/phone"
    assert "已经过期" in warning(client, client.get(back)), "a replayed answer"
    for made_up in ("", "?state=", "?code=x&state=y", "?state=y&error=access_denied"):
        assert "已经过期" in warning(client, client.get(f"/sign-in/sso/back{made_up}"))


def test_an_old_attempt_is_over(client, portal_session, town, provider, frozen_clock):
    back = answer_of(provider, begin(client), "demo-0001")
    frozen_clock.move(minutes=16)
    assert "已经过期" in warning(client, client.get(back))
    walk(client, provider, "demo-0001")
    frozen_clock.move(minutes=16)
    assert "已经过期" in warning(client, client.get("/sign-in/sso/phone"))


def test_two_tabs_do_not_disturb_each_other(client, portal_session, town, provider):
    first, second = begin(client, "?next=/parents/messages"), begin(client)
    assert asked(first)["state"] != asked(second)["state"]
    assert client.get(answer_of(provider, second, "demo-0001")).headers["Location"] == "/sign-in/sso/phone"
    assert client.get(answer_of(provider, first, "demo-0001")).headers["Location"] == "/sign-in/sso/phone"
    prove(client, portal_session)
    assert walk(client, provider, "demo-0001").headers["Location"] == "/parents"
    assert client.get("/sign-in/sso/back?state=gone").headers["Location"] == "/parents", "signed in by another tab"


def test_nobody_goes_on_with_the_attempt_of_another(client, portal_session, town, provider, another_browser):
    """Session fixation: whoever gave a browser its session cookie does not share what the provider said."""
    client.get("/sign-in/sso")
    planted = client.get_cookie("session").value
    assert walk(client, provider, "demo-0001").headers["Location"] == "/sign-in/sso/phone"
    assert client.get_cookie("session").value != planted
    another_browser.set_cookie("session", planted, domain="localhost")
    assert another_browser.get("/sign-in/sso/phone").status_code == 303


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"])
def test_the_way_back_leads_to_this_portal_alone(client, portal_session, town, provider, target):
    walk(client, provider, "demo-0001", f"?next={target}")
    assert prove(client, portal_session).headers["Location"] == "/parents"


def test_a_token_that_is_not_for_this_attempt_is_refused(client, portal_session, town, provider, monkeypatch):
    forged = RSAKey.generate_key(2048, {"kid": provider.keys.keys[0].kid})
    shared = OctKey.import_key(provider.client_secret, {"kid": provider.keys.keys[0].kid})
    cases = (
        {"claims": {"aud": ["another client"]}},
        {"claims": {"aud": ["portal", "another client"]}},
        {"claims": {"azp": "another client"}},
        {"claims": {"iss": "https://another.example"}},
        {"claims": {"exp": 1}},
        {"claims": {"nonce": "of another attempt"}},
        {"claims": {"at_hash": "of another token"}},
        {"claims": {"sub": ""}},
        {"claims": {"sub": 7}},
        {"signing": forged},
        {"signing": shared, "algorithm": "HS256"},
    )
    for case in cases:
        with monkeypatch.context() as forging:
            for name, value in case.items():
                forging.setattr(provider, name, value)
            assert "不能采用" in warning(client, walk(client, provider, "demo-0001")), case
    assert walk(client, provider, "demo-0001").headers["Location"] == "/sign-in/sso/phone"


def test_the_answer_of_another_provider_is_refused(client, portal_session, town, provider):
    back = answer_of(provider, begin(client), "demo-0001")
    assert "不能采用" in warning(client, client.get(f"{back}&iss=https://another.example"))
    single_sign_on.provider.cache_clear()
    provider.issuer_stated = "https://another.example"
    assert "不能采用" in warning(client, client.get("/sign-in/sso"))


def test_a_new_key_of_the_provider_is_learnt(client, portal_session, town, provider):
    walk(client, provider, "demo-0001")
    provider.rotate_keys()
    assert "不能采用" in warning(client, walk(client, provider, "demo-0001")), "keys are not read for each bad token"
    client_of(provider)._keys_at -= single_sign_on.KEYS_REST
    assert walk(client, provider, "demo-0001").headers["Location"] == "/sign-in/sso/phone"


def test_a_provider_in_trouble_leaves_the_way_by_codes(client, portal_session, town, provider):
    known = client_of(provider)
    known.patience = 0.2
    assert "没有完成登录" in warning(client, walk(client, provider, ""))
    back = answer_of(provider, begin(client, "?next=/parents/messages"), "demo-0001")
    provider.mood, provider.delay = Mood.SLOW, 0.4
    answer = client.get(back)
    assert answer.headers["Location"] == "/sign-in?next=/parents/messages"
    assert "现在没有回应" in warning(client, answer)
    provider.mood = Mood.WELL
    back = answer_of(provider, begin(client), "demo-0001")
    provider.mood = Mood.WRONG
    assert "不能采用" in warning(client, client.get(back))
    known._metadata, provider.mood = None, Mood.DOWN
    for _attempt in range(2):
        page = warning(client, client.get("/sign-in/sso"))
        assert "现在没有回应" in page
        assert "获取验证码" in page
    calls = len(provider.asked)
    client.get("/sign-in/sso")
    assert len(provider.asked) == calls, "after some failures nobody waits for it"
    known.breaker.rest, provider.mood = 0.0, Mood.WELL
    assert walk(client, provider, "demo-0001").headers["Location"] == "/sign-in/sso/phone"


def test_without_a_provider_there_is_no_such_way(client, town):
    assert client.get("/sign-in/sso").status_code == 404
    assert "统一身份认证" not in client.get("/sign-in").text


def doubted_family(town, phone: str = PHONE) -> tuple[Account, str]:
    """A guardian whose number nobody has proven for long, and the end of the document."""
    mother = town.family("李", phone=phone).account
    mother.created_at = town.now - dt.timedelta(days=PHONE_DOUBT_DAYS)
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == mother.id)).one()
    town.session.commit()
    return mother, guardian.id_number[-4:]


def test_the_proof_of_a_doubted_number_ends_with_the_document_and_binds_then(
    client, portal_session, town, provider, another_browser, frozen_clock
):
    mother, end = doubted_family(town)
    walk(client, provider, "demo-0001", "?next=/parents/messages")
    assert prove(client, portal_session).headers["Location"] == "/sign-in/question"
    assert holder(client, portal_session) is None
    assert client.get("/parents").status_code == 303
    wrong = fill_in(client, "/sign-in/question", "/sign-in/question", document_end="000Y")
    assert "与登记的不一致" in wrong.text
    portal_session.expire_all()
    assert portal_session.get(PhoneDoubt, mother.id).tries == 1
    assert portal_session.scalars(select(SignOnBinding)).all() == [], "who does not know the document is not bound"
    answer = fill_in(client, "/sign-in/question", "/sign-in/question", document_end=end)
    assert answer.headers["Location"] == "/parents/messages"
    assert "您的账户已连接统一身份认证" in client.get("/parents/messages").text
    portal_session.expire_all()
    assert holder(client, portal_session).id == mother.id
    assert portal_session.get(PhoneDoubt, mother.id) is None
    assert portal_session.scalars(select(SignOnBinding)).one().account_id == mother.id
    assert walk(another_browser, provider, "demo-0001").headers["Location"] == "/parents"
    assert holder(another_browser, portal_session).id == mother.id


def test_who_never_applied_with_a_doubted_number_is_bound_to_nobody(client, portal_session, town, provider):
    mother, _end = doubted_family(town)
    walk(client, provider, "demo-0001")
    prove(client, portal_session)
    answer = fill_in(client, "/sign-in/question", "/sign-in/question/never")
    assert answer.headers["Location"] == "/sign-in/question/wait"
    assert client.get(answer.headers["Location"]).status_code == 200
    assert portal_session.scalars(select(SignOnBinding)).all() == []
    assert holder(client, portal_session) is None
    portal_session.expire_all()
    assert portal_session.get_one(Account, mother.id).phone == f"+86{PHONE}", "the guardian has 72 hours to object"


@pytest.mark.parametrize("doubted", [False, True])
def test_a_person_who_was_bound_in_another_tab_enters_and_stays_bound_there(
    client, portal_session, town, provider, another_browser, frozen_clock, doubted
):
    mother, end = doubted_family(town)
    if not doubted:
        mother.phone_proven_at = town.now
        town.session.commit()
    walk(client, provider, "demo-0001")
    walk(another_browser, provider, "demo-0001")
    prove(another_browser, portal_session, "13900000002")
    frozen_clock.move(minutes=1)
    answer = prove(client, portal_session)
    if doubted:
        answer = fill_in(client, "/sign-in/question", "/sign-in/question", document_end=end)
    assert answer.headers["Location"] == "/parents"
    assert holder(client, portal_session).id == mother.id
    assert "已经连接另一个账户" in client.get("/parents").text
    portal_session.expire_all()
    assert portal_session.scalars(select(SignOnBinding)).one().account_id == holder(another_browser, portal_session).id
