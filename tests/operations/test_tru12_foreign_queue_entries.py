"""TRU12: whoever may write to the queue makes a worker do nothing but look for a row."""

import os
import pickle
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import redis
from rq import Queue, Worker
from rq.job import Callback, Job
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from portal.jobs import queue_entries
from portal.jobs.queue_entries import PERFORM, QUEUES, QueuedJob, open_queue
from portal.operations import doctor
from portal.web.clock import real_now
from tests.operations.serving import ROOT, environment, eventually
from tests.operations.test_background import kill_all_of
from tests.support.keys import KEYS


class Bomb:
    """Writes a file when it is read from a pickle."""

    def __init__(self, file: Path):
        self.file = file

    def __reduce__(self):
        return os.system, (f"touch {self.file}",)


@pytest.fixture
def connection(redis_url):
    with redis.Redis.from_url(redis_url) as connection:
        yield connection


def forge(connection, marker: Path) -> list[str]:
    """Entries as somebody would write them who has the queue and wants the worker; returns their ids."""
    foreign, run = Queue("quick", connection=connection), "os.system"
    touch = (f"touch {marker}",)
    ids = [str(uuid.uuid4()) for _ in range(6)]
    foreign.enqueue_call(run, args=touch, job_id=ids[0])
    foreign.enqueue_call(run, args=touch, job_id=ids[1], meta={"x": Bomb(marker)})
    called = Callback(run)
    foreign.enqueue_call(
        "portal.jobs.worker.perform",
        args=(ids[2],),
        job_id=ids[2],
        on_success=called,
        on_failure=called,
        on_stopped=called,
    )
    foreign.enqueue_call(run, args=touch, job_id=ids[3])
    connection.hset(
        Job.key_for(ids[3]), mapping={"data": pickle.dumps(Bomb(marker)), "result": pickle.dumps(Bomb(marker))}
    )
    foreign.enqueue_call(run, args=touch, job_id=ids[4], timeout=10**9)
    connection.hset(Job.key_for(ids[4]), mapping={"dependency_ids": '["x"]', "repeats_left": 9, "retries_left": 9})
    foreign.enqueue_call(run, args=touch, job_id=ids[5])
    connection.hset(Job.key_for(ids[5]), mapping={"status": "nonsense"})
    foreign.enqueue_call(run, args=touch, job_id="not-a-row")
    for broken in ({}, {"data": b"\xff" * 9}, {"created_at": b"\xff"}, {"timeout": "soon"}):
        name = str(uuid.uuid4())
        connection.rpush(foreign.key, name)
        if broken:
            connection.hset(Job.key_for(name), mapping=broken)
    return ids


def test_tru12_an_entry_is_an_id_whatever_else_it_says(connection, tmp_path):
    marker = tmp_path / "ran"
    forge(connection, marker)
    queue, taken = open_queue("quick", connection), []
    while queue.count:
        if found := Queue.dequeue_any(
            [queue], None, connection=connection, job_class=QueuedJob, serializer=queue.serializer
        ):
            taken.append(found[0])
    assert len(taken) >= 5
    for job in taken:
        assert (job.func_name, job.args, job.kwargs, job.instance) == (PERFORM, (job.id,), {}, None)
        assert (job.success_callback, job.failure_callback, job.stopped_callback, job.webhooks) == (
            None,
            None,
            None,
            [],
        )
        assert (job.meta, job.retries_left, job.repeats_left, job.dependency_ids) == ({}, None, None, [])
        assert 0 < job.timeout <= queue_entries.LONGEST
        assert uuid.UUID(job.id)
    assert not marker.exists()


@pytest.mark.slow
@pytest.mark.long
def test_tru12_a_real_worker_runs_nothing_foreign_and_tru06_lives_without_the_queues_memory(
    connection, real_database, redis_url, tmp_path
):
    keys, marker = tmp_path / "keys.json", tmp_path / "ran"
    KEYS.write_over(keys)
    environ = environment(
        tmp_path, DATABASE_URL=real_database, REDIS_URL=redis_url, SECRET_KEY="demo-test", KEY_FILE=str(keys), DEMO="1"
    )
    started = []
    engine = open_engine(real_database)
    try:
        for what in (["clock"], ["worker", "all"]):
            command = [sys.executable, "-m", "tests.operations.background_process", *what]
            with (tmp_path / f"{what[0]}.log").open("a") as log:
                started.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log))
        eventually(lambda: doctor.serving(real_database) == {*QUEUES, "clock"}, 90)
        forge(connection, marker)
        with Session(engine) as session, session.begin():
            ours = jobs.enqueue(session, "test_hold", {"file": str(tmp_path / "ours")}, now=real_now())
        eventually(lambda: (tmp_path / "ours").exists(), 60)
        eventually(lambda: state(engine, ours) == "done", 60)
        eventually(lambda: connection.llen("rq:queue:quick") == 0, 60)
        assert not marker.exists()
        assert [process.poll() for process in started] == [None, None]
        connection.flushdb()
        assert Worker.all(connection=connection) == []
        findings = {each.part: each.fault for each in doctor.examine(real_database, redis_url)}
        assert (findings["queue"], findings["worker"], findings["clock"]) == (None, None, None)
    finally:
        for process in started:
            kill_all_of(process)
        engine.dispose()


def state(engine, job_id) -> str:
    with Session(engine) as session:
        return session.get_one(jobs.Job, job_id).state
