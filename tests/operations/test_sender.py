"""The sender through a real gateway over HTTP: each message has its own fate, whatever the gateway does (TRU01, TRU02)."""

import dataclasses
import datetime as dt
import time
import uuid

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from enrollment.delivery import claims, settlement
from enrollment.delivery.lanes import Lane, Uncertain, policy_of_codes, policy_of_notices
from enrollment.delivery.settlement import Outcome, Verdict
from enrollment.delivery.unreachable_numbers import UnreachableNumber
from enrollment.ground.db import open_engine
from enrollment.ground.outbox import DeliveryError, TextMessage
from enrollment.ground.phones import phone_index
from portal.gateways import messages
from portal.gateways.messages import read_answer
from portal.gateways.stand_ins.messages import Mood, TestGateway
from portal.sender import breaker as breakers
from portal.sender import threads
from portal.sender.pace import Pace
from tests.operations.serving import eventually
from tests.support.sender import Outbox, number


@pytest.fixture
def engine_of_sender(real_database):
    engine = open_engine(real_database, pool_size=4)
    yield engine
    engine.dispose()


@pytest.fixture
def gateway():
    with TestGateway() as gateway:
        yield gateway


@pytest.fixture
def outbox(engine_of_sender, gateway):
    return Outbox(engine_of_sender, gateway.url)


@pytest.fixture
def quick_probes(monkeypatch):
    monkeypatch.setattr(breakers, "SHORTEST_PROBE", 0.05)
    monkeypatch.setattr(breakers, "LONGEST_PROBE", 0.2)
    monkeypatch.setattr(threads, "WHILE_DOWN", (0.05, 0.2))


def delivered_once(gateway, ids) -> bool:
    return all(gateway.delivered.get(str(each)) and gateway.delivered[str(each)].times == 1 for each in ids)


def test_tru01_a_refused_number_holds_up_nobody(outbox, gateway):
    """Anybody can plant such a number; it was the oldest of one transaction, and nothing behind it was ever sent."""
    bad, faulty = number(1), number(2)
    gateway.refused[bad] = "invalid_number"
    gateway.faulty_numbers.add(faulty)
    planted = outbox.add_codes(bad, faulty) + outbox.add_notices(number(3))
    others = outbox.add_codes(*map(number, range(10, 25))) + outbox.add_notices(*map(number, range(30, 45)))
    with outbox.sending():
        eventually(lambda: set(outbox.states(others)) == {"sent"})
        eventually(lambda: outbox.states(planted[:1]) == ["undeliverable"])
    assert outbox.states(planted) == ["undeliverable", "waiting", "sent"]
    waiting = outbox.row(planted[1])
    assert (waiting.tries, waiting.last_error) == (1, DeliveryError.GATEWAY_FAULT)
    assert waiting.next_try_at > dt.datetime.now(dt.UTC)
    assert delivered_once(gateway, others)


def test_tru01_a_dead_number_is_remembered_and_gets_no_notice_but_its_codes(outbox, gateway, engine_of_sender):
    dead = number(1)
    gateway.refused[dead] = "invalid_number"
    first = outbox.add_codes(dead)
    with outbox.sending():
        eventually(lambda: outbox.states(first) == ["undeliverable"])
        notices = outbox.add_notices(dead)
        eventually(lambda: outbox.states(notices) == ["undeliverable"])
        assert gateway.calls[str(notices[0])] == 0
        assert outbox.row(notices[0]).last_error == DeliveryError.UNREACHABLE_NUMBER
        gateway.refused.clear()
        again = outbox.add_codes(dead)
        eventually(lambda: outbox.states(again) == ["sent"])
    with Session(engine_of_sender) as session:
        assert session.scalars(select(UnreachableNumber.phone_index)).all() == [phone_index(dead)]


def test_tru02_messages_are_marked_one_by_one_through_a_slow_gateway(outbox, gateway, capsys):
    """600 texts through 130 ms; the rate is printed here and measured by `make bench-messages`."""
    gateway.delay = 0.13
    ids = outbox.add_notices(*map(number, range(600)))
    with outbox.sending():
        eventually(lambda: len(gateway.delivered) > 100)
        code = outbox.add_codes(number(9999))
        began = time.monotonic()
        eventually(lambda: gateway.delivered.get(str(code[0])))
        assert len(gateway.delivered) < 600, "the code did not wait for the notices"
        waited = time.monotonic() - began
        eventually(lambda: set(outbox.states(ids)) == {"sent"})
    assert delivered_once(gateway, ids)
    assert gateway.calls.total() == 601
    found = gateway.summary()
    with capsys.disabled():
        print(f"\n{found['delivered'] / found['seconds']:.0f} a second through 130 ms; a code within {waited:.2f} s")


