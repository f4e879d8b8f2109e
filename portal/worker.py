"""A process that does background work: `python -m portal.worker quick|all`."""

import gc
import logging
import os
import socket
import sys
import uuid

from redis import Redis
from rq import Queue, Worker
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from allocation import compilation
from enrollment.ground import jobs
from portal import background, clock

HEARTBEAT = 20
"""Seconds until RQ thinks that a silent worker is gone (its own default is seven minutes)."""

_app = None


def perform(job_id: str) -> str:
    """What the queue calls, in the process that RQ forked for this one job."""
    from portal.work import house

    with _app.app_context():
        demo = house().config.demo
        owner = f"{socket.gethostname()}:{os.getpid()}"
        return background.run(house().engine, lambda session: clock.now(session, demo=demo), uuid.UUID(job_id), owner)


def serve(kind: str) -> None:
    """Work until SIGTERM; then finish the job at hand and go."""
    global _app
    from portal.app import create_app
    from portal.config import from_environment

    _app = create_app(from_environment())
    background.load_handlers()
    engine: Engine = _app.extensions["house"].engine
    # a connection that two processes share is broken for both
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    if kind == "all" and not compilation.is_warm():
        ask_to_warm(engine)
    connection = Redis.from_url(_app.extensions["house"].config.redis_url)
    worker = Worker(
        [Queue(name, connection=connection) for name in background.WORKERS[kind]],
        connection=connection,
        name=f"{kind}.{socket.gethostname()}.{os.getpid()}",
        worker_ttl=HEARTBEAT,
        job_monitoring_interval=5,
        maintenance_interval=5,
        log_job_description=False,
    )
    # each job runs in a copy of this process: what is loaded shall not be touched, and so not be copied, in any of them
    gc.freeze()
    worker.work(logging_level=logging.WARNING)


def ask_to_warm(engine: Engine) -> None:
    """The first draw after a change of the engine's sources shall not wait for the compiler: a job of its own does."""
    with Session(engine) as session, session.begin():
        now = clock.now(session, demo=_app.extensions["house"].config.demo)
        jobs.enqueue(session, "warm_engine", key=f"warm_engine:{socket.gethostname()}:{uuid.uuid4()}", now=now)


if __name__ == "__main__":
    # RQ calls perform() by the module's name, so the app must be kept there and not in a second copy of it
    from portal import worker

    worker.serve(sys.argv[1])
