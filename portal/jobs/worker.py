"""A process that does background work: `flask worker hour|quick|all`."""

import contextlib
import gc
import logging
import os
import socket
import time
import uuid
from typing import Any

import rq
from flask import Flask
from redis import Redis
from redis.client import Pipeline
from rq.serializers import JSONSerializer
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from allocation import compilation
from enrollment.ground import background_processes, jobs
from portal.jobs import bulk_priority, process_identity, runner
from portal.jobs.queue_entries import QueuedJob, open_queue
from portal.letters import pdf_renderer
from portal.letters.pdf_renderer import PdfUnavailable
from portal.web import clock
from portal.web.unit_of_work import services

log = logging.getLogger(__name__)

HEARTBEAT = 20
"""Seconds until RQ regards a silent worker as dead (its default is seven minutes)."""

REPORT_INTERVAL = 10
"""Seconds between two signs of life in the database."""

BULK = "bulk"
"""The queue of long batches."""

_app: Flask
"""The app of this worker process.  RQ calls `perform` by its dotted name, so the app cannot be an argument."""


def perform(job_id: str) -> str:
    """The function that RQ calls in a forked process for each job."""
    current = rq.get_current_job()
    if current is not None and current.origin == BULK:
        bulk_priority.step_back()
    with _app.app_context():
        demo = services().config.demo
        return runner.run(
            services().engine,
            lambda session: clock.now(session, demo=demo),
            uuid.UUID(job_id),
            process_identity.own_name(),
        )


class Worker(rq.Worker):
    """A worker that takes ids alone from the queue, and says in the database that it lives."""

    def __init__(self, engine: Engine, name: str, queues: tuple[str, ...], connection: Redis):
        super().__init__(
            [open_queue(each, connection) for each in queues],
            name=name,
            connection=connection,
            job_class=QueuedJob,
            serializer=JSONSerializer,
            worker_ttl=HEARTBEAT,
            job_monitoring_interval=5,
            maintenance_interval=5,
            log_job_description=False,
        )
        self._fork_died = False
        self._engine, self._served, self._next_report, self._process = engine, queues, 0.0, os.getpid()

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ calls this every few seconds, waiting or working, in the worker and in the fork that works for it."""
        super().heartbeat(timeout, pipeline)
        if os.getpid() != self._process or time.monotonic() < self._next_report:
            return
        self._next_report = time.monotonic() + REPORT_INTERVAL
        try:
            with Session(self._engine) as session, session.begin():
                background_processes.report(session, self.name, self._served)
        except SQLAlchemyError as error:
            log.warning("no sign of life: the database does not answer (%s)", type(error).__name__)

    def fork_work_horse(self, job: rq.job.Job, queue: rq.Queue) -> None:
        """RQ calls this for each job.  A batch gets a session of its own, where RQ gives it a process group alone."""
        if queue.name != BULK:
            super().fork_work_horse(job, queue)
            return
        self._horse_pid = os.fork()
        if self._horse_pid == 0:
            bulk_priority.begin_session(self._process)
            self.main_work_horse(job, queue)
            os._exit(0)

    def handle_work_horse_killed(self, *what: Any) -> None:
        """RQ calls this when the fork that works for a job has died."""
        super().handle_work_horse_killed(*what)
        self._fork_died = True

    def execute_job(self, job: rq.job.Job, queue: rq.Queue) -> None:
        """The job of a fork that died does not wait for the end of its lease."""
        super().execute_job(job, queue)
        if self._fork_died:
            self._fork_died = False
            give_back(self._engine)  # when RQ has closed its books: the id comes into the queue again

    def register_death(self) -> None:
        super().register_death()
        with contextlib.suppress(SQLAlchemyError), Session(self._engine) as session, session.begin():
            background_processes.leave(session, self.name)


def serve(app: Flask, kind: str) -> None:
    """Run jobs of the queues of this kind (a key of `runner.WORKERS`) until SIGTERM; then finish the current job."""
    global _app
    _app = app
    runner.load_handlers()
    engine: Engine = _app.extensions["services"].engine
    # two processes must not share a connection
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    if kind == "all" and not compilation.is_warm():
        enqueue_warm_up(engine)
    if "quick" in runner.WORKERS[kind]:
        with contextlib.suppress(PdfUnavailable):  # the first letter says what is missing
            pdf_renderer.renderer()  # once here, not a second in each fork for one letter
    give_back(engine)
    connection = Redis.from_url(_app.extensions["services"].config.redis_url)
    worker = Worker(engine, f"{kind}.{socket.gethostname()}.{os.getpid()}", runner.WORKERS[kind], connection)
    compilation.return_freed_memory()
    # each job runs in a fork of this process: frozen objects are not touched by the collector, so their pages stay shared
    gc.freeze()
    worker.work(logging_level="WARNING")


def give_back(engine: Engine) -> None:
    """Let jobs of dead processes of this host wait again; without the database they wait for the end of their leases."""
    with contextlib.suppress(SQLAlchemyError), Session(engine) as session, session.begin():
        now = clock.now(session, demo=_app.extensions["services"].config.demo)
        runner.give_back_of_dead(session, now=now)


def enqueue_warm_up(engine: Engine) -> None:
    """Enqueue a job that compiles the engine, so that the first draw after a code change does not wait for it."""
    with Session(engine) as session, session.begin():
        now = clock.now(session, demo=_app.extensions["services"].config.demo)
        jobs.enqueue(session, "warm_engine", key=f"warm_engine:{socket.gethostname()}:{uuid.uuid4()}", now=now)