def test_messages_that_are_refused_for_an_unknown_reason_are_given_up_and_the_others_sent(
    outbox, gateway, quick_probes, monkeypatch
):
    """More of them in a row than make a gateway count as down."""
    refused = [number(n) for n in range(breakers.FAILURES + 3)]
    gateway.refused |= dict.fromkeys(refused, "blacklisted")
    policy = dataclasses.replace(quick_policy(), give_up_after=dt.timedelta(seconds=0.3))
    monkeypatch.setattr("tests.support.sender.policies", lambda _config: [policy])
    ids = outbox.add_notices(*refused)
    with outbox.sending(threads=1) as breaker:
        eventually(lambda: gateway.calls.total() > breakers.FAILURES)
        assert not breaker.is_down
        others = outbox.add_notices(number(40), number(41))
        eventually(lambda: outbox.states(others) == ["sent"] * 2)
        eventually(lambda: set(outbox.states(ids)) == {"given_up"})
        assert not breaker.is_down
    assert {outbox.row(each).last_error for each in ids} == {DeliveryError.MESSAGE_REFUSED}


@pytest.mark.parametrize(
    ("status", "body", "down"),
    [
        (400, b'{"error": "blacklisted"}', False),
        (400, b"", False),
        (409, b'{"error": "in progress"}', False),
        (422, b'{"errors": []}', False),
        (400, b"<html>The plain HTTP request was sent to HTTPS port</html>", True),
        (402, b'{"error": "no money left"}', True),
        (404, b'{"detail": "Not Found"}', True),
        (408, b"", True),
        (500, b'{"error": "blacklisted"}', True),
    ],
)
def test_an_answer_that_any_message_would_get_counts_as_down_and_one_about_the_message_does_not(status, body, down):
    attempt = read_answer(status, body, None)
    assert (attempt.verdict, attempt.down) == (Verdict.FAILED, down)


def test_a_gateway_that_is_down_uses_up_no_tries(outbox, gateway, quick_probes):
    gateway.go_down()
    ids = outbox.add_notices(*map(number, range(40))) + outbox.add_codes(number(50))
    with outbox.sending() as breaker:
        eventually(lambda: breaker.is_down)
        time.sleep(1)
        assert set(outbox.states(ids)) <= {"waiting", "sending"}
        assert max(outbox.row(each).tries for each in ids) <= 1
        gateway.come_up()
        eventually(lambda: set(outbox.states(ids)) == {"sent"})
        assert not breaker.is_down
    assert delivered_once(gateway, ids)


@pytest.mark.parametrize(
    "mood",
    [
        Mood.FAULTY,
        *(
            pytest.param(mood, marks=pytest.mark.long)
            for mood in (Mood.WRONG, Mood.CLOSING, Mood.NOT_AUTHORISED, Mood.FORGETFUL, Mood.TOO_FAST)
        ),
    ],
)
def test_each_fault_of_a_gateway_ends_with_every_message_sent_once(outbox, gateway, quick_probes, mood):
    gateway.mood = mood
    ids = outbox.add_codes(*map(number, range(12)))
    with outbox.sending(threads=4):
        eventually(lambda: gateway.calls.total() >= 4)
        time.sleep(0.3)
        assert "given_up" not in outbox.states(ids) and "undeliverable" not in outbox.states(ids)
        gateway.mood = Mood.WELL
        eventually(lambda: set(outbox.states(ids)) == {"sent"})
    assert delivered_once(gateway, ids)


@pytest.mark.long
def test_a_hanging_gateway_holds_a_code_for_five_seconds_only(outbox, gateway, quick_probes):
    gateway.mood = Mood.HANGING
    ids = outbox.add_codes(number(1))
    with outbox.sending():
        eventually(lambda: gateway.calls.total() == 1)
        gateway.mood = Mood.WELL
        eventually(lambda: outbox.states(ids) == ["sent"])
    assert gateway.calls[str(ids[0])] == 2, "with the same key, which the gateway knows"
    assert delivered_once(gateway, ids)


