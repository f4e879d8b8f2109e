"""The scheduler: enqueues jobs at their times.  `flask scheduler` runs it; two instances do no harm."""

import datetime as dt
import logging
import os
import time
from collections.abc import Callable, Iterable
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

RELAY_INTERVAL, SEAL_INTERVAL, SWEEP_INTERVAL = 0.5, 1.0, 10.0
"""Seconds between two relays of due rows, two seals of the audit trail, and two searches for silent workers."""


@dataclass(frozen=True)
class ScheduledJob:
    """A job of this `kind` at the times of `cron` (minute, hour, day, month, weekday; Chengdu time)."""

    kind: str
    cron: str


SCHEDULE = (
    ScheduledJob("retention", "20 3 * * *"),
    ScheduledJob("forget_import_files", "35 * * * *"),
    ScheduledJob("check_invariants", "7 * * * *"),
    ScheduledJob("ask_registers", "*/5 * * * *"),
    ScheduledJob("joint_decisions_due", "*/5 * * * *"),
    ScheduledJob("answers_due", "*/5 * * * *"),
    ScheduledJob("bonds_incomplete", "15 * * * *"),
    ScheduledJob("end_phone_waits", "*/5 * * * *"),
    ScheduledJob("estimate_chances", "30 4 * * *"),
    ScheduledJob("replay_rounds", "0 6 * * *"),
)
"""All scheduled jobs."""


class Scheduler(CronScheduler):
    """RQ's scheduler computes the times; each job is a database row, whose key makes a second scheduler harmless."""

    def __init__(
        self,
        engine: Engine,
        connection: Redis,
        now: Callable[[Session], dt.datetime],
        schedule: Iterable[ScheduledJob] = SCHEDULE,
    ):
        super().__init__(connection=connection, logging_level=logging.WARNING)
        self.engine, self.now = engine, now
        self.queues = {name: Queue(name, connection=connection) for name in runner.QUEUES}
        self.next_turn = dict.fromkeys(("seal", "sweep"), 0.0)
        for scheduled in schedule:
            self.register(enqueue_scheduled, "steady", args=(scheduled.kind,), cron=scheduled.cron, name=scheduled.kind)

    def enqueue_jobs(self) -> list[CronJob]:
        """One cycle: write rows for due jobs, relay, and at their intervals seal the audit trail and sweep."""
        due = [job for job in self.get_jobs() if job.should_run()]
        for job in due:
            slot = job.next_enqueue_time or real_now()  # RQ sets it for every cron job
            with Session(self.engine) as session, session.begin():
                enqueue_scheduled(session, job.name, slot, now=self.now(session))
            job.set_enqueue_time(real_now())
        self._housekeeping(time.monotonic())
        return due

    def _housekeeping(self, moment: float) -> None:
        with Session(self.engine) as session:
            now = self.now(session)
        if moment >= self.next_turn["sweep"]:
            runner.sweep(self.engine, self.queues.__getitem__, now=now)
            self.next_turn["sweep"] = moment + SWEEP_INTERVAL
        runner.relay(self.engine, self.queues.__getitem__, now=now)
        if moment >= self.next_turn["seal"]:
            with Session(self.engine) as session, session.begin():
                audit.seal(session)
            self.next_turn["seal"] = moment + SEAL_INTERVAL
        self.connection.set(runner.SCHEDULER_HEARTBEAT, now.isoformat(), ex=30)

    def calculate_sleep_interval(self) -> float:
        return min(super().calculate_sleep_interval(), RELAY_INTERVAL)


def enqueue_scheduled(session: Session, kind: str, slot: dt.datetime, *, now: dt.datetime) -> None:
    """Write the row of one scheduled job; `slot` is its scheduled time, which is the same for every scheduler."""
    jobs.enqueue(session, kind, key=f"{kind}@{slot.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}", now=now)


def serve(app: Flask) -> None:
    """Run until SIGTERM.  Cron expressions are in Chengdu time."""
    os.environ["TZ"] = "Asia/Shanghai"
    time.tzset()
    services: Services = app.extensions["services"]
    runner.load_handlers()
    connection = Redis.from_url(services.config.redis_url)
    Scheduler(services.engine, connection, lambda session: clock.now(session, demo=services.config.demo)).start()
