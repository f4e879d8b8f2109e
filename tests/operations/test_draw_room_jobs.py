"""Jobs of the draw room run once, also if a worker is paused, killed or loses its connection."""

import datetime as dt
import threading
import time

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enrollment.draw import draw_jobs, requests, runs
from enrollment.draw.draws import Draw, Snapshot, Ticket
from enrollment.draw.publication import preparation
from enrollment.draw.publication.rows import PreparedNotice, PreparedOffer, PreparedResult, Publication
from enrollment.draw.run_rows import Run
from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.offers.offers import Offer
from enrollment.season.rounds import Round
from portal.jobs import runner
from portal.jobs.handlers import draw_room
from portal.jobs.runner import HANDLERS, JobRun, LeaseLost
from tests.conftest import NOW
from tests.support.leases import end_lease
from tests.support.town import Town

MINUTE = dt.timedelta(minutes=1)


pytestmark = pytest.mark.long


@pytest.fixture
def engine(real_database):
    runner.load_handlers()
    engine = open_engine(real_database)
    yield engine
    engine.dispose()


class Room:
    """A small town with a requested job of this `kind`."""

    def __init__(self, engine, kind: str):
        self.engine = engine
        with Session(engine, expire_on_commit=False) as session:
            town = Town(session, NOW)
            apple = town.kindergarten("金苹果", places=2)
            for name in ("安娜", "本本", "翠翠"):
                town.child(name, wishes=[apple])
            town.everyone_is_reviewed()
            self._lead_up_to(town, kind)
            self.now, self.round_id = town.now + MINUTE, town.the_round.id
            if kind == "freeze_round":
                town.declare_form(self.now + 10 * MINUTE)
            getattr(self, f"_ask_{kind}")(session, town)
            session.commit()
            self.job_id = town.the_round.draw_job_id

    def _lead_up_to(self, town, kind):
        town.close_registration() if town.the_round.stage == "open" else None
        if kind != "freeze_round":
            town.freeze()
        if kind == "enter_seed":
            town.witness()
        if kind == "prepare_run":
            town.seed()
            town.run()

    def _ask_freeze_round(self, session, town):
        requests.freeze(session, self.round_id, by=town.city_pair()[0], now=self.now, after=0)

    def _ask_enter_seed(self, session, town):
        requests.set_seed(session, self.round_id, by=town.city_pair()[0], now=self.now)

    def _ask_prepare_run(self, session, town):
        run = runs.of_round(session, self.round_id)[0]
        assert [requests.sign(session, run.id, by=by, now=self.now) for by in town.city_pair()] == [1, 2]

    def clock(self, _session) -> dt.datetime:
        return self.now + MINUTE

    def lease(self, *, long_ago: bool = False) -> JobRun:
        with Session(self.engine) as session, session.begin():
            lease = jobs.take(session, self.job_id, owner="somebody")
            if long_ago:
                end_lease(session, self.job_id)
            return JobRun(self.engine, lease, self.clock)

    def the_job(self) -> jobs.Job:
        with Session(self.engine) as session:
            return session.get_one(jobs.Job, self.job_id)

    def work(self) -> str:
        return runner.run(self.engine, self.clock, self.job_id, "a worker")

    def written(self) -> dict[str, int]:
        """The number of each result, which must be 1."""
        with Session(self.engine) as session:
            count = {model.__tablename__: session.scalar(select(func.count()).select_from(model))
                     for model in (Snapshot, Draw, Ticket, Offer, PreparedOffer, PreparedNotice)}  # fmt: skip
            count["notice"] = session.scalar(select(func.count()).where(Notice.kind == "result_published"))
            count["waits"] = session.scalar(select(func.count()).where(Publication.prepared_at.is_not(None)))
            count["taken"] = session.scalar(text("SELECT coalesce(sum(taken), 0) FROM programme"))
            count["published"] = session.scalar(select(func.count()).where(Run.state == "published"))
            count["stage"] = session.get_one(Round, self.round_id).stage
            return count


PREPARED = {"prepared_offer": 2, "prepared_notice": 3, "waits": 1}
NOT_PREPARED = dict.fromkeys(PREPARED, 0)
DONE = {
    "freeze_round": {"snapshot": 1, "draw": 1, "ticket": 0, "offer": 0, "notice": 0, "taken": 0, "published": 0, "stage": "frozen", **NOT_PREPARED},
    "enter_seed": {"snapshot": 1, "draw": 1, "ticket": 3, "offer": 0, "notice": 0, "taken": 0, "published": 0, "stage": "drawn", **NOT_PREPARED},
    "prepare_run": {"snapshot": 1, "draw": 1, "ticket": 3, "offer": 0, "notice": 0, "taken": 0, "published": 0, "stage": "drawn", **PREPARED},
}  # fmt: skip


@pytest.fixture(params=tuple(DONE))
def room(engine, request):
    return Room(engine, request.param)


def test_a_requested_job_and_its_end_are_one_commit(room):
    before = room.written()
    assert before != DONE[room.the_job().kind]
    assert room.work() == "done"
    job = room.the_job()
    assert (job.state, job.done_units < job.all_units, room.written()) == ("done", True, DONE[job.kind])
    assert room.work() == "not_free", "a second delivery by the queue finds nothing to do"
    assert room.written() == DONE[job.kind]


