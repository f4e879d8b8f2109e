"""What a visitor of the demo needs: a code at hand while the messages of a round come in, and answers of its own."""

import datetime as dt
import uuid

from bs4 import BeautifulSoup
from sqlalchemy import update

from enrollment.ground import outbox
from enrollment.ground.outbox import SentMessage
from enrollment.people.consents import Consent
from portal.demo import people
from portal.demo.actors import bulk_acts
from portal.public.demo import MOST


def shown(client) -> list[str]:
    return [
        each.get_text(" ", strip=True)
        for each in BeautifulSoup(client.get("/demo/inbox").text, "lxml").select("main li")
    ]


def test_a_code_stands_above_the_messages_of_a_round(client, portal_session, frozen_clock):
    now = frozen_clock.now
    later = now + dt.timedelta(minutes=10)
    code = outbox.add_text_message(
        portal_session, "13800000001", "验证码 123456", key="code:1", now=now, expires_at=later
    )
    sent = [SentMessage(key=str(code.id), to="13800000001", body="验证码 123456", at=now - dt.timedelta(minutes=1))]
    sent += [SentMessage(key=str(uuid.uuid4()), to="1", body=f"派位结果 {n}", at=now) for n in range(MOST + 5)]
    sent += [SentMessage(key=str(uuid.uuid4()), to="1", body="来自未来", at=now + dt.timedelta(days=90))]
    portal_session.add_all(sent)
    portal_session.commit()
    found = shown(client)
    assert "123456" in found[0]
    assert len(found) == MOST + 1
    assert not any("来自未来" in each for each in found)


def test_the_simulated_families_do_not_answer_for_a_visitor(town):
    visitor, simulated = town.family("李"), town.family("王")
    of_city = update(Consent).where(Consent.account_id == simulated.account.id)
    town.session.execute(of_city.values(text_digest=people.CONSENT[1]))
    of_sign_in_page = town.family("王芳", phone=people.FAMILIES[1].login)
    found = bulk_acts.families_that_answer(town.session)
    assert {visitor.account.id, of_sign_in_page.account.id} <= found
    assert simulated.account.id not in found
