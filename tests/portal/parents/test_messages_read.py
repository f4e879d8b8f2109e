"""A page of messages marks as read what it shows, and nothing else."""

import datetime as dt

from sqlalchemy import select

from enrollment.ground import outbox
from enrollment.ground.outbox import Notice
from portal.parents import messages
from tests.support.signing_in import sign_in


def unread(town, account_id) -> list[str]:
    town.session.expire_all()
    mine = select(Notice.key).where(*outbox.unread_of(account_id)).order_by(Notice.key)
    return list(town.session.scalars(mine))


def test_a_message_that_no_page_showed_stays_unread(client, town, monkeypatch):
    family = town.family("李")
    monkeypatch.setattr(messages, "PER_PAGE", 2)
    for number in range(3):
        at = town.now + dt.timedelta(minutes=number)
        outbox.tell(town.session, "result_published", account_id=family.account.id, key=f"news:{number}", now=at)
    town.session.commit()
    account_id = family.account.id
    sign_in(client, family.account)
    client.get("/parents/messages")
    assert unread(town, account_id) == ["news:0"]
    assert "消息 1" in client.get("/parents/messages").text
    client.get("/parents/messages?page=2")
    assert unread(town, account_id) == []


def test_a_message_that_comes_while_the_page_is_made_stays_unread(client, town, monkeypatch):
    family, page = town.family("李"), messages._page
    account_id = family.account.id
    outbox.tell(town.session, "result_published", account_id=account_id, key="news:0", now=town.now)
    town.session.commit()
    sign_in(client, family.account)

    def page_and_then_news(asked):
        found = page(asked)
        outbox.tell(town.session, "result_published", account_id=account_id, key="news:1", now=town.now)
        town.session.commit()
        return found

    monkeypatch.setattr(messages, "_page", page_and_then_news)
    client.get("/parents/messages")
    assert unread(town, account_id) == ["news:1"]
