"""Health checks of the portal's parts, for `/healthz`, `flask doctor` and the supervisor."""

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import redis
from rq import Worker

from portal.jobs.runner import SCHEDULER_HEARTBEAT, WORKERS
from portal.letters import libraries
from portal.web.clock import real_now

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

PATIENCE = 2
"""Seconds to wait for a server's answer."""

LEAST_POSTGRES = 180000
SILENT = dt.timedelta(seconds=45)
"""A worker without a heartbeat for this time counts as dead."""

ALEMBIC = Path(__file__).parents[2] / "migrations" / "alembic.ini"
NEEDED = ("database", "queue", "worker")
"""Without these parts the portal is unhealthy; without the others some jobs wait."""


class Unwell(Exception):
    """A part is unhealthy; the message says how to repair it and contains no secret."""


@dataclass(frozen=True)
class Finding:
    part: str
    fault: str | None = None

    @property
    def well(self) -> bool:
        return self.fault is None


def database(url: str) -> None:
    try:
        with psycopg.connect(plain(url), connect_timeout=PATIENCE) as connection:
            version = connection.info.server_version
            if version < LEAST_POSTGRES:
                raise Unwell(f"PostgreSQL {version // 10000} is too old: version 18 or newer is needed")
            if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
                raise Unwell("the database is empty: run `flask migrate`")
            there = {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}
    except psycopg.Error as error:
        raise Unwell(
            f"the database does not answer ({first_line(error)}): check DATABASE_URL and the server"
        ) from error
    check_revision(there)
    if there != newest_revision():
        raise Unwell("the tables are of an earlier version of the portal: run `flask migrate`")


def check_revision(there: set[str]) -> None:
    """Raises Unwell if `there`, the revisions of a database, contains one that this version of the portal does not know."""
    if unknown := sorted(there - known_revisions()):
        raise Unwell(
            f"the database is of another version of the portal (revision {', '.join(unknown)} is not known here): "
            "check out that version, or begin anew: `make clean-data` removes the demo data of this folder, "
            "and DATABASE_URL may name an empty database"
        )


def newest_revision() -> set[str]:
    """The head revision of this version of the portal."""
    return set(migrations().get_heads())


def known_revisions() -> set[str]:
    return {revision.revision for revision in migrations().walk_revisions()}


@functools.cache
def migrations() -> "ScriptDirectory":
    # imported here, because only the first check needs it and every process would load it at its start
    from alembic.config import Config as AlembicConfig
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(AlembicConfig(str(ALEMBIC)))


def plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def queue(url: str) -> redis.Redis:
    client = redis.Redis.from_url(url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
    try:
        client.ping()
    except (redis.RedisError, OSError) as error:
        raise Unwell(f"the queue does not answer ({first_line(error)}): check REDIS_URL and the server") from error
    return client


def workers(client: redis.Redis) -> None:
    """Check that a live worker serves each queue.  Raises Unwell."""
    served: set[str] = set()
    for worker in Worker.all(connection=client):
        heard = worker.last_heartbeat
        if heard is not None and real_now() - heard.replace(tzinfo=heard.tzinfo or dt.UTC) < SILENT:
            served.update(worker.queue_names())
    idle = sorted({name for queues in WORKERS.values() for name in queues} - served)
    if idle:
        raise Unwell(f"no worker serves {', '.join(idle)}: start `flask worker all`")


def clock(client: redis.Redis) -> None:
    if not client.exists(SCHEDULER_HEARTBEAT):
        raise Unwell("the scheduler does not run: start `flask scheduler`")


def letters() -> None:
    try:
        libraries.check_libraries()
    except libraries.LibraryMissing as missing:
        raise Unwell(str(missing)) from missing


def examine(database_url: str, redis_url: str) -> list[Finding]:
    """Check every part without changing anything."""
    client: list[redis.Redis] = []

    def with_queue(check: Callable[[redis.Redis], None]) -> None:
        if not client:
            raise Unwell("the queue does not answer, so nobody can be heard")
        check(client[0])

    findings = [
        finding("database", lambda: database(database_url)),
        finding("queue", lambda: client.append(queue(redis_url))),
        finding("worker", lambda: with_queue(workers)),
        finding("clock", lambda: with_queue(clock)),
        finding("letters", letters),
    ]
    for opened in client:
        opened.close()
    return findings


def finding(part: str, check: Callable[[], object]) -> Finding:
    try:
        check()
    except Unwell as unwell:
        return Finding(part, str(unwell))
    except (psycopg.Error, redis.RedisError, OSError) as error:
        return Finding(part, first_line(error))
    return Finding(part)


def is_well(findings: list[Finding]) -> bool:
    return all(finding.well for finding in findings if finding.part in NEEDED)


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
