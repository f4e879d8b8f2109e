"""Messages that do not arrive are told: to the person who waits for a code, to the family, to the desk, to the officials."""

import datetime as dt
import re

from sqlalchemy import select, update

from enrollment.delivery import sender_status, unreachable_numbers
from enrollment.delivery.lanes import Lane
from enrollment.delivery.unreachable_numbers import UnreachableNumber
from enrollment.ground import outbox
from enrollment.ground.operations import alarms
from enrollment.ground.operations.alarms import AlarmCode
from enrollment.ground.outbox import DeliveryError, MessageState, Notice, TextMessage
from enrollment.ground.phones import phone_index
from enrollment.offers import desk_contacts
from portal.web.clock import real_now
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

PHONE = "13812345678"


@prepared
def asked(client, portal_session):
    """A visitor who asked for a code; its row can be changed as a sender changes it."""
    fill_in(client, "/sign-in", phone=PHONE)

    def change(**values) -> str:
        portal_session.execute(update(TextMessage).values(**values))
        portal_session.commit()
        return client.get("/sign-in/code").text

    return change


def test_the_page_of_the_code_says_what_is_true(asked, client, frozen_clock):
    assert "验证码正在发往 138****5678" in client.get("/sign-in/code").text
    assert "验证码已经发往 138****5678" in asked(state=MessageState.SENT)
    assert "验证码已经送到 138****5678" in asked(state=MessageState.DELIVERED)
    dead = asked(state=MessageState.UNDELIVERABLE, last_error=DeliveryError.INVALID_NUMBER)
    assert "138****5678 收不到短信" in dead and "打印的登录码" in dead
    assert "没有发出" in asked(state=MessageState.GIVEN_UP, last_error=DeliveryError.MESSAGE_REFUSED)
    late = asked(state=MessageState.WAITING, tries=2)
    assert "短信通道现在不通畅" in late and "不用重新获取" in late
    assert "text messages are delayed" in client.get("/sign-in/code?lang=en").text


def test_while_the_gateway_is_down_no_code_is_promised(asked, client, portal_session, now):
    sender_status.report(portal_session, Lane.CODES, seen_at=now, down_since=now, error=DeliveryError.NO_ANSWER)
    portal_session.commit()
    assert "短信通道现在不通畅" in client.get("/sign-in/code").text


def test_while_codes_do_not_arrive_none_is_called_sent_and_officials_read_it(asked, client, town, portal_session, now):
    alarms.update_alarms(portal_session, {AlarmCode.CODES_NOT_ENTERED: now}, (), now=now)
    page = asked(state=MessageState.SENT)
    assert "许多人没有收到短信" in page and "打印的登录码" in page and "一分钟内收到" not in page
    assert "验证码已经送到" in asked(state=MessageState.DELIVERED), "what a receipt says is known"
    asked(state=MessageState.SENT)
    assert "many phones do not get it" in client.get("/sign-in/code?lang=en").text
    for lane in (Lane.CODES, Lane.NOTICES):
        sender_status.report(portal_session, lane, seen_at=real_now(), down_since=None, error=None)
    portal_session.commit()
    sign_in(client, town.city_pair()[0].account_id)
    town.season(2026)
    town.session.commit()
    page = client.get("/officials/2026/messages?lang=zh").text
    assert "验证码几乎没有人填写" in page and "短信通道正常" not in page


def test_a_code_that_waits_for_twenty_seconds_is_late(asked, client, frozen_clock):
    frozen_clock.move(seconds=30)
    assert "短信通道现在不通畅" in client.get("/sign-in/code").text


def test_a_family_reads_that_its_number_does_not_receive_until_a_code_is_used(client, town, portal_session, now):
    family = town.family("李")
    index = phone_index(family.phone)
    unreachable_numbers.remember(town.session, {index: DeliveryError.INVALID_NUMBER}, now=now)
    town.session.commit()
    sign_in(client, family.account.id)
    for page in ("/parents", "/parents/messages", "/parents/data"):
        assert "短信发不到您的手机" in client.get(page).text, page
    town.child("安娜", family=family, wishes=[town.kindergarten("金苹果", places=1)])
    town.session.commit()
    assert "号码不存在或已停机" in client.get("/parents").text
    client.post("/sign-out", data={}, inspect=False)
    fill_in(client, "/sign-in?next=/parents", action="/sign-in", phone=family.phone)
    body = portal_session.scalars(select(TextMessage.body).order_by(TextMessage.written_at.desc())).first()
    fill_in(client, "/sign-in/code", code=re.search(r"\d{6}", body)[0])
    portal_session.expire_all()
    assert portal_session.scalars(select(UnreachableNumber)).all() == []


