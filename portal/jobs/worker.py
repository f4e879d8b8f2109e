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

from allocation import compiled
from enrollment.ground import jobs
from portal.jobs import runner
from portal.web import clock
from portal.web.unit_of_work import services

HEARTBEAT = 20
"""Seconds until RQ thinks that a silent worker is gone (its own default is seven minutes)."""

_app: Flask
"""The app of this worker process.  RQ calls `perform` by its dotted name, so the app cannot be an argument."""


def perform(job_id: str) -> str:
    """What the queue calls, in the process that RQ forked for this one job."""
    with _app.app_context():
        demo = services().config.demo
        owner = f"{socket.gethostname()}:{os.getpid()}"
        return runner.run(services().engine, lambda session: clock.now(session, demo=demo), uuid.UUID(job_id), owner)


def serve(app: Flask, kind: str) -> None:
    """Work on the queues of this kind (a key of `runner.WORKERS`) until SIGTERM; then finish the current job and stop."""
    global _app
    _app = app
    runner.load_handlers()
    engine: Engine = _app.extensions["services"].engine
    # a connection that two processes share is broken for both
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    if kind == "all" and not compiled.is_warm():
        ask_to_warm(engine)
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
    # each job runs in a copy of this process: what is loaded shall not be touched, and so not be copied, in any of them
    gc.freeze()
    worker.work(logging_level="WARNING")


def ask_to_warm(engine: Engine) -> None:
    """The first draw after a change of the engine's sources shall not wait for the compiler: a job of its own does."""
    with Session(engine) as session, session.begin():
        now = clock.now(session, demo=_app.extensions["services"].config.demo)
        jobs.enqueue(session, "warm_engine", key=f"warm_engine:{socket.gethostname()}:{uuid.uuid4()}", now=now)
