"""Delivery receipts over real HTTP: the gateway calls the portal, signed, late, twice, for unknown messages, and forged."""

import dataclasses
import datetime as dt
import json
import threading
import uuid

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from enrollment.delivery import receipts as delivery_receipts
from enrollment.delivery import unreachable_numbers
from enrollment.delivery.receipts import Receipt
from enrollment.delivery.unreachable_numbers import UnreachableNumber
from enrollment.ground.accounts import Account
from enrollment.ground.db import open_engine
from enrollment.ground.outbox import DeliveryError, MessageState, Notice, TextMessage
from enrollment.ground.phones import phone_index
from enrollment.ground.sign_in import OneTimeCode
from portal.app import create_app
from portal.gateways import receipts
from portal.gateways.stand_ins.messages import TestGateway
from portal.gateways.stand_ins.receipts import ReceiptSender
from tests.operations.serving import eventually
from tests.support.sender import Outbox, number, settle_as_accepted

SECRET = "a secret of the portal and its gateway, for tests only"


@pytest.fixture
def engine_of_sender(real_database):
    engine = open_engine(real_database, pool_size=5)
    yield engine
    engine.dispose()


@pytest.fixture
def portal(engine_of_sender, redis_url):
    """The portal with a secret for receipts."""
    config = Outbox(engine_of_sender, receipt_secret=SECRET, demo=True, testing=True).config
    return create_app(dataclasses.replace(config, redis_url=redis_url), engine_of_sender)