@prepared
def failed(town):
    """A message about a returned application that did not arrive."""
    town.garden = town.kindergarten("金苹果", places=1)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.ana.registration_code = "K7MQ-0001"
    guardian = town.parent_of(town.ana)
    outbox.tell(
        town.session, "moved_up", account_id=guardian.account_id, child_id=town.ana.child_id,
        application_id=town.ana.id, key="failed", now=town.now,
    )  # fmt: skip
    town.session.flush()
    town.session.execute(
        update(Notice)
        .where(Notice.key == "failed")
        .values(state=MessageState.UNDELIVERABLE, last_error=DeliveryError.INVALID_NUMBER, tries=1)
    )
    town.session.commit()
    return town


def to_contact(town):
    town.session.expire_all()
    head = town.head_of(town.garden)
    return desk_contacts.families_to_contact(town.session, by=head, now=town.now)


def test_the_desk_calls_a_family_whose_message_did_not_arrive(failed, client):
    [family] = to_contact(failed)
    assert (family.application.id, family.error) == (failed.ana.id, DeliveryError.INVALID_NUMBER)
    failed.session.commit()
    sign_in(client, failed.head_of(failed.garden).account_id)
    page = client.get("/staff/desk").text
    assert "K7MQ-0001" in page and "号码不存在或已停机" in page


def test_the_desk_need_not_call_when_it_was_read_or_another_guardian_got_it(failed):
    notice = failed.session.scalars(select(Notice).where(Notice.key == "failed")).one()
    father = failed.second_guardian(failed.ana)
    outbox.tell(
        failed.session, "moved_up", account_id=father.account.id, child_id=failed.ana.child_id,
        application_id=failed.ana.id, key="other", now=notice.created_at,
    )  # fmt: skip
    failed.session.flush()
    assert to_contact(failed) == []
    failed.session.execute(update(Notice).where(Notice.key == "other").values(state=MessageState.GIVEN_UP))
    assert len(to_contact(failed)) == 1
    failed.session.execute(update(Notice).where(Notice.key == "failed").values(read_at=failed.now))
    assert to_contact(failed) == []


def test_officials_see_whom_failed_messages_concern_and_whether_the_gateway_works(failed, client, frozen_clock):
    sign_in(client, failed.city_official().account_id)
    page = client.get("/officials/2026/messages").text
    assert "K7MQ-0001" in page and "号码不存在或已停机" in page
    # \b: not the digits inside a random form token
    assert not re.search(r"\b1[3-9]\d{9}\b", page), "numbers are masked"
    assert "发送程序没有运行：验证码、通知" in page
    for lane in Lane:
        down = frozen_clock.now if lane == Lane.NOTICES else None
        sender_status.report(
            failed.session, lane, seen_at=frozen_clock.now, down_since=down, error=DeliveryError.NO_ANSWER
        )
    failed.session.commit()
    assert "短信服务商没有回答" in client.get("/officials/2026/messages").text
    frozen_clock.move(minutes=1)
    assert "发送程序没有运行" in client.get("/officials/2026/messages").text


def test_an_area_official_sees_only_messages_of_the_area(failed, client):
    seen = []
    for area in ("510107", "510104"):
        official = failed.area_official(area)
        failed.session.commit()
        sign_in(client, official.account_id)
        seen.append("K7MQ-0001" in client.get("/officials/2026/messages").text)
    assert seen == [False, True]


def test_a_number_rests_for_a_week_and_is_then_tried_again(town):
    from tests.support.sender import send_notices

    family = town.family("李")
    index = phone_index(family.phone)
    unreachable_numbers.remember(town.session, {index: DeliveryError.INVALID_NUMBER}, now=town.now)
    for days, sent in ((1, 0), (8, 1)):
        town.at(town.now + dt.timedelta(days=days))
        outbox.tell(
            town.session, "review_confirmed", account_id=family.account.id, key=f"{days}", now=town.now, code="x"
        )
        assert len(send_notices(town.session, town.now)) == sent
