"""TRU06: while the queue is away the scheduler lives and seals the audit trail, and it goes on when the queue is back."""

import pytest
import redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from portal.jobs.queue_entries import QUEUES, open_queue
from portal.jobs.scheduler import Scheduler
from portal.operations import doctor
from portal.web.clock import real_now


@pytest.fixture
def engine(real_database):
    engine = open_engine(real_database)
    yield engine
    engine.dispose()


def test_tru06_a_queue_that_is_away_stops_neither_the_seals_nor_the_signs_of_life(engine, real_database, redis_url):
    with Session(engine) as session, session.begin():
        jobs.enqueue(session, "warm_engine", now=real_now())
        session.execute(text("INSERT INTO audit_entry (at, act, subject, subject_id, details) "
                             "VALUES (now(), 'sign_in', 'account', 'x', '{}')"))  # fmt: skip
    with redis.Redis.from_url("redis://127.0.0.1:1/0") as nothing, redis.Redis.from_url(redis_url) as queue:
        scheduler = Scheduler(engine, nothing, lambda _session: real_now(), schedule=())
        assert scheduler.enqueue_jobs() == []
        assert "clock" in doctor.serving(real_database)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM audit_entry WHERE digest IS NULL")) == 0
            assert connection.scalar(text("SELECT state FROM job")) == "waiting", "it waits for the queue"
        scheduler.queues = {name: open_queue(name, queue) for name in QUEUES}
        scheduler.enqueue_jobs()
        assert sum(each.count for each in scheduler.queues.values()) == 1
        assert scheduler.away_since is None
