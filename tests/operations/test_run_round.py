"""A run as a job: real workers, and a delayed worker, which saves and publishes nothing."""

import dataclasses
import datetime as dt
import subprocess
import sys
import threading
import uuid

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enrollment.draw import execution, run_input, runs
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import Placement, Run
from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from enrollment.ground.errors import Refused
from enrollment.offers.offers import Offer
from portal.jobs import runner
from portal.web.clock import real_now
from tests.conftest import NOW
from tests.operations.serving import ROOT, environment, eventually
from tests.operations.test_background import kill_all_of
from tests.support.keys import KEYS
from tests.support.leases import end_lease
from tests.support.prepare_all import prepare_all
from tests.support.town import Town


@pytest.fixture
def engine(real_database):
    engine = open_engine(real_database)
    yield engine
    engine.dispose()


def a_started_run(engine) -> tuple[uuid.UUID, uuid.UUID, tuple]:
    """A small town whose run was started on the page: run, job and the two who may sign."""
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        jinpingguo = town.kindergarten("金苹果", places=2)
        for name in ("安娜", "本本", "翠翠"):
            town.child(name, wishes=[jinpingguo])
        town.everyone_is_reviewed()
        town.freeze()
        town.seed()
        run = runs.start(session, town.the_round.id, by=town.city_pair()[0], now=town.now)
        session.commit()
        return run.id, run.job_id, town.city_pair()


def the_run(engine, run_id) -> Run:
    with Session(engine) as session:
        return session.get_one(Run, run_id)


def clock(_session) -> dt.datetime:
    return real_now()


def test_the_handler_does_the_run_in_short_transactions_and_tells_its_progress(engine):
    runner.load_handlers()
    run_id, job_id, _officials = a_started_run(engine)
    assert runner.run(engine, clock, job_id, "worker 1") == "done"
    run = the_run(engine, run_id)
    assert (run.state, run.engine) == ("checked", "allocation 1.0")
    with Session(engine) as session:
        job = session.get_one(jobs.Job, job_id)
        assert (job.state, job.result["digest"], job.step) == ("done", run.digest, "saving")
        assert session.scalar(select(Placement.run_id).limit(1)) == run_id
    assert runner.run(engine, clock, job_id, "worker 2") == "not_free"


def test_a_worker_without_its_lease_saves_nothing(engine):
    """It read the market, was paused, lost its lease, and another worker finished the run meanwhile."""
    runner.load_handlers()
    run_id, job_id, _officials = a_started_run(engine)
    with Session(engine) as session, session.begin():
        lease = jobs.take(session, job_id, owner="sleeper")
        end_lease(session, job_id)
    sleeper = runner.JobRun(engine, lease, clock)
    with sleeper.session() as session:
        task = run_input.read(session, run_id)
    placed = execution.place(task)
    assert runner.run(engine, clock, job_id, "second") == "done"
    with pytest.raises((runner.LeaseLost, Refused)), sleeper.session() as session:
        execution.save(session, run_id, execution.complete(session, placed), now=real_now())
    with Session(engine) as session:
        assert session.execute(text("SELECT count(*) FROM placement")).scalar() == 3
        assert session.get_one(jobs.Job, job_id).fence == 2


def test_a_paused_worker_cannot_save_even_while_the_run_still_runs(engine):
    run_id, job_id, _officials = a_started_run(engine)
    with Session(engine) as session, session.begin():
        lease = jobs.take(session, job_id, owner="sleeper")
        end_lease(session, job_id)
    sleeper = runner.JobRun(engine, lease, clock)
    with sleeper.session() as session:
        placed = execution.place(run_input.read(session, run_id))
    with Session(engine) as session, session.begin():
        assert jobs.take(session, job_id, owner="second").fence == 2
    with pytest.raises(runner.LeaseLost), sleeper.session() as session:
        execution.save(session, run_id, execution.complete(session, placed), now=real_now())
    assert the_run(engine, run_id).state == "running"


