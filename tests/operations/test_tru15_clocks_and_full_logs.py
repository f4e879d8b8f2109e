"""TRU15: a clock that jumps and a disk of logs that is full stop nothing, and an operator is told."""

import contextlib
import datetime as dt
import resource
import sys
from pathlib import Path

import pytest
import redis
import structlog
from pyotp import TOTP, random_base32
from rq import cron
from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.ground import jobs, outbox, sign_in
from enrollment.ground.accounts import Account
from enrollment.ground.db import open_engine
from enrollment.ground.sign_in import Asker
from enrollment.maintenance import future_times, operation_figures
from portal.jobs import scheduler as scheduling
from portal.jobs.scheduler import ScheduledJob, Scheduler
from portal.operations import doctor, overdue_work
from portal.operations.child_processes import Child
from portal.web import logs
from portal.web.clock import real_now
from tests.support.town import Town

PHONE, SECRET = "13900001234", random_base32()


@pytest.fixture
def engine(real_database):
    engine = open_engine(real_database)
    yield engine
    engine.dispose()


def test_tru15_jobs_go_on_after_a_clock_was_ahead_and_is_turned_back(engine, redis_url, monkeypatch):
    clock = dt.datetime(2026, 5, 1, 10, 0, 30, tzinfo=dt.UTC)
    monkeypatch.setattr(scheduling, "real_now", lambda: clock)
    monkeypatch.setattr(cron, "now", lambda: clock)
    with redis.Redis.from_url(redis_url) as queue:
        scheduler = Scheduler(engine, queue, lambda _session: clock, [ScheduledJob("count_coverage", "* * * * *")])
        ran = []
        for minute in (1, 24 * 60, 2, 3):  # the second one by a clock that is a day ahead
            clock = dt.datetime(2026, 5, 1, 10, 0, 30, tzinfo=dt.UTC) + dt.timedelta(minutes=minute)
            ran.append(len(scheduler.enqueue_jobs()))
    assert ran == [1, 1, 0, 1], "in the minute after it was turned back, and not a day later"


def test_tru15_hours_of_a_clock_that_was_ahead_are_no_hours_without_jobs(engine, redis_url, monkeypatch):
    """Jobs of every minute ran by the clock of tomorrow; tomorrow they run again, also after the scheduler was started anew."""
    hand = [real_now().replace(second=30, microsecond=0)]
    monkeypatch.setattr(scheduling, "real_now", lambda: hand[0])
    monkeypatch.setattr(cron, "now", lambda: hand[0])

    def written() -> int:
        with Session(engine) as session:
            return session.scalar(text("SELECT count(*) FROM job WHERE kind = 'count_coverage'"))

    with redis.Redis.from_url(redis_url) as queue:

        def started() -> Scheduler:
            return Scheduler(engine, queue, lambda _session: hand[0], [ScheduledJob("count_coverage", "* * * * *")])

        def run(scheduler: Scheduler, times: list[dt.datetime]) -> int:
            before = written()
            for hand[0] in times:
                scheduler.enqueue_jobs()
            return written() - before

        for restarted in (False, True):
            began, scheduler = hand[0], started()
            tomorrow = [began + dt.timedelta(days=1, minutes=minute) for minute in range(1, 6)]
            ahead = run(scheduler, tomorrow)
            run(started() if restarted else scheduler, [began])
            scheduler = started() if restarted else scheduler
            assert run(scheduler, tomorrow) >= ahead - 1 > 0, "the same minutes, once more"


@pytest.fixture
def tomorrow(engine):
    """What was done by a clock that was a day ahead: one row of each kind."""
    now = real_now()
    later = now + dt.timedelta(days=1)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        town = Town(session, now)
        town.clerk = town.clerk_of(town.kindergarten("金苹果", places=1)).account_id
        session.get_one(Account, town.clerk).second_factor = SECRET
        assert sign_in.check_second_factor(session, town.clerk, TOTP(SECRET).at(later), at=later)
        asker = Asker("a browser", "10.0.0.1")
        for _code in range(sign_in.CODES_AN_HOUR):
            assert sign_in.send_code(session, PHONE, now=later, asker=asker)
        outbox.add_text_message(session, PHONE, "x", key="x", now=later)
        session.execute(text("UPDATE text_message SET state = 'sending', lease_until = now() + interval '1 day'"))
        outbox.tell(session, "moved_up", account_id=town.clerk, key="y", now=later)
        session.execute(text("UPDATE notice SET next_try_at = now() + interval '1 day 30 seconds', tries = 1"))
        held = jobs.enqueue(session, "bonds_incomplete", now=now)
        assert jobs.take(session, held, owner="a worker that was killed meanwhile")
        session.execute(text("UPDATE job SET lease_until = lease_until + interval '1 day'"))
        jobs.enqueue(session, "returns_over", now=later)
        jobs.enqueue(session, "publish_run", now=later, due=later + dt.timedelta(days=3))
    return town, asker


