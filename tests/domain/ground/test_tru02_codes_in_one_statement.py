"""A code for a sign-in is asked for and used in one statement, with the limits and the outcomes of `sign_in`."""

import datetime as dt
import random
from contextlib import contextmanager

import pytest
from sqlalchemy import select, text, update

from enrollment.delivery import code_statements, unreachable_numbers
from enrollment.delivery.unreachable_numbers import UnreachableNumber
from enrollment.ground import sign_in
from enrollment.ground.outbox import DeliveryError, MessageState, TextMessage
from enrollment.ground.phones import phone_index
from enrollment.ground.sign_in import Asker, OneTimeCode

PHONE = "13800001111"
ASKERS = [Asker(browser, address, known) for browser in "ab" for address in "xyzw" for known in (False, True)]


@contextmanager
def undone(session):
    with session.begin_nested() as point:
        yield
        point.rollback()
    session.expire_all()


def code_rows(session) -> list[tuple]:
    rows = session.scalars(select(OneTimeCode).execution_options(populate_existing=True))
    return sorted(
        (row.browser, row.address, row.known, row.tries, row.sent_at, row.expires_at, row.used_at is None)
        for row in rows
    )


def ask(session, asker, now, phone=PHONE) -> str | None:
    """The code of the message."""
    sent = code_statements.ask(session, phone, words=lambda code: f"【】{code}", now=now, asker=asker)
    return None if sent is None else session.get_one(TextMessage, sent.message_id).body[-6:]


@pytest.mark.parametrize("seed", range(4))
def test_TRU02_a_code_is_given_or_refused_as_the_limits_say(session, now, seed):
    chance, moment = random.Random(seed), now
    for _request in range(60):
        moment += dt.timedelta(seconds=chance.randint(0, 240))
        asker = chance.choice(ASKERS[: chance.choice([2, 6, 16])])
        with undone(session):
            expected = sign_in.send_code(session, PHONE, now=moment, asker=asker) is not None
            rows = code_rows(session)
        given = ask(session, asker, moment)
        assert (given is not None) == expected
        assert code_rows(session) == rows


def test_TRU02_the_message_of_a_code_goes_before_others_and_expires_with_it(session, now):
    code = ask(session, ASKERS[0], now)
    message = session.scalars(select(TextMessage)).one()
    assert (message.to, message.state, message.tries, message.written_at) == (PHONE, "waiting", 0, now)
    assert message.expires_at == now + sign_in.CODE_LIFETIME
    assert code.isdigit()
    assert len(code) == 6


WAITING = text("""
    WITH asked AS (
        INSERT INTO one_time_code (id, phone_index, digest, browser, address, known, tries, sent_at, expires_at)
        SELECT gen_random_uuid(), sha256(number::text::bytea), '', 'b', 'x', true, 0, :now, :until
        FROM generate_series(1, 5000) AS number RETURNING id)
    INSERT INTO text_message (id, key, "to", body, written_at, expires_at, state, tries)
    SELECT id, id::text, '', '', :now, :until, 'waiting', 0 FROM asked
""")
READ = text(
    "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'text_message'"
)


@pytest.mark.parametrize("asker", [ASKERS[0], ASKERS[1]], ids=["stranger", "known"])
def test_TRU02_a_code_costs_no_more_while_the_gateway_is_slow(session, now, asker):
    """In the first hour of a registration thousands of codes wait: none of them is read for one more, also by a plan that was
    made when nothing waited."""
    session.execute(text("SET LOCAL enable_bitmapscan = off"))
    for number in range(12):
        ask(session, asker, now, phone=f"139000000{number:02}")
    session.execute(WAITING, {"now": now, "until": now + sign_in.CODE_LIFETIME})
    ask(session, asker, now)
    before = session.scalar(READ) or 0
    assert ask(session, asker, now + dt.timedelta(minutes=1)) is not None
    assert session.scalar(READ) - before <= 20


def states(session) -> list[str]:
    found = select(TextMessage).order_by(TextMessage.written_at).execution_options(populate_existing=True)
    return [message.state for message in session.scalars(found)]


def test_TRU02_a_newer_code_withholds_what_waits_of_the_older_ones(session, now):
    """After a minute without a gateway they would arrive in any order, while only the newest code is good."""
    minute = dt.timedelta(minutes=1)
    ask(session, ASKERS[0], now)
    ask(session, ASKERS[-1], now + minute)
    newest = ask(session, ASKERS[0], now + 2 * minute)
    ask(session, ASKERS[0], now + 3 * minute, phone="13800002222")
    assert states(session) == ["withheld", "waiting", "waiting", "waiting"], "of this phone and this browser alone"
    assert code_statements.use(session, PHONE, newest, now=now + 3 * minute, asker=ASKERS[0]) is not None


@pytest.mark.parametrize("state", [state for state in MessageState if state != MessageState.WAITING])
def test_TRU02_a_code_that_was_taken_to_be_sent_stays_as_it_is(session, now, state):
    ask(session, ASKERS[0], now)
    session.execute(update(TextMessage).values(state=state))
    ask(session, ASKERS[0], now + dt.timedelta(minutes=1))
    assert states(session) == [state, "waiting"]


def test_TRU02_a_code_that_is_refused_withholds_nothing(session, now):
    for _request in range(sign_in.CODES_AN_HOUR):
        ask(session, ASKERS[0], now)
    before = states(session)
    assert ask(session, ASKERS[0], now) is None
    assert states(session) == before
    assert before.count("waiting") == 1


@pytest.mark.parametrize("seed", range(4))
def test_TRU02_a_code_is_used_once_for_its_asker_within_its_time_and_tries(session, now, seed):
    chance, moment, codes = random.Random(100 + seed), now, []
    for _act in range(50):
        moment += dt.timedelta(seconds=chance.randint(0, 200))
        asker = chance.choice(ASKERS[::2][:3])
        if not codes or chance.random() < 0.3:
            codes.append(ask(session, asker, moment) or "000000")
            continue
        entered = chance.choice([codes[-1], codes[-1], chance.choice(codes), "111111"])
        with undone(session):
            expected = sign_in.use_code(session, PHONE, entered, now=moment, asker=asker)
            rows = code_rows(session)
        used = code_statements.use(session, PHONE, entered, now=moment, asker=asker)
        assert (used is not None) == expected
        assert code_rows(session) == rows


def test_TRU02_a_used_code_gives_the_account_and_proves_that_the_number_receives(session, now, town):
    family = town.family("李", phone=PHONE)
    unreachable_numbers.remember(session, {phone_index(PHONE): DeliveryError.INVALID_NUMBER}, now=now)
    code = ask(session, ASKERS[0], now)
    assert code_statements.use(session, PHONE, "x", now=now, asker=ASKERS[0]) is None
    assert session.scalars(select(UnreachableNumber)).all()
    session.expire_all()
    used = code_statements.use(session, PHONE, code, now=now, asker=ASKERS[0])
    assert used.account.id == family.account.id
    assert [grant.role for grant in used.account.grants] == ["guardian"]
    assert not session.scalars(select(UnreachableNumber)).all()


def test_TRU02_a_new_number_has_no_account_yet(session, now):
    code = ask(session, ASKERS[0], now)
    assert code_statements.use(session, PHONE, code, now=now, asker=ASKERS[0]).account is None
