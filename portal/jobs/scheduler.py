"""The scheduler: enqueues jobs at their times.  `flask scheduler` runs it; two instances do no harm."""

import contextlib
import datetime as dt
import functools
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq.cron import CronJob, CronScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from enrollment.ground import background_processes, jobs
from enrollment.ground.audit_chain import sealing
from enrollment.maintenance import future_times
from portal.config import Config
from portal.jobs import alarms, runner
from portal.jobs.alarms import AlarmWatch
from portal.jobs.head_copy import HeadCopy
from portal.jobs.queue_entries import QUEUES, open_queue
from portal.web import clock
from portal.web.clock import real_now
from portal.web.unit_of_work import Services

log = logging.getLogger(__name__)

RELAY_INTERVAL, SEAL_INTERVAL, SWEEP_INTERVAL, REPORT_INTERVAL = 0.5, 1.0, 10.0, 10.0
"""Seconds between two relays of due rows, two seals of the audit trail, two searches for silent workers, and two signs of
life."""


CLOCK_SLACK = dt.timedelta(seconds=30)
"""How much a clock may be set back without a word."""


@dataclass(frozen=True)
class ScheduledJob:
    """A job of this `kind` at the times of `cron` (minute, hour, day, month, weekday; Chengdu time)."""

    kind: str
    cron: str


SCHEDULE = (
    ScheduledJob("backup", "30 2 * * *"),
    ScheduledJob("retention", "20 3 * * *"),
    ScheduledJob("forget_import_files", "35 * * * *"),
    ScheduledJob("check_invariants", "7 * * * *"),
    ScheduledJob("ask_registers", "*/5 * * * *"),
    ScheduledJob("joint_decisions_due", "*/5 * * * *"),
    ScheduledJob("publications_due", "* * * * *"),
    ScheduledJob("count_coverage", "* * * * *"),
    ScheduledJob("count_unserved", "* * * * *"),
    ScheduledJob("fold_season_tally", "*/2 * * * *"),
    ScheduledJob("answers_due", "*/5 * * * *"),
    ScheduledJob("corrections_due", "25 * * * *"),
    ScheduledJob("bonds_incomplete", "15 * * * *"),
    ScheduledJob("returns_over", "5 * * * *"),
    ScheduledJob("deadline_reminders", "30 17 * * *"),
    ScheduledJob("end_phone_waits", "*/5 * * * *"),
    ScheduledJob("count_area_sums", "50 3 * * *"),
    ScheduledJob("estimate_chances", "30 4 * * *"),
    ScheduledJob("replay_rounds", "0 6 * * *"),
    ScheduledJob("estimate_movement", "40 6 * * *"),
    ScheduledJob("replay_vacancies", "*/5 * * * *"),
)
"""All scheduled jobs."""

DEMO_SCHEDULE = (ScheduledJob("demo_goes_on", "* * * * *"),)
"""Those of a demo beside them."""