def test_a_worker_killed_after_its_commit_leaves_a_finished_job(room):
    work = room.lease()
    HANDLERS[room.the_job().kind].function(work)  # and nothing after it: the process is gone
    with Session(room.engine) as session, session.begin():
        assert jobs.requeue_expired(session, now=room.now + 10 * MINUTE) == 0
    assert room.work() == "not_free"
    assert room.written() == DONE[room.the_job().kind]


def test_a_worker_that_was_paused_and_lost_its_lease_writes_nothing(room):
    before = room.written()
    sleeper = room.lease(long_ago=True)
    second = room.lease()
    kind = room.the_job().kind
    with pytest.raises(LeaseLost):
        HANDLERS[kind].function(sleeper)
    assert room.written() == before
    HANDLERS[kind].function(second)
    with pytest.raises((LeaseLost, Refused)):
        HANDLERS[kind].function(sleeper)
    assert room.written() == DONE[kind]


class Cut(JobRun):
    """A job run whose database connections are closed when the last step begins."""

    def progress(self, done, of, step=None):
        super().progress(done, of, step)
        if done == of - 1:
            with Session(self._engine) as session:
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                session.execute(text(f"{cut} AND pid <> pg_backend_pid()"))


def test_a_lost_connection_rolls_back_and_the_next_attempt_succeeds(room):
    before, kind = room.written(), room.the_job().kind
    leased = room.lease(long_ago=True)
    cut = Cut(room.engine, leased._lease, room.clock)
    if kind == "prepare_run":  # batches of their own, so that a new connection goes on behind the last one
        assert runner._run_handler(cut, HANDLERS[kind]) == "done"
        assert room.written() == DONE[kind]
        return
    assert runner._run_handler(cut, HANDLERS[kind]) == "failed"
    assert room.written() == before
    assert room.the_job().state == "waiting", "it will be tried again"
    assert room.work() == "done"
    assert room.written() == DONE[kind]


def test_batches_that_are_prepared_at_once_prepare_every_child_once(engine, monkeypatch):
    monkeypatch.setattr(preparation, "BATCH", 1)
    room, told = Room(engine, "prepare_run"), []
    report = jobs.report_progress
    monkeypatch.setattr(
        jobs,
        "report_progress",
        lambda *a, done, of, step: told.append((done, of, step)) or report(*a, done=done, of=of, step=step),
    )
    assert room.work() == "done" and room.written() == DONE["prepare_run"]
    assert told == [(done, 4, "preparing") for done in (1, 2, 3)]
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(PreparedResult)) == 3


def test_a_batch_that_fails_ends_the_others_and_the_next_attempt_prepares_everybody(engine, monkeypatch):
    """The second batch of four loses its worker; at most the one beside it is prepared, and nothing is opened."""
    monkeypatch.setattr(preparation, "BATCH", 1)
    room, begun, prepare_part = Room(engine, "prepare_run"), [], preparation.prepare_part

    def fails(session, run_id, part, *, by):
        begun.append(part)
        if part[0] is not None:
            raise ConnectionError("gone")
        prepare_part(session, run_id, part, by=by)

    with monkeypatch.context() as at_first:
        at_first.setattr(preparation, "prepare_part", fails)
        assert room.work() == "failed"
    written = room.written()
    assert (written["waits"], written["offer"]) == (0, 0) and written["prepared_notice"] <= 1 and len(begun) <= 3
    with Session(engine) as session, session.begin():
        session.execute(text("UPDATE job SET due_at = :now WHERE id = :id"), {"now": room.now, "id": room.job_id})
    assert room.work() == "done" and room.written() == DONE["prepare_run"]


def test_a_request_during_the_job_is_refused_immediately(engine):
    room = Room(engine, "freeze_round")
    asked, told = threading.Event(), {}

    class Watched(JobRun):
        def progress(self, done, of, step=None):
            super().progress(done, of, step)
            if done == 0:
                with Session(engine) as session:
                    began, by = time.monotonic(), draw_room.requesting_official(session, self)
                    with pytest.raises(Refused, match="draw_at_work"):
                        requests.freeze(session, room.round_id, by=by, now=room.now)
                    told["waited"] = time.monotonic() - began
                asked.set()

    work = Watched(engine, room.lease()._lease, room.clock)
    draw_room.freeze_round(work)
    assert asked.is_set() and told["waited"] < 5, "the lock of the room would have been waited for ten seconds"
    assert room.written() == DONE["freeze_round"]


def test_a_finished_job_is_forgotten_and_the_round_that_named_it_stays(engine):
    room = Room(engine, "prepare_run")
    room.work()
    with Session(engine) as session, session.begin():
        assert session.get_one(Round, room.round_id).draw_job_id == room.job_id
        session.execute(text("DELETE FROM job"))
    with Session(engine) as session:
        round_ = session.get_one(Round, room.round_id)
        assert (round_.draw_job_id, runs.of_round(session, room.round_id)[0].job_id) == (None, None)
        assert draw_jobs.of_round(session, round_) is None
