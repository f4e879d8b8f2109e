"""TRU15: an alarm reaches the operator by message, once when it begins and once when it is over, by really stopping things."""

import dataclasses
import datetime as dt
import threading
import time

import pytest
from redis import Redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enrollment.delivery import sender_status
from enrollment.delivery.lanes import Lane
from enrollment.ground import jobs, outbox, sign_in
from enrollment.ground.accounts import Account
from enrollment.ground.db import open_engine
from enrollment.ground.operations import alarms as alarm_rows
from enrollment.ground.operations.alarms import Alarm, AlarmCode
from enrollment.ground.outbox import TextMessage
from enrollment.ground.sign_in import Asker
from portal.config import Config, Unconfigured, from_environment
from portal.gateways.stand_ins.messages import TestGateway
from portal.jobs import alarms, runner
from portal.jobs.scheduler import Scheduler
from portal.operations import doctor, overdue_work
from portal.operations.embedded import Valkey
from portal.web.clock import real_now
from tests.operations.serving import environment
from tests.operations.test_tru15_backup import settings_of
from tests.support.keys import KEYS

PHONES = ("+8613900000001", "+8613900000002")


@pytest.fixture
def engine(real_database):
    engine = open_engine(real_database)
    yield engine
    engine.dispose()


@pytest.fixture
def valkey(tmp_path):
    server = Valkey(tmp_path / "valkey", tmp_path / "valkey.log", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def gateway():
    with TestGateway() as gateway:
        yield gateway


@pytest.fixture
def scheduler(engine, real_database, valkey, gateway, monkeypatch, tmp_path):
    monkeypatch.setattr(alarms, "PATIENCE", dict.fromkeys(alarms.PATIENCE, 0.1))
    monkeypatch.setattr(alarms, "INTERVAL", 0.0)
    monkeypatch.setattr(alarms, "CALM", 0.0)
    runner.load_handlers()
    config = Config(
        database_url=real_database, redis_url=valkey.url(), secret_key="for tests only", keys=KEYS, testing=True,
        message_gateway=gateway.url, alarm_phones=PHONES, alarm_language="en",
    )  # fmt: skip
    with Redis.from_url(valkey.url()) as queue:
        yield Scheduler(engine, queue, lambda _session: real_now(), schedule=(), config=config)


def cycles(scheduler: Scheduler, seconds: float = 0.3) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        scheduler.enqueue_jobs()


def told(engine) -> list[str]:
    with Session(engine) as session:
        return [message.body for message in session.scalars(select(TextMessage).order_by(TextMessage.key))]


def test_tru15_a_killed_queue_is_told_once_and_once_when_it_is_back(scheduler, engine, valkey):
    cycles(scheduler)
    assert told(engine) == []
    valkey.child.process.kill()
    valkey.child.process.wait()
    cycles(scheduler, 1.5)
    with Session(engine) as session:
        bodies = [message.body for message in session.scalars(select(TextMessage))]
        assert len(bodies) == len(PHONES)
        assert "Alarm: the queue does not answer" in bodies[0]
        assert {message.to for message in session.scalars(select(TextMessage))} == set(PHONES)
        assert all(message.expires_at for message in session.scalars(select(TextMessage))), "the lane of codes"
        with pytest.raises(doctor.Unwell, match="the queue does not answer since"):
            overdue_work.open_alarms(session)
    valkey.start()
    cycles(scheduler)
    over = [body for body in told(engine) if "Over: the queue does not answer" in body]
    assert len(over) == len(PHONES)
    cycles(scheduler)
    assert len(told(engine)) == 2 * len(PHONES)


def test_tru15_a_database_that_refuses_is_told_directly_to_the_gateway(
    scheduler, engine, addresses, real_database, gateway
):
    cycles(scheduler)
    name = real_database.rpartition("/")[2].partition("?")[0]
    with addresses.administer() as administrator:
        administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        administrator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        cycles(scheduler, 2.0)
        assert sorted((each.to, each.times) for each in gateway.delivered.values()) == [(phone, 1) for phone in PHONES]
        administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    cycles(scheduler)
    texts = [each.text for each in gateway.delivered.values()]
    assert sum("Alarm: the database does not answer" in each for each in texts) == len(PHONES)
    assert sum("Over: the database does not answer" in each for each in texts) == len(PHONES)


def test_tru15_clocks_that_differ_are_told_and_when_they_agree_again(scheduler, engine, monkeypatch):
    cycles(scheduler)
    with monkeypatch.context() as wrong:
        wrong.setattr("portal.web.clock.database_now", lambda _session: real_now() - dt.timedelta(seconds=8))
        cycles(scheduler)
        assert [body for body in told(engine) if "Alarm: the clocks of host and database differ" in body]
        assert len(told(engine)) == len(PHONES)
    cycles(scheduler)
    assert len([body for body in told(engine) if "Over: the clocks of host and database differ" in body]) == len(PHONES)


def test_tru15_a_stopped_sender_is_told_past_the_outbox(scheduler, engine, gateway):
    with Session(engine) as session, session.begin():
        session.execute(
            text("INSERT INTO sender_status (lane, seen_at) VALUES ('codes', now() - interval '3 minutes')")
        )
    cycles(scheduler)
    assert "messages are not being sent" in next(iter(gateway.delivered.values())).text
    with Session(engine) as session, session.begin():
        session.execute(text("UPDATE sender_status SET seen_at = now()"))
    cycles(scheduler)
    assert [body for body in told(engine) if "Over" in body], "the sender lives, so the outbox is read again"


def test_tru15_work_that_is_late_and_a_backup_that_is_old_are_alarms(scheduler, engine, tmp_path):
    scheduler.watch.config = dataclasses.replace(scheduler.watch.config, backup_folder=tmp_path)
    with Session(engine) as session, session.begin():
        jobs.enqueue(session, "warm_engine", now=real_now() - dt.timedelta(minutes=10))
        session.execute(text("INSERT INTO backup (id, file, host, taken_at, made_at, size, digest, revision) VALUES "
                             "(gen_random_uuid(), 'x', 'x', now() - interval '27 hours', now(), 1, '', 'x')"))  # fmt: skip
    scheduler.watch.look()
    with Session(engine) as session:
        assert {alarm.code for alarm in session.scalars(select(Alarm))} == {AlarmCode.JOBS_LATE, AlarmCode.BACKUP_OLD}


def test_tru01_a_gateway_that_acknowledges_and_never_delivers_is_an_alarm(scheduler, engine, gateway):
    """What it says cannot be believed; that families enter their codes can.  A few who do not are none, nor is a night without families."""

    def ask(numbers: range, *, entered: int, minutes: int = 6) -> None:
        with Session(engine) as session, session.begin():
            moment = real_now() - dt.timedelta(minutes=minutes)
            for each in numbers:
                asker = Asker(f"browser {each}", f"10.0.0.{each}")
                code = sign_in.send_code(session, f"1390000{each:04}", now=moment, asker=asker)
                if each < entered:
                    assert sign_in.use_code(session, f"1390000{each:04}", code, now=moment, asker=asker)

    def alarms_now() -> set[str]:
        scheduler.watch.look()
        with Session(engine) as session:
            return {each.code for each in alarm_rows.open_alarms(session)}

    ask(range(19), entered=0)
    assert alarms_now() == set(), "too few to judge"
    ask(range(19, 30), entered=0, minutes=1)
    assert alarms_now() == set(), "they may still be typing"
    ask(range(30, 40), entered=0, minutes=130)
    assert alarms_now() == set(), "those are of another time"
    ask(range(40, 45), entered=0)
    assert alarms_now() == {AlarmCode.CODES_NOT_ENTERED}
    [text_of_one, _of_the_other] = told(engine)
    assert "hardly any code that was sent is entered" in text_of_one
    ask(range(46, 49), entered=49)
    assert alarms_now() == set(), "three of 27 are more than a tenth"


def test_tru15_a_disk_that_is_nearly_full_is_an_alarm(scheduler, monkeypatch, tmp_path):
    figures_of_a_quiet_night = alarms.operation_figures.OperationFigures(
        0, None, 0, None, 0, None, 0, 0, 0, *[None] * 6, False, None
    )
    config = dataclasses.replace(scheduler.watch.config, backup_folder=tmp_path)
    monkeypatch.setattr(alarms, "LEAST_FREE", 1.0)  # more than any disk has free
    assert alarms.conditions(figures_of_a_quiet_night, config) == [AlarmCode.DISK_NEARLY_FULL]
    monkeypatch.setattr(alarms, "LEAST_FREE", 0.0)
    assert alarms.conditions(figures_of_a_quiet_night, config) == []


def test_tru15_an_alarm_near_its_limit_is_told_once_and_is_over_when_it_is_calm(scheduler, engine, monkeypatch):
    found: list[AlarmCode] = []
    monkeypatch.setattr(alarms, "conditions", lambda _figures, _config: found)
    monkeypatch.setattr(alarms, "CALM", 1.0)
    for _turn in range(4):
        found[:] = [AlarmCode.JOBS_LATE]
        scheduler.watch.look()
        found.clear()
        scheduler.watch.look()
        time.sleep(0.02)
        scheduler.watch.look()
    assert len(told(engine)) == len(PHONES), "one beginning and no end"
    monkeypatch.setattr(alarms, "CALM", 0.0)
    scheduler.watch.look()
    assert sum("Over" in body for body in told(engine)) == len(PHONES)
    found[:] = [AlarmCode.JOBS_LATE]
    scheduler.watch.look()
    assert len(told(engine)) == 3 * len(PHONES), "a new one is told"


def test_tru15_a_message_that_waits_for_its_next_try_or_for_the_morning_is_not_late(scheduler, engine):
    """A code is tried again after 2, 4, 8, … seconds; a notice of the evening is due at 7."""

    def alarms_now(*, code_due: int, notice_due: int) -> set[str]:
        with Session(engine) as session, session.begin():
            session.execute(
                text("UPDATE text_message SET next_try_at = now() - make_interval(secs => :s)"), {"s": code_due}
            )
            session.execute(
                text("UPDATE notice SET next_try_at = now() - make_interval(secs => :s)"), {"s": notice_due}
            )
        scheduler.watch.look()
        with Session(engine) as session:
            return {each.code for each in alarm_rows.open_alarms(session)}

    with Session(engine) as session, session.begin():
        now = real_now()
        outbox.add_text_message(
            session,
            "+8613911112222",
            "1",
            key="x",
            now=now - dt.timedelta(seconds=90),
            expires_at=now + dt.timedelta(minutes=4),
        )
        account = Account(name="安", created_at=now)
        session.add(account)
        session.flush()
        outbox.tell(session, "result", account_id=account.id, key="x", now=now - dt.timedelta(hours=12))
    assert alarms_now(code_due=1, notice_due=30) == set()
    assert alarms_now(code_due=70, notice_due=30) == {AlarmCode.SENDER_STUCK}
    assert alarms_now(code_due=1, notice_due=30) == set()
    assert alarms_now(code_due=1, notice_due=3 * 3600) == {AlarmCode.SENDER_STUCK}


def test_tru15_a_gateway_that_is_down_is_told_though_each_code_waits_for_its_next_try(scheduler, engine):
    def report(lane: Lane, seconds: int | None) -> set[str]:
        down = None if seconds is None else real_now() - dt.timedelta(seconds=seconds)
        with Session(engine) as session, session.begin():
            sender_status.report(session, lane, seen_at=real_now(), down_since=down, error=None)
        scheduler.watch.look()
        with Session(engine) as session:
            return {each.code for each in alarm_rows.open_alarms(session)}

    assert report(Lane.WECHAT, 300) == set(), "text messages are sent"
    assert report(Lane.CODES, 30) == set()
    assert report(Lane.CODES, 70) == {AlarmCode.SENDER_STUCK}
    assert report(Lane.CODES, None) == set()


def test_tru15_what_the_gateway_does_not_take_directly_waits_in_the_outbox(scheduler, engine):
    scheduler.watch.config = dataclasses.replace(scheduler.watch.config, message_gateway="http://127.0.0.1:9")
    with Session(engine) as session, session.begin():
        session.execute(
            text("INSERT INTO sender_status (lane, seen_at) VALUES ('codes', now() - interval '3 minutes')")
        )
    scheduler.watch.look()
    assert sum("messages are not being sent" in body for body in told(engine)) == len(PHONES)


def test_tru15_two_schedulers_tell_it_once(engine, scheduler):
    with Session(engine) as session, session.begin():
        jobs.enqueue(session, "warm_engine", now=real_now() - dt.timedelta(minutes=10))
    together = [threading.Thread(target=scheduler.watch.look) for _ in range(4)]
    for each in together:
        each.start()
    for each in together:
        each.join()
    assert len(told(engine)) == len(PHONES)


def test_tru15_a_wrong_alarm_phone_stops_the_start(engine, tmp_path):
    settings = environment(tmp_path, **settings_of(engine.url.render_as_string(hide_password=False), tmp_path))
    assert from_environment(settings | {"ALARM_PHONES": "13900000001"}).alarm_phones == ("+8613900000001",)
    with pytest.raises(Unconfigured, match="ALARM_PHONES has 'nobody'"):
        from_environment(settings | {"ALARM_PHONES": "nobody"})