def test_two_second_signatures_at_once_publish_once(engine):
    runner.load_handlers()
    run_id, job_id, (first, second) = a_started_run(engine)
    runner.run(engine, clock, job_id, "worker")
    with Session(engine) as session, session.begin():
        runs.sign(session, run_id, by=first, now=NOW)
    outcomes, start = [], threading.Barrier(2)

    def sign():
        with Session(engine) as session:
            start.wait()
            try:
                outcomes.append(runs.sign(session, run_id, by=second, now=NOW))
                session.commit()
            except Refused as refused:
                outcomes.append(refused.code)

    threads = [threading.Thread(target=sign) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["2", "run_cannot_be_signed"]
    with Session(engine) as session, session.begin():
        prepare_all(session, run_id, by=second, now=NOW)
        hour = session.get_one(Publication, run_id).hour
        job = session.scalars(select(jobs.Job.id).where(jobs.Job.kind == "publish_run")).one()
    assert runner.run(engine, lambda _session: hour, job, "worker") == "done"
    with Session(engine) as session:
        assert len(session.scalars(select(Offer)).all()) == 2
        assert session.execute(text("SELECT sum(taken) FROM programme")).scalar() == 2


def test_a_database_whose_clock_is_ahead_opens_no_result_before_the_host_agrees(engine, monkeypatch):
    """Nobody can take back what families have read; the job of every minute opens it when both clocks have reached the hour."""
    runner.load_handlers()
    run_id, job_id, (first, second) = a_started_run(engine)
    runner.run(engine, clock, job_id, "worker")
    with Session(engine) as session, session.begin():
        for by in (first, second):
            runs.sign(session, run_id, by=by, now=NOW)
        prepare_all(session, run_id, by=second, now=NOW)
        hour = session.get_one(Publication, run_id).hour
        job = session.scalars(select(jobs.Job.id).where(jobs.Job.kind == "publish_run")).one()

    def every_minute() -> dict:
        with Session(engine) as session, session.begin():
            due = jobs.enqueue(session, "publications_due", now=real_now())
        assert runner.run(engine, lambda _session: hour, due, "worker") == "done"
        with Session(engine) as session:
            return session.get_one(jobs.Job, due).result

    with monkeypatch.context() as wrong:
        wrong.setattr("portal.web.clock.database_now", lambda _session: real_now() + dt.timedelta(minutes=10))
        assert runner.run(engine, lambda _session: hour, job, "worker") == "done"
        assert every_minute() == {"offers": []}
        assert the_run(engine, run_id).state == "signed"
        with Session(engine) as session:
            assert session.execute(text("SELECT count(*) FROM offer")).scalar() == 0
    assert every_minute() == {"offers": [2]}
    run = the_run(engine, run_id)
    assert (run.state, run.published_at) == ("published", hour)


def test_a_database_whose_clock_is_ahead_ends_no_offer_before_the_host_agrees(engine, monkeypatch):
    """The place of a family whose time is said to be over goes to the next child, and does not come back."""
    runner.load_handlers()
    run_id, job_id, (first, second) = a_started_run(engine)
    runner.run(engine, clock, job_id, "worker")
    with Session(engine) as session, session.begin():
        for by in (first, second):
            runs.sign(session, run_id, by=by, now=NOW)
        prepare_all(session, run_id, by=second, now=NOW)
        hour = session.get_one(Publication, run_id).hour
        job = session.scalars(select(jobs.Job.id).where(jobs.Job.kind == "publish_run")).one()
    runner.run(engine, lambda _session: hour, job, "worker")
    with Session(engine) as session:
        answer_by = session.scalars(select(Offer.answer_by).limit(1)).one()

    def every_minute(moment) -> dict:
        with Session(engine) as session, session.begin():
            due = jobs.enqueue(session, "answers_due", now=real_now())
        assert runner.run(engine, lambda _session: moment, due, "worker") == "done"
        with Session(engine) as session:
            return session.get_one(jobs.Job, due).result

    assert every_minute(answer_by - dt.timedelta(hours=20)) == {"reminded": 2, "ended": 0}
    over = answer_by + dt.timedelta(minutes=5)
    with monkeypatch.context() as wrong:
        wrong.setattr("portal.web.clock.database_now", lambda _session: real_now() + dt.timedelta(minutes=10))
        assert every_minute(over) == {"reminded": 0, "ended": 0}
    assert every_minute(over) == {"reminded": 0, "ended": 2}


def test_a_run_that_fails_its_check_cannot_be_published(engine, monkeypatch):
    """A run with failed checks is saved as failed, makes no offers, and cannot be signed."""
    runner.load_handlers()
    run_id, job_id, (first, _second) = a_started_run(engine)
    honest = execution.checks.check

    def finds_something(market, outcome, solve=None):
        report = honest(market, outcome, solve)
        return type(report)({**report.findings, "no_justified_envy": ("pool 0",)})

    monkeypatch.setattr(execution.checks, "check", finds_something)
    assert runner.run(engine, clock, job_id, "worker") == "done"
    run = the_run(engine, run_id)
    assert (run.state, run.error, run.digest) == ("failed", "no_justified_envy: pool 0", None)
    with Session(engine) as session, pytest.raises(Refused, match="run_cannot_be_signed"):
        runs.sign(session, run_id, by=first, now=NOW)


@pytest.mark.parametrize("part", ["result_rows.copy_result", "dry_runs.of_market", "run_files.save_openings"])
def test_a_run_of_which_one_part_fails_stores_nothing_and_is_done_again(engine, monkeypatch, part):
    """The rows of the result are copied while the dry runs are made; both are in one transaction with the files."""
    runner.load_handlers()
    run_id, job_id, _officials = a_started_run(engine)

    def fails(*_args, **_options):
        raise ConnectionError("gone")

    with monkeypatch.context() as at_first:
        at_first.setattr(f"enrollment.draw.execution.{part}", fails)
        assert runner.run(engine, clock, job_id, "worker") == "failed"
    assert the_run(engine, run_id).state == "running"
    with Session(engine) as session, session.begin():
        assert session.execute(text("SELECT count(*) FROM placement")).scalar() == 0
        session.execute(text("UPDATE job SET due_at = now() - interval '1 minute' WHERE id = :id"), {"id": job_id})
    assert runner.run(engine, clock, job_id, "worker") == "done"
    assert the_run(engine, run_id).state == "checked"
    with Session(engine) as session:
        assert session.execute(text("SELECT count(*) FROM placement")).scalar() == 3


def test_what_a_wrong_solver_gives_cannot_be_published(engine, monkeypatch):
    """The real check detects a wrong result: the run is saved as failed without placements and cannot be signed."""
    runner.load_handlers()
    run_id, job_id, (first, _second) = a_started_run(engine)
    honest = execution.solve

    def the_last_first(market):
        wrong = honest(market.with_tickets(market.ticket.max() - market.ticket))
        return dataclasses.replace(wrong, market=market)

    monkeypatch.setattr(execution, "solve", the_last_first)
    assert runner.run(engine, clock, job_id, "worker") == "done"
    run = the_run(engine, run_id)
    assert (run.state, run.digest) == ("failed", None)
    assert "no_justified_envy: pool 0" in run.error
    with Session(engine) as session:
        assert session.scalars(select(Placement)).all() == []
        with pytest.raises(Refused, match="run_cannot_be_signed"):
            runs.sign(session, run_id, by=first, now=NOW)
        assert session.scalars(select(Offer)).all() == []


@pytest.mark.long
@pytest.mark.slow
def test_a_real_worker_does_the_run_through_the_queue(engine, tmp_path, real_database, redis_url):
    run_id, _job_id, _officials = a_started_run(engine)
    keys = tmp_path / "keys.json"
    KEYS.write_over(keys)
    environ = environment(
        tmp_path, DATABASE_URL=real_database, REDIS_URL=redis_url, SECRET_KEY="demo-test", KEY_FILE=str(keys), DEMO="1"
    )
    started = []
    for what in (["clock"], ["worker", "all"]):
        command = [sys.executable, "-m", "tests.operations.background_process", *what]
        with (tmp_path / f"{what[0]}.log").open("a") as log:
            started.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log))
    try:
        eventually(lambda: the_run(engine, run_id).state == "checked", 90)
    finally:
        for process in started:
            kill_all_of(process)
