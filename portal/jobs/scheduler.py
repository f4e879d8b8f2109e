"""The clock: what happens by itself, and when.  `flask scheduler` runs it; two of them do no harm."""

import datetime as dt
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from redis import Redis
from rq import Queue
from rq.cron import CronJob, CronScheduler
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from enrollment.ground import audit, jobs
from portal.jobs import runner
from portal.web import clock
from portal.web.clock import real_now
from portal.web.unit_of_work import Services

log = logging.getLogger(__name__)

RELAY_EVERY, SEAL_EVERY, SWEEP_EVERY = 0.5, 1.0, 10.0
"""Seconds between two looks for due rows, two seals of the audit trail, and two searches for silent workers."""


@dataclass(frozen=True)
class Tick:
    """Start a job of this `kind` whenever `cron` (minute, hour, day, month, weekday; Chengdu's time) says so."""

    kind: str
    cron: str


TICKS = (
    Tick("retention", "20 3 * * *"),
    Tick("forget_import_files", "35 * * * *"),
    Tick("look_for_the_impossible", "7 * * * *"),
    Tick("ask_registers", "*/5 * * * *"),
    Tick("answers_due", "*/5 * * * *"),
    Tick("estimate_chances", "30 4 * * *"),
    Tick("replay_rounds", "0 6 * * *"),
)
"""The one list of what the clock starts."""


class Clock(CronScheduler):
    """RQ's scheduler tells when; what it starts is a job's row, whose key makes a second clock harmless."""

    def __init__(self, engine: Engine, connection: Redis, now: Callable[[Session], dt.datetime], ticks=TICKS):
        super().__init__(connection=connection, logging_level=logging.WARNING)
        self.engine, self.now = engine, now
        self.queues = {name: Queue(name, connection=connection) for name in runner.QUEUES}
        self.next_turn = dict.fromkeys(("seal", "sweep"), 0.0)
        for tick in ticks:
            self.register(write_row, "steady", args=(tick.kind,), cron=tick.cron, name=tick.kind)

    def enqueue_jobs(self) -> list[CronJob]:
        """One turn: rows for the ticks that are due, then the relay and, at their times, the seal and the sweep."""
        due = [job for job in self.get_jobs() if job.should_run()]
        for job in due:
            slot = job.next_enqueue_time or real_now()  # RQ sets it for every cron job
            with Session(self.engine) as session, session.begin():
                write_row(session, job.name, slot, now=self.now(session))
            job.set_enqueue_time(real_now())
        self._housekeeping(time.monotonic())
        return due

    def _housekeeping(self, moment: float) -> None:
        with Session(self.engine) as session:
            now = self.now(session)
        if moment >= self.next_turn["sweep"]:
            runner.sweep(self.engine, self.queues.__getitem__, now=now)
            self.next_turn["sweep"] = moment + SWEEP_EVERY
        runner.relay(self.engine, self.queues.__getitem__, now=now)
        if moment >= self.next_turn["seal"]:
            with Session(self.engine) as session, session.begin():
                audit.seal(session)
            self.next_turn["seal"] = moment + SEAL_EVERY
        self.connection.set(runner.BEAT, now.isoformat(), ex=30)

    def calculate_sleep_interval(self) -> float:
        return min(super().calculate_sleep_interval(), RELAY_EVERY)


def write_row(session: Session, kind: str, slot: dt.datetime, *, now: dt.datetime) -> None:
    """The row of one tick: `slot` is the time it stands for, the same for every clock."""
    jobs.enqueue(session, kind, key=f"{kind}@{slot.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}", now=now)


def serve(app: Flask) -> None:
    """Run until SIGTERM.  Cron expressions are read in Chengdu's time."""
    os.environ["TZ"] = "Asia/Shanghai"
    time.tzset()
    services: Services = app.extensions["services"]
    runner.load_handlers()
    connection = Redis.from_url(services.config.redis_url)
    Clock(services.engine, connection, lambda session: clock.now(session, demo=services.config.demo)).start()
