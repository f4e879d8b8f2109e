"""Delivery receipts over real HTTP: the gateway calls the portal, signed, late, twice, for unknown messages, and forged."""

import dataclasses
import datetime as dt
import json
import threading
import uuid

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from enrollment.delivery import receipts as delivery_receipts
from enrollment.delivery.receipts import Receipt
from enrollment.delivery.unreachable_numbers import UnreachableNumber
from enrollment.ground.db import open_engine
from enrollment.ground.outbox import DeliveryError, MessageState
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
