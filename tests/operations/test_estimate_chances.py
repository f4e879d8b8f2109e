"""The daily estimate as a job: it can run twice, survives a flushed queue, and holds no transaction while it computes."""

import datetime as dt

import pytest
import redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enrollment.chances import estimates
from enrollment.chances.estimate_rows import ChanceEstimate
from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from portal.jobs import runner, scheduler
from portal.jobs.queue_entries import QUEUES, open_queue
from tests.conftest import NOW
from tests.support.crowd import crowd
from tests.support.leases import end_lease
from tests.support.town import Town

pytestmark = pytest.mark.long


@pytest.fixture
def engine(real_database):
    runner.load_handlers()
    engine = open_engine(real_database)
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        hot, quiet = town.kindergarten("锦官", places=30), town.kindergarten("青羊", places=300)
        town.open_registration()
        crowd(town, 210, hot, quiet)
        session.commit()
    yield engine
    engine.dispose()


def at(moment: dt.datetime):
    return lambda _session: moment


def estimate(engine) -> ChanceEstimate:
    with Session(engine) as session:
        return session.scalars(select(ChanceEstimate)).one()


def test_the_scheduler_starts_it_daily_and_a_second_run_gives_the_same(engine, monkeypatch):
    (tick,) = [tick for tick in scheduler.SCHEDULE if tick.kind == estimates.KIND]
    minute, hour, *days = tick.cron.split()
    assert (int(hour), int(minute)) == (estimates.EVERY_DAY_AT.hour, estimates.EVERY_DAY_AT.minute)
    assert days == ["*", "*", "*"]
    open_while_drawing = []
    real = estimates.simulate_market

    def watched(*args, **more):
        with engine.connect() as connection:
            seen = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            open_while_drawing.append(connection.scalar(text(seen)))
        return real(*args, **more)

    monkeypatch.setattr(estimates, "simulate_market", watched)
    digests = []
    for day in (1, 2):
        morning = NOW + dt.timedelta(days=day)
        with Session(engine) as session, session.begin():
            scheduler.enqueue_scheduled(session, tick.kind, morning, now=morning)
        with Session(engine) as session:
            job_id = session.scalars(
                select(jobs.Job.id).where(jobs.Job.kind == tick.kind).order_by(jobs.Job.created_at.desc())
            ).first()
        assert runner.run(engine, at(morning), job_id, "worker 1") == "done"
        assert runner.run(engine, at(morning), job_id, "worker 2") == "not_free"
        made = estimate(engine)
        assert (made.made_at, made.families, made.draws) == (morning, 210, 1000)
        digests.append(made.digest)
    assert digests[0] == digests[1]
    assert set(open_while_drawing) == {0}


def test_a_worker_that_died_while_drawing_leaves_it_to_the_next(engine):
    with Session(engine) as session, session.begin():
        job_id = estimates.request(session, why="test", now=NOW)
        assert estimates.request(session, why="test", now=NOW) == job_id
        jobs.take(session, job_id, owner="dead")
        end_lease(session, job_id)
    assert runner.run(engine, at(NOW), job_id, "worker 2") == "done"
    with Session(engine) as session:
        job = session.get_one(jobs.Job, job_id)
        assert job.result["estimates"][0]["digest"] == estimate(engine).digest
        assert (job.done_units, job.all_units, job.attempts) == (1000, 1000, 2)


def test_a_flushed_queue_delays_it_only(engine, redis_url):
    with redis.Redis.from_url(redis_url) as connection:
        queues = {name: open_queue(name, connection) for name in QUEUES}
        with Session(engine) as session, session.begin():
            job_id = estimates.request(session, why="test", now=NOW)
        runner.relay(engine, queues.__getitem__, now=NOW)
        assert queues["bulk"].get_job_ids() == [str(job_id)]
        connection.flushdb()
        later = NOW + 2 * jobs.LEASE
        with Session(engine) as session, session.begin():
            end_lease(session, job_id)
        assert runner.sweep(engine, queues.__getitem__, now=later) == 1
        runner.relay(engine, queues.__getitem__, now=later)
        assert queues["bulk"].get_job_ids() == [str(job_id)]
    assert runner.run(engine, at(later), job_id, "worker 1") == "done"
    assert estimate(engine).families == 210


def test_the_deadline_brings_a_last_estimate(engine):
    with Session(engine, expire_on_commit=False) as session:
        job = session.scalars(select(jobs.Job).where(jobs.Job.kind == "close_round")).one()
        closed = job.due_at
        assert runner.run(engine, at(closed), job.id, "worker 1") == "done"
        asked = session.scalars(select(jobs.Job).where(jobs.Job.kind == estimates.KIND)).one()
        assert runner.run(engine, at(closed), asked.id, "worker 1") == "done"
        assert estimate(engine).made_at == closed
        morning = closed + dt.timedelta(days=1)
        scheduler.enqueue_scheduled(session, estimates.KIND, morning, now=morning)
        session.commit()
        again = session.scalars(select(jobs.Job).where(jobs.Job.dedupe_key.like("estimate_chances@%"))).one()
        assert runner.run(engine, at(morning), again.id, "worker 1") == "done"
        session.refresh(again)
        assert again.result == {"estimates": []}  # nothing changes any more that would be worth another one