def test_a_gateway_that_answers_byte_by_byte_is_given_up_as_a_silent_one(outbox, gateway, quick_probes, monkeypatch):
    """Each byte came before the timeout of a read, so that all threads of a lane hung for as long as the gateway liked."""
    monkeypatch.setattr(messages, "TIMEOUT", 0.4)
    gateway.mood, gateway.drip = Mood.DRIPPING, 0.1
    ids = outbox.add_codes(*map(number, range(8)))
    with outbox.sending() as breaker:
        eventually(lambda: breaker.is_down)
        assert breaker.error == DeliveryError.NO_ANSWER
        gateway.mood = Mood.WELL
        eventually(lambda: set(outbox.states(ids)) == {"sent"})
    assert max(gateway.calls.values()) > 1, "with the same key, which the gateway knows"
    assert delivered_once(gateway, ids)


NOTICES, CODES = "【", "code for"
"""What the texts of the two lanes hold."""


def test_a_gateway_that_refuses_notices_for_a_minute_takes_codes_all_the_while(outbox, gateway):
    """Nobody could sign in for a minute, again and again, until 250,000 notices were sent."""
    gateway.too_fast_for, gateway.retry_after = NOTICES, 60
    notices = outbox.add_notices(*map(number, range(100)))
    with outbox.sending():
        eventually(lambda: gateway.calls.total() > 0)
        codes = outbox.add_codes(*map(number, range(200, 203)))
        began = time.monotonic()
        eventually(lambda: outbox.states(codes) == ["sent"] * 3)
        assert time.monotonic() - began < 10
        asked = gateway.calls.total()
        time.sleep(1)
        assert gateway.calls.total() == asked, "no notice is tried in the pause, not even one that was claimed before"
    assert set(outbox.states(notices)) == {"waiting"}
    assert {outbox.row(each).tries for each in notices} == {0}


def test_a_code_that_is_refused_with_429_is_tried_again_soon(outbox, gateway):
    gateway.too_fast_for, gateway.retry_after = CODES, 60
    codes = outbox.add_codes(*map(number, range(3)))
    with outbox.sending():
        eventually(lambda: gateway.calls.total() > 0)
        notices = outbox.add_notices(*map(number, range(10, 15)))
        eventually(lambda: set(outbox.states(notices)) == {"sent"})
        assert set(outbox.states(codes)) <= {"waiting", "sending"}
        gateway.too_fast_for = None
        began = time.monotonic()
        eventually(lambda: set(outbox.states(codes)) == {"sent"})
        assert time.monotonic() - began < 10
    assert delivered_once(gateway, codes + notices)


def test_notices_go_on_later_than_codes_and_with_few_at_first():
    moment = 0.0
    notices = Pace(Lane.NOTICES, monotonic=lambda: moment)
    codes = Pace(Lane.CODES, notices, monotonic=lambda: moment)
    assert notices.allowance(500, in_hand=0) == 500
    assert notices.pause(60) == 61
    assert (notices.allowance(500, in_hand=0), codes.allowance(16, in_hand=0)) == (0, 16)
    moment = 60.5
    assert notices.allowance(500, in_hand=0) == 0
    moment = 61.5
    assert notices.allowance(500, in_hand=0) == 2
    notices.served()
    assert (notices.allowance(500, in_hand=1), notices.allowance(500, in_hand=3)) == (2, 0)
    for _message in range(1000):
        notices.served()
    assert notices.allowance(500, in_hand=100) == 500
    assert codes.pause(60) == 2, "a person waits for it"
    assert (codes.allowance(16, in_hand=0), notices.allowance(500, in_hand=0)) == (0, 2), "notices make room"
    moment += 2
    assert codes.allowance(16, in_hand=0) == 2


@pytest.mark.long
def test_an_unsteady_gateway_loses_nothing_and_sends_nothing_twice(outbox, gateway, quick_probes, monkeypatch):
    gateway.unsteady = 0.3
    ids = outbox.add_notices(*map(number, range(150)))
    monkeypatch.setattr("tests.support.sender.policies", lambda _config: [quick_policy()])
    with outbox.sending():
        eventually(lambda: set(outbox.states(ids)) == {"sent"})
    assert delivered_once(gateway, ids)


