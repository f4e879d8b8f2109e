"""A process that does background work: `flask worker quick|all`."""

import gc
import os
import socket
import uuid

from flask import Flask
from redis import Redis
from rq import Queue, Worker
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from allocation import compilation
from enrollment.ground import jobs
from portal.jobs import runner
from portal.web import clock
from portal.web.unit_of_work import services

HEARTBEAT = 20
"""Seconds until RQ regards a silent worker as dead (its default is seven minutes)."""

_app: Flask
"""The app of this worker process.  RQ calls `perform` by its dotted name, so the app cannot be an argument."""


def perform(job_id: str) -> str:
    """The function that RQ calls in a forked process for each job."""
    with _app.app_context():
        demo = services().config.demo
        owner = f"{socket.gethostname()}:{os.getpid()}"
        return runner.run(services().engine, lambda session: clock.now(session, demo=demo), uuid.UUID(job_id), owner)


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
    connection = Redis.from_url(_app.extensions["services"].config.redis_url)
    worker = Worker(
        [Queue(name, connection=connection) for name in runner.WORKERS[kind]],
        connection=connection,
        name=f"{kind}.{socket.gethostname()}.{os.getpid()}",
        worker_ttl=HEARTBEAT,
        job_monitoring_interval=5,
        maintenance_interval=5,
        log_job_description=False,
    )
    # each job runs in a fork of this process: frozen objects are not touched by the collector, so their pages stay shared
    gc.freeze()
    worker.work(logging_level="WARNING")


def enqueue_warm_up(engine: Engine) -> None:
    """Enqueue a job that compiles the engine, so that the first draw after a code change does not wait for it."""
    with Session(engine) as session, session.begin():
        now = clock.now(session, demo=_app.extensions["services"].config.demo)
        jobs.enqueue(session, "warm_engine", key=f"warm_engine:{socket.gethostname()}:{uuid.uuid4()}", now=now)
