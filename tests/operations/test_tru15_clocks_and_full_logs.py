"""TRU15: a clock that jumps and a disk of logs that is full stop nothing, and an operator is told."""

import contextlib
import datetime as dt
import resource
import sys
from pathlib import Path

import pytest
import redis
import structlog
from rq import cron
from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.ground.db import open_engine
from enrollment.maintenance import operation_figures
from portal.jobs import scheduler as scheduling
from portal.jobs.scheduler import ScheduledJob, Scheduler
from portal.operations import doctor, overdue_work
from portal.operations.child_processes import Child
from portal.web import logs
from portal.web.clock import real_now


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