def quick_policy():
    policy = policy_of_notices()
    return policy.__class__(
        policy.lane, policy.lease, dt.timedelta(seconds=0.05), dt.timedelta(seconds=0.5), dt.timedelta(hours=1)
    )


def test_a_code_that_expired_is_not_sent(outbox, gateway):
    late, other = outbox.add_codes(number(1), lasts=dt.timedelta(seconds=-1)), outbox.add_codes(number(2))
    with outbox.sending():
        eventually(lambda: outbox.states(late + other) == ["given_up", "sent"])
    assert outbox.row(late[0]).last_error == DeliveryError.EXPIRED
    assert gateway.calls[str(late[0])] == 0


def test_a_message_that_cannot_be_read_or_put_into_words_holds_up_nobody(outbox, gateway, engine_of_sender):
    ids = outbox.add_codes(number(1)) + outbox.add_notices(number(2), number(3))
    with engine_of_sender.begin() as connection:
        connection.exec_driver_sql("UPDATE text_message SET body = '\\x01026b31'")
        connection.exec_driver_sql("UPDATE notice SET kind = 'nobody_wrote_this' WHERE id = %s", (ids[1],))
    more = outbox.add_codes(number(4))
    with outbox.sending():
        eventually(lambda: outbox.states(ids[2:] + more) == ["sent", "sent"])
        eventually(lambda: fates(engine_of_sender, ids[:2]) == [(1, "no_text"), (1, "no_text")])


def fates(engine, ids) -> list[tuple[int, str | None]]:
    """Tries and error of messages whose content cannot be read."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT id, tries, last_error FROM text_message UNION ALL SELECT id, tries, last_error FROM notice"
        )
        by_id = {row.id: (row.tries, row.last_error) for row in found}
    return [by_id[each] for each in ids]


def test_a_stopped_sender_finishes_what_it_holds(outbox, gateway):
    """SIGTERM: nothing stays claimed, so the next sender need not wait for a lease."""
    gateway.delay = 0.2
    ids = outbox.add_notices(*map(number, range(200)))
    with outbox.sending(threads=8):
        eventually(lambda: len(gateway.delivered) > 8)
    states = outbox.states(ids)
    assert set(states) == {"sent", "waiting"}
    assert states.count("sent") == len(gateway.delivered)


def test_a_message_is_given_up_after_the_hours_of_the_policy(engine_of_sender):
    """The tries that fit into the hours are counted, so that hours without a gateway do not count."""
    outbox = Outbox(engine_of_sender)
    [notice] = outbox.add_notices(number(1))
    policy = policy_of_notices(give_up_hours=24)
    token, now = uuid.uuid4(), dt.datetime.now(dt.UTC)
    began, tries = now, 0
    while outbox.states([notice]) == ["waiting"]:
        with Session(engine_of_sender) as session, session.begin():
            [message] = claims.claim(session, policy, 5, token=token, now=now)
            failed = Outcome(message, Verdict.FAILED, DeliveryError.GATEWAY_FAULT)
            settlement.settle(session, policy, [failed], token=token, now=now)
        tries += 1
        now = max(outbox.row(notice).next_try_at, now)
        assert tries < 100
    assert outbox.states([notice]) == ["given_up"]
    assert dt.timedelta(hours=17) < now - began < dt.timedelta(hours=31), "24 hours, with jitter"


@pytest.mark.parametrize(("uncertain", "state"), [(Uncertain.SEND_AGAIN, "waiting"), (Uncertain.GIVE_UP, "given_up")])
def test_what_a_killed_sender_held_is_sent_again_or_given_up_as_the_lane_says(engine_of_sender, uncertain, state):
    outbox = Outbox(engine_of_sender)
    [code] = outbox.add_codes(number(1))
    policy = policy_of_codes(uncertain)
    token, now = uuid.uuid4(), dt.datetime.now(dt.UTC)
    with Session(engine_of_sender) as session, session.begin():
        [message] = claims.claim(session, policy, 5, token=token, now=now)
        assert claims.claim(session, policy, 5, token=token, now=now) == []
        assert claims.requeue_expired(session, policy) == 0
        session.execute(update(TextMessage).values(lease_until=now - policy.lease))
        assert claims.requeue_expired(session, policy) == 1
        settlement.settle(session, policy, [Outcome(message, Verdict.ACCEPTED)], token=token, now=now)
    assert outbox.states([code]) == [state], "an outcome that comes after the lease is not stored"
