"""Real workers and a real scheduler: jobs survive `kill -9` of their worker and the loss of the queue."""

import contextlib
import subprocess
import sys
import time

import psutil
import pytest
import redis
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from enrollment.ground.vault import Keys
from portal.jobs import bulk_priority
from portal.web.clock import real_now
from tests.operations.serving import ROOT, environment, eventually

LONGEST_GAP = 45
"""Seconds: what we promise from the death of a worker to the end of the gap in its work."""


@pytest.fixture
def database(real_database):
    engine = open_engine(real_database)
    yield engine
    engine.dispose()


@pytest.fixture
def start(tmp_path, real_database, redis_url):
    """Start a worker or a clock; all of them are ended after the test."""
    keys = tmp_path / "keys.json"
    Keys.write_new(keys, "demo-test")
    environ = environment(
        tmp_path, DATABASE_URL=real_database, REDIS_URL=redis_url, SECRET_KEY="demo-test", KEY_FILE=str(keys), DEMO="1"
    )
    started: list[subprocess.Popen] = []

    def start(*what: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.operations.background_process", *what]
        with (tmp_path / f"{what[0]}.log").open("a") as log:
            started.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        kill_all_of(process)


def kill_all_of(process: subprocess.Popen) -> None:
    """`kill -9` for the worker and for the process that it forked for its job."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.wait()


def descendants(process: subprocess.Popen) -> set[int]:
    return {child.pid for child in psutil.Process(process.pid).children(recursive=True)}


def enqueue(database, kind, **args):
    with Session(database) as session, session.begin():
        return jobs.enqueue(session, kind, args, now=real_now())


def row(database, job) -> jobs.Job:
    with Session(database) as session:
        return session.get_one(jobs.Job, job)


@pytest.mark.slow
@pytest.mark.long
def test_jobs_survive_a_killed_worker_and_a_flushed_queue(start, database, redis_url, tmp_path):
    """One test for all cases, because the scheduler and the workers start slowly; both interruptions run in parallel."""
    start("clock")
    forgotten = enqueue(database, "test_hold", file=str(tmp_path / "forgotten"))
    eventually(lambda: row(database, forgotten).state == "queued", 60)
    with redis.Redis.from_url(redis_url) as queue:
        queue.flushdb()
    workers = [start("worker", "all"), start("worker", "all")]
    work_gets_done_and_a_fault_is_told_without_its_text(database, tmp_path / "done")
    kill_9_of_a_worker_delays_its_job_by_less_than_45_seconds(workers, database, tmp_path / "killed")
    # what the flushed queue knew
    eventually(lambda: row(database, forgotten).state == "done", 2 * LONGEST_GAP)


def work_gets_done_and_a_fault_is_told_without_its_text(database, runs):
    done = enqueue(database, "test_hold", file=str(runs))
    faulty = enqueue(database, "test_fault")
    batch = enqueue(database, "test_batch")
    unknown = enqueue(database, "nobody_does_this")
    eventually(lambda: row(database, done).state == "done")
    assert row(database, done).result == {"attempt": 1}
    assert (row(database, done).done_units, row(database, done).all_units) == (1, 1)
    eventually(lambda: row(database, faulty).error is not None)
    assert row(database, faulty).state == "waiting", "it will be tried again"
    assert row(database, faulty).error.startswith("ValueError at fault:")
    eventually(lambda: row(database, unknown).state == "failed")
    eventually(lambda: row(database, batch).state == "done")
    assert row(database, batch).result == {"nice": bulk_priority.NICENESS, "leads": True}


def kill_9_of_a_worker_delays_its_job_by_less_than_45_seconds(workers, database, runs):
    job = enqueue(database, "test_hold", file=str(runs), hangs=True)
    eventually(runs.exists, 90)
    owner = int(row(database, job).lease_owner.split("/")[3])  # as `process_identity.name_of` says
    doomed = next(worker for worker in workers if owner in descendants(worker))
    kill_all_of(doomed)
    killed = time.monotonic()
    eventually(lambda: row(database, job).state == "done", LONGEST_GAP)
    assert time.monotonic() - killed < LONGEST_GAP
    assert row(database, job).result == {"attempt": 2}
    assert row(database, job).fence == 2
    assert runs.read_text() == "run 1\nrun 2\n"