def test_tru15_nobody_waits_for_tomorrow_after_a_clock_was_a_day_ahead(engine, tomorrow):
    town, asker = tomorrow
    now = real_now()
    with Session(engine) as session, session.begin():
        assert sign_in.send_code(session, PHONE, now=now, asker=asker) is None, (
            "the fault: six codes were asked tomorrow"
        )
        assert not sign_in.check_second_factor(session, town.clerk, TOTP(SECRET).at(now), at=now)
    with Session(engine) as session, session.begin():
        found = future_times.set_anew(session, scheduled=["returns_over"], now=now)
    assert set(found) == {"job_leases", "jobs", "text_message_claims", "notice", "codes", "second_factors"}
    with Session(engine) as session, session.begin():
        code = sign_in.send_code(session, PHONE, now=now, asker=asker)
        assert sign_in.use_code(session, PHONE, code, now=now, asker=asker)
        assert sign_in.check_second_factor(session, town.clerk, TOTP(SECRET).at(now), at=now)
        assert not sign_in.check_second_factor(session, town.clerk, TOTP(SECRET).at(now), at=now), "once"
        soon = now + dt.timedelta(seconds=1)
        lease = session.scalar(text("SELECT lease_until FROM job WHERE state = 'running'"))
        assert lease <= soon + jobs.LEASE
        due = dict(session.execute(text("SELECT kind, due_at FROM job WHERE state = 'waiting'")).all())
        assert due["returns_over"] <= soon < due["publish_run"], "what is due at a moment of its own stays"
        assert session.scalar(text("SELECT next_try_at FROM notice")) <= soon
        assert session.scalar(text("SELECT lease_until FROM text_message")) <= soon + dt.timedelta(seconds=15)
        assert future_times.set_anew(session, scheduled=[], now=now) == {}, "nothing is left, and ordinary times are"


def test_tru15_what_a_clock_ahead_has_dated_is_neither_alive_nor_the_newest_backup(engine, real_database):
    with Session(engine) as session, session.begin():
        session.execute(
            text(
                "INSERT INTO background_process (name, serves, seen_at) VALUES ('all.dead.1', '{bulk,clock}', now() + interval '1 year')"
            )
        )
        backup = "INSERT INTO backup (id, file, host, taken_at, made_at, size, digest, revision) VALUES (gen_random_uuid(), 'a', 'b', now() + "
        for taken in ("'1 year'", "'-3 days'"):
            session.execute(text(f"{backup} interval {taken}, now(), 1, '', '')"))
    assert doctor.serving(real_database) == set()
    with Session(engine) as session:
        found = operation_figures.read(session, now=real_now())
    assert (found.scheduler_silent, found.worker_silent) == (None, None)
    assert 3 * 86_400 <= found.backup_age < 4 * 86_400


def test_tru15_doctor_tells_of_a_host_whose_clock_is_not_the_databases(engine, monkeypatch):
    with Session(engine) as session:
        overdue_work.host_clock(session)
        monkeypatch.setattr(overdue_work, "real_now", lambda: real_now() + dt.timedelta(hours=1))
        with pytest.raises(
            doctor.Unwell, match=r"(3600|3599|3601) s ahead of that of the database: switch on the time service"
        ):
            overdue_work.host_clock(session)


def test_tru15_a_log_that_cannot_be_put_aside_is_emptied_and_nothing_ends(tmp_path):
    child = Child("portal", [sys.executable, "-c", "pass"], log=tmp_path / "portal.log")
    child.log.write_bytes(b"x" * 100_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # a file that may not grow fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    try:
        child.rotate_log(largest=50_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("portal.log", 0)]


def test_tru15_a_child_starts_where_no_log_can_be_made(tmp_path):
    (tmp_path / "file").touch()
    child = Child(
        "portal", [sys.executable, "-c", "print('a line'); raise SystemExit(7)"], log=tmp_path / "file" / "portal.log"
    )
    child.start()
    assert child.process.wait(30) == 7


def test_tru15_a_page_is_answered_though_its_line_finds_no_room_in_the_log(app, monkeypatch):
    logs.init(app)
    full = Path("/dev/full").open("w")  # noqa: SIM115 (closing it fails too)
    try:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(OSError, match="No space left"):
            print("a line", flush=True)
        structlog.get_logger().error("a fault of a page")
    finally:
        with contextlib.suppress(OSError):
            full.close()
