"""The state of the portal as Prometheus reads it: queues, outbox, sender, seals, backups, connections, disk, waiting line."""

import contextlib
import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import cast

import redis
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from enrollment.ground.operations import alarms
from enrollment.ground.operations.alarms import AlarmCode
from enrollment.maintenance import operation_figures

LINE = ("line:last", "line:turn")
PATIENCE = 2.0

DESCRIPTIONS = {
    "jobs": ("portal_jobs_due", "Due jobs that no worker has begun"),
    "oldest_job": ("portal_oldest_job_seconds", "Age of the oldest of them"),
    "codes": ("portal_codes_due", "One-time codes that wait to be sent"),
    "oldest_code": ("portal_oldest_code_seconds", "Since when the oldest of them is due"),
    "notices": ("portal_notices_due", "Other messages that wait to be sent"),
    "oldest_notice": ("portal_oldest_notice_seconds", "Since when the oldest of them is due"),
    "numbers_with_code": (
        "portal_numbers_with_code",
        "Numbers that got one of the last hundred codes, 5 to 120 minutes ago",
    ),
    "numbers_with_entered_code": ("portal_numbers_with_entered_code", "Those of them that entered one"),
    "failed_notices": ("portal_notices_failed", "Messages that nobody will try again"),
    "gateway_down": ("portal_gateway_down_seconds", "How long the gateway of messages has failed"),
    "sender_silent": ("portal_sender_silent_seconds", "Since the last sign of life of a lane of the sender"),
    "scheduler_silent": ("portal_scheduler_silent_seconds", "Since the last sign of life of the scheduler"),
    "worker_silent": ("portal_worker_silent_seconds", "Since the last sign of life of a worker for all jobs"),
    "seal_lag": ("portal_seal_lag_seconds", "Age of the oldest entry of the audit trail without a seal"),
    "days_are_missing": (
        "portal_days_are_missing",
        "1 where nothing happened in the week before yesterday: has the clock jumped?",
    ),
    "backup_age": ("portal_backup_age_seconds", "Age of the newest backup"),
}


class State(Collector):
    """Asked anew at each scrape.  What does not answer is `portal_up` 0, and its figures are left out."""

    def __init__(self, engine: Engine, redis_url: str, folders: list[Path], now: dt.datetime):
        self.engine, self.redis_url, self.folders, self.now = engine, redis_url, folders, now

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("portal_up", "Whether this part answers", labels=["part"])
        yield from self._database(up)
        yield from self._line(up)
        yield up
        yield from self._pool()
        yield from self._disk()

    def _database(self, up: GaugeMetricFamily) -> Iterator[Metric]:
        try:
            with Session(self.engine) as session:
                figures = asdict(operation_figures.read(session, now=self.now))
                open_now = {alarm.code for alarm in alarms.open_alarms(session)}
        except SQLAlchemyError:
            up.add_metric(["database"], 0)
            return
        up.add_metric(["database"], 1)
        for name, (metric, help_text) in DESCRIPTIONS.items():
            if figures[name] is not None:
                yield GaugeMetricFamily(metric, help_text, value=figures[name])
        holds = GaugeMetricFamily("portal_alarm", "Whether the scheduler has raised this alarm", labels=["code"])
        for code in AlarmCode:
            holds.add_metric([code], code in open_now)
        yield holds

    def _line(self, up: GaugeMetricFamily) -> Iterator[Metric]:
        with contextlib.closing(
            redis.Redis.from_url(self.redis_url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
        ) as client:
            try:
                last, turn = (int(value or 0) for value in cast("list[bytes | None]", client.mget(LINE)))
            except (redis.RedisError, OSError, ValueError):
                up.add_metric(["queue"], 0)
                return
        up.add_metric(["queue"], 1)
        yield GaugeMetricFamily(
            "portal_line_length", "Visitors with a number who are not in yet", value=max(last - turn, 0)
        )

    def _pool(self) -> Iterator[Metric]:
        pool = self.engine.pool
        if isinstance(pool, QueuePool):
            yield GaugeMetricFamily(
                "portal_connections_used", "Database connections in use in this process", value=pool.checkedout()
            )
            yield GaugeMetricFamily(
                "portal_connections_most", "Database connections this process keeps open", value=pool.size()
            )

    def _disk(self) -> Iterator[Metric]:
        free = GaugeMetricFamily("portal_disk_free_ratio", "Free share of a disk", labels=["folder"])
        for folder in self.folders:
            with contextlib.suppress(OSError):
                usage = shutil.disk_usage(folder)
                free.add_metric([str(folder)], usage.free / usage.total)
        yield free
