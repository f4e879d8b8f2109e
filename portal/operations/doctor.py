"""Health checks of the portal's parts, for `/healthz`, `flask doctor` and the supervisor."""

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import redis

from enrollment.delivery.lanes import TEXT_LANES
from enrollment.ground.background_processes import CLOCK
from portal.config import SingleSignOn
from portal.gateways.single_sign_on import Provider, SignOnFault
from portal.jobs.queue_entries import QUEUES
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
NEEDED = ("database", "queue", "worker", "sender")
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


def queue(url: str) -> None:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        raise Unwell(f"the queue does not answer ({first_line(error)}): check REDIS_URL and the server") from error


def serving(url: str) -> set[str]:
    """The queues that a live worker serves, and `clock` where a scheduler lives."""
    # what a clock that was ahead has dated would live for as long
    query = "SELECT unnest(serves) FROM background_process WHERE seen_at BETWEEN now() - %(span)s::interval AND now() + %(span)s::interval"
    with psycopg.connect(plain(url), connect_timeout=PATIENCE) as connection:
        return {row[0] for row in connection.execute(query, {"span": SILENT})}


def workers(url: str) -> None:
    """Check that a live worker serves each queue.  Raises Unwell."""
    if idle := sorted(set(QUEUES) - serving(url)):
        raise Unwell(f"no worker serves {', '.join(idle)}: start `flask worker all`")


def scheduler(url: str) -> None:
    if CLOCK not in serving(url):
        raise Unwell("the scheduler does not run: start `flask scheduler`")


def sender(url: str) -> None:
    """Check that both lanes of a sender are alive.  Raises Unwell."""
    silent = "SELECT lane FROM sender_status WHERE seen_at > %s"
    with psycopg.connect(plain(url), connect_timeout=PATIENCE) as connection:
        alive = {row[0] for row in connection.execute(silent, [real_now() - SILENT])}
    if missing := sorted(set(TEXT_LANES) - alive):
        raise Unwell(f"nobody sends {' and '.join(missing)}: start `flask sender`")


def gateway(url: str) -> None:
    """Check that the gateway of messages answers the senders.  Raises Unwell."""
    with psycopg.connect(plain(url), connect_timeout=PATIENCE) as connection:
        query = "SELECT error, down_since FROM sender_status WHERE down_since IS NOT NULL AND seen_at > %s LIMIT 1"
        down = connection.execute(query, [real_now() - SILENT]).fetchone()
    if down is not None:
        raise Unwell(f"the gateway of messages fails since {down[1]:%Y-%m-%d %H:%M} UTC ({down[0]}): ask its operator")


def single_sign_on(settings: SingleSignOn) -> None:
    """Check that the provider of the single sign-on answers and is the configured one.  Raises Unwell."""
    try:
        Provider(settings, redirect_uri="").metadata()
    except SignOnFault as fault:
        raise Unwell(
            f"{settings.issuer}: {fault}; families sign in with codes: check OIDC_ISSUER, ask its operator"
        ) from fault


def letters() -> None:
    try:
        libraries.check_libraries()
    except libraries.LibraryMissing as missing:
        raise Unwell(str(missing)) from missing


def examine(database_url: str, redis_url: str) -> list[Finding]:
    """Check every part without changing anything."""
    return [
        finding("database", lambda: database(database_url)),
        finding("queue", lambda: queue(redis_url)),
        finding("worker", lambda: workers(database_url)),
        finding("clock", lambda: scheduler(database_url)),
        finding("sender", lambda: sender(database_url)),
        finding("gateway", lambda: gateway(database_url)),
        finding("letters", letters),
    ]


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
