"""FAM30: messages are in the family's language, from one sender, with days as people write them."""

import datetime as dt
import re
import string

import pytest
from sqlalchemy import select

from enrollment.ground import outbox
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import CHENGDU, format_time
from enrollment.ground.outbox import Notice, SentMessage, TextMessage
from portal.text.messages import desk_words, notice_words, signed, text_words
from portal.text.words import table
from tests.support.sender import let_the_sender_send
from tests.support.signing_in import fill_in, sign_in

DUE = dt.datetime(2026, 6, 9, 17, tzinfo=CHENGDU)
SENDERS = {"zh": "【成都入园】", "en": "[Chengdu Kindergarten] "}
MANY = ["due", "begins_at", "ends_at"]


def params_of(words: str) -> dict:
    """Values for the places of a text, as the services write them."""
    named = {field for _text, field, _form, _how in string.Formatter().parse(words) if field}
    known = {name: format_time(DUE) for name in MANY} | {
        "code": "K7MQ-0001",
        "number": 2,
        "n": 3,
        "minutes": 10,
        "year": 2026,
        "who": "kindergarten",
    }
    return {name: known.get(name, "小杨") for name in named}


def refuse_odd(body: str, language: str) -> None:
    assert body.startswith(SENDERS[language]), body
    assert sum(body.count(sender.strip()) for sender in SENDERS.values()) == 1, body
    assert not re.search(r"\d{4}-\d{2}-\d{2}", body), body
    assert "_" not in body and "{" not in body, body
    if language == "en":
        assert not re.search(r"[\u4e00-\u9fff]", body.replace("小杨", "")), body


@pytest.mark.parametrize("language", ["zh", "en"])
def test_fam30_every_notice_in_the_language_of_its_receiver(town, app, language):
    """Through the outbox and the gateway, as a message goes."""
    account = town.family("李").account
    account.language = language
    kinds = table()["notice"]
    for kind, words in kinds.items():
        params = params_of(words[language])
        outbox.tell(town.session, kind, account_id=account.id, key=f"walk:{kind}", now=town.now, **params)
    town.session.commit()
    let_the_sender_send(app.extensions["services"].config, app.extensions["services"].engine)
    walked = {
        str(row.id): row.key.removeprefix("walk:")
        for row in town.session.scalars(select(Notice))
        if row.key.startswith("walk:")
    }
    sent = {walked[row.key]: row.body for row in town.session.scalars(select(SentMessage)) if row.key in walked}
    assert sent.keys() == kinds.keys()
    for body in sent.values():
        refuse_odd(body, language)
    day = {"zh": "6月9日 17:00", "en": "9 June, 17:00"}[language]
    dated = [kind for kind, words in kinds.items() if any(f"{{{name}}}" in words[language] for name in MANY)]
    assert len(dated) >= 11
    for kind in dated:
        assert day in sent[kind], kind


@pytest.mark.parametrize("language", ["zh", "en"])
def test_fam30_every_text_to_a_phone(app, language):
    config = app.extensions["services"].config
    for code, words in table()["text_message"].items():
        said = text_words(code, in_language=language, **params_of(words[language]))
        refuse_odd(signed(said, config, in_language=language), language)


def test_fam30_the_inbox_says_the_same_without_a_sender(town, client, frozen_clock):
    family = town.family("李")
    outbox.tell(
        town.session, "place_offered", account_id=family.account.id, key="a", now=town.now, due=format_time(DUE)
    )
    outbox.tell(town.session, "review_confirmed", account_id=family.account.id, key="b", now=town.now)
    frozen_clock.set(town.now)
    town.session.commit()
    sign_in(client, family.account.id)
    for language, day in (("zh", "请在 6月9日 17:00 前"), ("en", "before 9 June, 17:00")):
        shown = client.get(f"/parents/messages?lang={language}").text
        assert day in shown
        assert "2026-06-09" not in shown
        assert "【" not in shown and "[Chengdu" not in shown


def test_fam30_the_switch_sets_the_language_of_messages(town, client, frozen_clock):
    family = town.family("李")
    frozen_clock.set(town.now)
    town.session.commit()
    sign_in(client, family.account.id)
    client.get("/parents")
    assert language_of(town, family.account.id) == "zh"
    client.get("/parents?lang=en")
    assert language_of(town, family.account.id) == "en"
    client.get("/parents")
    assert language_of(town, family.account.id) == "en"
    client.get("/parents?lang=zh")
    assert language_of(town, family.account.id) == "zh"


def language_of(town, account_id) -> str:
    town.session.expire_all()
    return town.session.get_one(Account, account_id).language


def test_fam30_two_guardians_each_in_its_own_language(town):
    mother, father = town.family("李").account, town.family("王").account
    father.language = "en"
    said = [
        notice_words("place_offered", {"due": format_time(DUE)}, in_language=each.language) for each in (mother, father)
    ]
    assert "6月9日 17:00" in said[0]
    assert "9 June, 17:00" in said[1]


@pytest.mark.parametrize("kind", ["round_open", "wishes_missing"])
def test_fam30_a_clerk_who_reads_english_reads_no_chinese_name_of_a_round(app, kind):
    params = {"name": "2026 补录", "round_kind": "supplementary", "until": format_time(DUE)}
    for language, name in (("zh", "“2026 补录”"), ("en", "“Supplementary round”")):
        with app.test_request_context(f"/?lang={language}"):
            assert desk_words(kind, params).startswith(name)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_fam30_a_code_in_the_language_of_the_page_that_asked(
    client, portal_session, another_client, frozen_clock, language
):
    phone = "13800139000"

    def sign_in_by_code(browser, query: str) -> str:
        fill_in(browser, f"/sign-in{query}", action="/sign-in", phone=phone)
        body = portal_session.scalars(select(TextMessage.body).order_by(TextMessage.written_at.desc())).first()
        fill_in(browser, "/sign-in/code", code=re.search(r"\d{6}", body)[0])
        return body

    body = sign_in_by_code(client, f"?lang={language}")
    refuse_odd(body, language)
    portal_session.expire_all()
    assert portal_session.scalars(select(Account.language)).one() == language
    frozen_clock.move(minutes=5)
    other = another_client()
    sign_in_by_code(other, "")
    assert f'lang="{"en" if language == "en" else "zh-CN"}"' in other.get("/parents").text[:200]


@pytest.mark.parametrize(
    ("kind", "family"), [("review_confirmed", False), ("offer_revoked", False), ("application_changed", True)]
)
def test_a_message_without_an_actor_does_not_say_that_the_family_did_what_only_an_office_does(kind, family):
    params = {"code": "X", "number": 1}
    assert notice_words(kind, params, in_language="zh").startswith("您家") == family
    assert notice_words(kind, params, in_language="en").startswith("Your family") == family