class Scheduler(CronScheduler):
    """RQ's scheduler computes the times; each job is a database row, whose key makes a second scheduler harmless."""

    def __init__(
        self,
        engine: Engine,
        connection: Redis,
        now: Callable[[Session], dt.datetime],
        schedule: Iterable[ScheduledJob] = SCHEDULE,
        head_file: Path | None = None,
        config: Config | None = None,
    ):
        super().__init__(connection=connection, logging_level=logging.WARNING)
        self.engine, self.now = engine, now
        self.head_copy = HeadCopy(engine, head_file) if head_file else None
        self.process = f"scheduler.{socket.gethostname()}.{os.getpid()}"
        self.away_since: float | None = None
        self.last_cycle = real_now()
        self.kinds: list[str] = []
        self.last_now: dt.datetime | None = None
        self.times_are_checked = False
        self.queues = {name: open_queue(name, connection) for name in QUEUES}
        self.next_turn = dict.fromkeys(("seal", "sweep", "report", "alarms"), 0.0)
        self.watch = AlarmWatch(engine, config, now, self._queue_answers) if config else None
        for scheduled in schedule:
            self.kinds.append(scheduled.kind)
            self.register(enqueue_scheduled, "steady", args=(scheduled.kind,), cron=scheduled.cron, name=scheduled.kind)

    def enqueue_jobs(self) -> list[CronJob]:
        """One cycle.  What was due while the database or the queue was away is due in the next one."""
        try:
            due = self._cycle()
        except (OperationalError, RedisError) as error:
            if self.away_since is None:
                log.error("the scheduler waits: %s does not answer", _who(error))
            self.away_since = self.away_since or time.monotonic()
            if self.watch is not None and isinstance(error, OperationalError):
                self.watch.database_is_away()
            time.sleep(RELAY_INTERVAL)
            return []
        if self.away_since is not None:
            log.warning("the scheduler goes on after %.0f s", time.monotonic() - self.away_since)
            self.away_since = None
        return due

    def heartbeat(self) -> None:
        with contextlib.suppress(RedisError):
            super().heartbeat()

    def save(self, *args: Any, **options: Any) -> None:
        with contextlib.suppress(RedisError):
            super().save(*args, **options)

    def _cycle(self) -> list[CronJob]:
        """Write rows for due jobs, relay, and at their intervals seal the audit trail and sweep."""
        self._notice_a_clock_turned_back()
        due = [job for job in self.get_jobs() if job.should_run()]
        for job in due:
            slot = job.next_enqueue_time or real_now()  # RQ sets it for every cron job
            with Session(self.engine) as session, session.begin():
                enqueue_scheduled(session, job.name, slot, now=self.now(session))
            job.set_enqueue_time(real_now())
        self._housekeeping(time.monotonic())
        return due

    def _notice_a_clock_turned_back(self) -> None:
        """After an hour ahead, the next times of all jobs would be an hour away; they are computed anew."""
        before, self.last_cycle = self.last_cycle, real_now()
        if self.last_cycle < before - CLOCK_SLACK:
            log.warning("the clock of this host was turned back by %s", before - self.last_cycle)
            self.times_are_checked = False
            for job in self.get_jobs():
                job.set_enqueue_time(self.last_cycle)

    def _set_times_anew(self, session: Session, now: dt.datetime) -> None:
        """At the start, and when this host's clock or that of the database was turned back."""
        if self.last_now is not None and now < self.last_now - CLOCK_SLACK:
            self.times_are_checked = False
        self.last_now = now
        if self.times_are_checked:
            return
        if found := future_times.set_anew(session, scheduled=self.kinds, now=now):
            log.warning("times that a clock ahead has set were set anew: %s", found)
        self.times_are_checked = True

    def _housekeeping(self, moment: float) -> None:
        with Session(self.engine) as session, session.begin():
            now = self.now(session)
            self._set_times_anew(session, now)
        # first what needs no queue: the trail is sealed and the scheduler lives also while the queue is away
        if moment >= self.next_turn["seal"]:
            self._seal()
            self.next_turn["seal"] = moment + SEAL_INTERVAL
        if moment >= self.next_turn["report"]:
            with Session(self.engine) as session, session.begin():
                background_processes.report(session, self.process, [background_processes.CLOCK])
            self.next_turn["report"] = moment + REPORT_INTERVAL
        if self.watch is not None and moment >= self.next_turn["alarms"]:
            self.watch.look(self.head_copy.faults if self.head_copy else ())
            self.next_turn["alarms"] = moment + alarms.INTERVAL
        if moment >= self.next_turn["sweep"]:
            runner.sweep(self.engine, self.queues.__getitem__, now=now)
            self.next_turn["sweep"] = moment + SWEEP_INTERVAL
        runner.relay(self.engine, self.queues.__getitem__, now=now)

    def _queue_answers(self) -> bool:
        with contextlib.suppress(RedisError):
            return bool(self.connection.ping())
        return False

    def _seal(self) -> None:
        """Seal the audit trail, and copy its head out of the database."""
        with Session(self.engine) as session, session.begin():
            sealed = sealing.seal(session)
        if self.head_copy is not None:
            self.head_copy.update(sealed=bool(sealed))

    def calculate_sleep_interval(self) -> float:
        return min(super().calculate_sleep_interval(), RELAY_INTERVAL)


def _who(error: Exception) -> str:
    return "the queue" if isinstance(error, RedisError) else "the database"


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
    config = services.config
    now = functools.partial(clock.now, demo=config.demo)
    schedule = (*SCHEDULE, *DEMO_SCHEDULE) if config.demo else SCHEDULE
    Scheduler(services.engine, connection, now, schedule, head_file=config.audit_head_file, config=config).start()