@pytest.fixture
def address(portal):
    server = make_server("127.0.0.1", 0, portal, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/gateway/receipts"
    server.shutdown()
    thread.join()
    server.server_close()


def test_receipts_come_late_twice_and_among_forged_ones(address, engine_of_sender):
    with (
        ReceiptSender(address, SECRET, times=2, delay=0.3, noise=True) as sender,
        TestGateway(receipts=sender) as gateway,
    ):
        sender.errors[number(1)] = "invalid_number"
        outbox = Outbox(engine_of_sender, gateway.url)
        ids = outbox.add_codes(number(1), number(2)) + outbox.add_notices(number(3))
        with outbox.sending():
            eventually(lambda: outbox.states(ids) == ["undeliverable", "delivered", "delivered"])
        eventually(lambda: len(sender.answers) == 3 * 5)
    assert sorted(set(sender.answers)) == [200, 403]
    assert sender.answers.count(403) == 3 * 2, "forged ones, and those signed long ago"
    assert outbox.states(ids) == ["undeliverable", "delivered", "delivered"]
    assert outbox.row(ids[1]).provider_id.startswith("m")
    assert outbox.row(ids[1]).delivered_at is not None
    with Session(engine_of_sender) as session:
        assert session.scalar(select(func.count()).select_from(UnreachableNumber)) == 1


def post(portal, body: bytes, signature: str | None):
    headers = {} if signature is None else {receipts.HEADER: signature}
    return portal.test_client().post("/gateway/receipts", data=body, headers=headers).status_code


def test_only_a_fresh_signature_over_this_body_is_accepted(portal):
    body, now = json.dumps({"receipts": []}).encode(), dt.datetime.now(dt.UTC)
    good = receipts.sign(SECRET, body, at=now)
    assert post(portal, body, good) == 200
    assert post(portal, body + b" ", good) == 403
    assert post(portal, body, receipts.sign(SECRET, body, at=now - 2 * receipts.WINDOW)) == 403
    assert post(portal, body, receipts.sign(SECRET, body, at=now + 2 * receipts.WINDOW)) == 403
    assert post(portal, body, receipts.sign("another secret", body, at=now)) == 403
    for odd in (None, "", "t=,v1=", "t=x", "v1=" + "0" * 64, "t=1,t=2,v1=\xe9", "=,="):
        assert post(portal, body, odd) == 403, odd


def test_a_signed_body_that_is_no_receipt_is_refused(portal):
    for body in (b"[]", b"{", b'{"receipts": 7}', b'{"receipts": [7]}', b'{"receipts": [{}]}'):
        assert post(portal, body, receipts.sign(SECRET, body, at=dt.datetime.now(dt.UTC))) == 400, body


def test_a_receipt_for_something_unknown_is_ignored(portal):
    rows = [
        {"key": "no uuid", "status": "delivered"},
        {"key": str(uuid.uuid4()), "status": "delivered"},
        {"key": str(uuid.uuid4()), "status": "on its way"},
    ]
    body = json.dumps({"receipts": rows}).encode()
    assert post(portal, body, receipts.sign(SECRET, body, at=dt.datetime.now(dt.UTC))) == 200


def test_without_a_secret_there_is_no_such_address(client):
    assert client.post("/gateway/receipts", data=b"{}").status_code == 404


def test_a_delivered_message_stays_delivered_and_its_number_is_forgotten(engine_of_sender):
    outbox = Outbox(engine_of_sender)
    [code] = outbox.add_codes(number(1))
    now = dt.datetime.now(dt.UTC)
    failed, arrived = Receipt(code, DeliveryError.INVALID_NUMBER), Receipt(code)
    settle_as_accepted(engine_of_sender, outbox.policies()[0])
    for receipt, state, known in (
        (failed, MessageState.UNDELIVERABLE, 1),
        (failed, MessageState.UNDELIVERABLE, 1),
        (arrived, MessageState.DELIVERED, 0),
        (failed, MessageState.DELIVERED, 0),
    ):
        with Session(engine_of_sender) as session, session.begin():
            delivery_receipts.store(session, [receipt], now=now)
            assert session.scalar(select(func.count()).select_from(UnreachableNumber)) == known
        assert outbox.states([code]) == [state]


def test_a_receipt_may_overtake_the_answer(engine_of_sender):
    """It ends a message that is still being sent; the outcome that comes after it is not stored."""
    outbox = Outbox(engine_of_sender)
    [code] = outbox.add_codes(number(1))

    def receipt_comes(session):
        assert delivery_receipts.store(session, [Receipt(code)], now=dt.datetime.now(dt.UTC)) == 1

    settle_as_accepted(engine_of_sender, outbox.policies()[0], before_it=receipt_comes)
    assert outbox.states([code]) == ["delivered"]


HOUR = dt.timedelta(hours=1)
DEAD = DeliveryError.INVALID_NUMBER


def sent_notices(outbox: Outbox, *numbers: str, ago: dt.timedelta = HOUR) -> list[uuid.UUID]:
    """Notices that the gateway accepted so long ago."""
    ids = outbox.add_notices(*numbers)
    values = {"state": MessageState.SENT, "sent_at": dt.datetime.now(dt.UTC) - ago}
    with Session(outbox.engine) as session, session.begin():
        session.execute(update(Notice).where(Notice.id.in_(ids)).values(values))
    return ids


def take(outbox: Outbox, *receipts: Receipt) -> list[bytes]:
    """Store receipts; the numbers that do not receive now."""
    with Session(outbox.engine) as session, session.begin():
        delivery_receipts.store(session, receipts, now=dt.datetime.now(dt.UTC))
    with Session(outbox.engine) as session:
        return list(session.scalars(select(UnreachableNumber.phone_index).order_by(UnreachableNumber.last_at)))


def change_number(outbox: Outbox, notice: uuid.UUID, phone: str) -> None:
    """The account of this notice changes to another number now."""
    with Session(outbox.engine) as session, session.begin():
        account = session.get_one(Account, session.get_one(Notice, notice).account_id)
        account.phone, account.phone_index, account.phone_proven_at = phone, phone_index(phone), dt.datetime.now(dt.UTC)


def enter_a_code(outbox: Outbox, phone: str, *, ago: dt.timedelta) -> None:
    """Somebody entered the code that was sent to the phone."""
    at = dt.datetime.now(dt.UTC) - ago
    code = OneTimeCode(phone_index=phone_index(phone), digest=b"", sent_at=at, expires_at=at, used_at=at)
    with Session(outbox.engine) as session, session.begin():
        session.add(code)


@pytest.mark.parametrize("first", ["failed", "arrived"])
def test_a_receipt_for_the_old_number_says_nothing_about_the_new_one(engine_of_sender, first):
    outbox = Outbox(engine_of_sender)
    [old, late] = sent_notices(outbox, number(1), number(3))
    new = number(2)
    change_number(outbox, old, new)
    if first == "failed":
        assert take(outbox, Receipt(old, DEAD), Receipt(late, DEAD)) == [phone_index(number(3))]
        assert outbox.states([old, late]) == ["undeliverable"] * 2
    else:
        with Session(outbox.engine) as session, session.begin():
            unreachable_numbers.remember(session, {phone_index(new): DEAD}, now=dt.datetime.now(dt.UTC))
        assert take(outbox, Receipt(old)) == [phone_index(new)], "the old number has received, not the new one"


def test_a_late_receipt_does_not_outweigh_a_code_that_was_entered_since(engine_of_sender):
    """A sign-in does not write every proof on the account, so the codes are looked at too."""
    outbox = Outbox(engine_of_sender)
    [text] = outbox.add_codes(number(2))
    [notice, before] = sent_notices(outbox, number(1), number(3))
    settle_as_accepted(engine_of_sender, outbox.policies()[0])
    with Session(engine_of_sender) as session, session.begin():
        session.execute(update(TextMessage).values(sent_at=dt.datetime.now(dt.UTC) - HOUR))
    for phone in (number(1), number(2)):
        enter_a_code(outbox, phone, ago=HOUR / 2)
    enter_a_code(outbox, number(3), ago=HOUR * 2)
    failed = [Receipt(each, DEAD) for each in (notice, text, before)]
    assert take(outbox, *failed) == [phone_index(number(3))], "its code was entered before the message was sent"
    assert outbox.states([notice, text, before]) == ["undeliverable"] * 3


def test_a_number_that_received_a_newer_message_is_not_remembered(engine_of_sender):
    """In one batch or in two, in any order."""
    outbox = Outbox(engine_of_sender)
    pairs = []
    for n in range(4):
        [newer] = sent_notices(outbox, number(n), ago=HOUR / 2)
        account = select(Notice.account_id).where(Notice.id == newer)
        with Session(engine_of_sender) as session, session.begin():
            older = Notice(
                id=uuid.uuid4(), key=f"n:{uuid.uuid4()}", kind="review_confirmed", state=MessageState.SENT,
                account_id=session.scalar(account), params={}, created_at=dt.datetime.now(dt.UTC) - HOUR,
                sent_at=dt.datetime.now(dt.UTC) - HOUR,
            )  # fmt: skip
            session.add(older)
            session.flush()
            pairs.append((older.id, newer))
    assert take(outbox, Receipt(pairs[0][0], DEAD), Receipt(pairs[0][1])) == []
    assert take(outbox, Receipt(pairs[1][1])) == []
    assert take(outbox, Receipt(pairs[1][0], DEAD)) == []
    assert take(outbox, Receipt(pairs[2][0], DEAD)) == [phone_index(number(2))]
    assert take(outbox, Receipt(pairs[2][1])) == []
    dead = take(outbox, Receipt(pairs[3][0]), Receipt(pairs[3][1], DEAD))
    assert dead == [phone_index(number(3))], "the newer one was lost"


def test_two_codes_to_one_number_in_one_batch(engine_of_sender):
    outbox = Outbox(engine_of_sender)
    [older, newer] = outbox.add_codes(number(1), number(1))
    settle_as_accepted(engine_of_sender, outbox.policies()[0])
    with Session(engine_of_sender) as session, session.begin():
        session.execute(
            update(TextMessage).where(TextMessage.id == older).values(sent_at=dt.datetime.now(dt.UTC) - HOUR)
        )
    assert take(outbox, Receipt(older, DEAD), Receipt(newer)) == []


@pytest.mark.parametrize(
    ("state", "values", "ends"),
    [
        (MessageState.WAITING, {"last_error": DeliveryError.NO_ANSWER}, True),
        (MessageState.WAITING, {"last_error": None, "tries": 1}, True),
        (MessageState.GIVEN_UP, {"last_error": DeliveryError.UNCERTAIN, "tries": 1}, True),
        (MessageState.GIVEN_UP, {"last_error": DeliveryError.EXPIRED}, False),
        (MessageState.WAITING, {}, False),
    ],
)
def test_a_receipt_ends_a_message_that_was_sent_without_an_answer(engine_of_sender, state, values, ends):
    outbox = Outbox(engine_of_sender)
    [notice], [code] = outbox.add_notices(number(1)), outbox.add_codes(number(2))
    with Session(engine_of_sender) as session, session.begin():
        for table in (Notice, TextMessage):
            session.execute(update(table).values(state=state, **values))
    dead = take(outbox, Receipt(notice, DEAD), Receipt(code, DEAD))
    assert set(dead) == ({phone_index(number(1)), phone_index(number(2))} if ends else set())
    assert outbox.states([notice, code]) == [MessageState.UNDELIVERABLE if ends else state] * 2
