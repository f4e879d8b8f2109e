"""WeChat as a second channel: bound by the family, with a fate of its own for each message."""

import dataclasses
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from enrollment.delivery.message_choices import MessageChoice
from enrollment.delivery.wechat import WechatBinding, WechatNotice
from enrollment.ground import outbox
from enrollment.ground.outbox import DeliveryError, MessageState, SentMessage
from portal.config import Wechat
from portal.gateways.stand_ins.wechat import TestWechat
from portal.gateways.wechat import AccessToken, WechatConnection
from tests.support.sender import let_the_sender_send
from tests.support.signing_in import fill_in, sign_in


@pytest.fixture
def account(app, monkeypatch):
    """A service account for which this portal is configured."""
    with TestWechat() as running:
        known = app.extensions["services"]
        settings = Wechat(running.app_id, running.secret, running.template, api=running.url)
        config = dataclasses.replace(known.config, wechat=settings)
        monkeypatch.setitem(app.extensions, "services", dataclasses.replace(known, config=config))
        running.config = config
        yield running


@pytest.fixture
def family(town, client, account):
    family = town.family("李")
    town.session.commit()
    sign_in(client, family.account)
    account.followers.add("o-li")
    return family


def bind(client, account, openid: str = "o-li"):
    address = client.get("/parents/messages/wechat").headers["Location"]
    asked = parse_qs(urlsplit(address).query)
    assert asked["scope"] == ["snsapi_base"]
    back = f"/parents/messages/wechat/back?code={account.code_for(openid)}&state={asked['state'][0]}"
    assert client.get(back).headers["Location"] == "/parents/messages/choices#wechat"
    return back


def tell(town, family, key: str, kind: str = "result_published") -> None:
    outbox.tell(town.session, kind, account_id=family.account.id, key=key, now=town.now, code="A", who="system")
    town.session.commit()


def send(account, app_engine, town) -> dict[str, tuple[str, str | None]]:
    """Let the sender send; the state and error of each message in WeChat by its key."""
    let_the_sender_send(account.config, app_engine)
    town.session.expire_all()
    rows = town.session.execute(
        select(outbox.Notice.key, WechatNotice).join(WechatNotice, WechatNotice.id == outbox.Notice.id)
    )
    return {key: (row.state, row.last_error) for key, row in rows}


def test_a_family_binds_its_wechat_and_messages_come_to_both(town, client, family, account, app_engine):
    tell(town, family, "before")
    back = bind(client, account)
    assert "已绑定" in client.get("/parents/messages/choices").text
    assert town.session.scalars(select(WechatBinding.openid)).all() == ["o-li"]
    tell(town, family, "first")
    assert send(account, app_engine, town) == {"first": (MessageState.SENT, None)}
    message = next(iter(account.delivered.values()))
    assert message["touser"] == "o-li"
    assert "/parents/to/" in message["url"]
    assert message["data"]["thing1"]["value"] == "有一条新消息"
    assert len(town.session.scalars(select(SentMessage)).all()) == 2, "the text messages go as before"
    assert "微信已发出" in client.get("/parents/messages").text
    client.get(back)
    assert "没有绑定" in client.get("/parents/messages/choices").text, "an answer counts once"
    for forged in ("", f"?code={account.code_for('o-stranger')}&state=made-up", "?code=x"):
        client.get(f"/parents/messages/wechat/back{forged}")
    assert town.session.scalars(select(WechatBinding.openid)).all() == ["o-li"]
    fill_in(client, "/parents/messages/choices", "/parents/messages/wechat/end")
    tell(town, family, "second")
    assert set(send(account, app_engine, town)) == {"first"}


def test_each_answer_of_wechat_is_a_fate_of_its_own(town, client, family, account, app_engine, frozen_clock):
    bind(client, account)
    account.errors["o-li"] = 43101
    tell(town, family, "declined")
    assert send(account, app_engine, town)["declined"] == (MessageState.GIVEN_UP, DeliveryError.DECLINED)
    account.errors.clear()
    account.tokens.clear()
    account.quota = 0
    tell(town, family, "waits")
    assert send(account, app_engine, town)["waits"] == (MessageState.WAITING, DeliveryError.TOO_FAST)
    account.quota = 10
    account.tokens.clear()
    account.mood = "down"
    frozen_clock.move(minutes=2)
    assert send(account, app_engine, town)["waits"][0] == MessageState.WAITING
    account.mood = "wrong"
    frozen_clock.move(minutes=2)
    assert send(account, app_engine, town)["waits"][0] == MessageState.WAITING
    account.mood = "well"
    frozen_clock.move(minutes=2)
    assert send(account, app_engine, town)["waits"][0] == MessageState.SENT
    account.followers.clear()
    tell(town, family, "gone")
    assert send(account, app_engine, town)["gone"] == (MessageState.GIVEN_UP, DeliveryError.NOT_FOLLOWING)
    assert "没有关注服务号" in client.get("/parents/messages/choices").text
    tell(town, family, "paused")
    assert "paused" not in send(account, app_engine, town)
    texts = [each for each in town.session.scalars(select(outbox.Notice.state))]
    assert set(texts) == {MessageState.SENT}, "nothing of it touched the text messages"


def test_a_token_that_ended_is_replaced(town, client, family, account, app_engine, frozen_clock):
    token = AccessToken(account.config.wechat)
    connection = WechatConnection(account.config.wechat, token)
    body = '{"url": "http://localhost/", "data": {}}'
    assert connection.send("k-1", "o-li", body).verdict == "accepted"
    account.tokens.clear()
    assert connection.send("k-2", "o-li", body).error == DeliveryError.NOT_AUTHORISED
    assert connection.send("k-2", "o-li", body).verdict == "accepted"
    assert connection.send("k-2", "o-li", body).verdict == "accepted"
    assert len(account.delivered) == 2, "once for each key"


def test_quiet_hours_hold_it_and_what_was_read_is_not_sent(town, client, family, account, app_engine, frozen_clock):
    bind(client, account)
    hour = frozen_clock.now.hour
    town.session.add(
        MessageChoice(
            account_id=family.account.id, quiet_from=hour, quiet_until=hour + 2, muted=[], changed_at=town.now
        )
    )
    tell(town, family, "quiet")
    assert send(account, app_engine, town)["quiet"] == (MessageState.WAITING, None)
    client.get("/parents/messages")
    frozen_clock.move(hours=2)
    assert send(account, app_engine, town)["quiet"] == (MessageState.WITHHELD, None)
    assert account.delivered == {}
