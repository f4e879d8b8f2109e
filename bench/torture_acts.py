"""What the torture does to a portal: each act ends, stops or cuts something of the processes that it started, by their ids."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import redis

from portal.operations.embedded import Postgres, Valkey
from tests.operations.serving import Serving

PARTS = {
    "postgres": "postgres -D",
    "valkey": "valkey-server",
    "families master": "--name families",
    "spare master": "--name spare-families",
    "desks master": "--name desks",
    "worker": "worker all",
    "worker-hour": "worker hour",
    "worker-quick": "worker quick",
    "scheduler": "flask --app wsgi scheduler",
    "sender": "flask --app wsgi sender",
    "line": "flask --app wsgi line",
    "proxy": "/proxy/",
}
"""Words of the commands of the supervisor's children."""

BALLAST = "ballast"


@dataclass
class Event:
    kind: str
    at: float
    what: str


@dataclass
class Tormentor:
    """Acts on `portal`; `restart` ends it whole and starts another one on the same folder and port.

    `disk` is the folder of a small disk of its own, where there is one.
    """

    portal: Serving
    folder: Path
    restart: Callable[[Serving], Serving]
    now: Callable[[], float]
    chance: random.Random
    disk: Path | None = None
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.acts: list[tuple[int, str, Callable[[], str]]] = [
            *((3, f"kill {part}", self._killer(part)) for part in PARTS),
            (4, "kill families worker", lambda: self._signal_below("families master", signal.SIGKILL)),
            (3, "kill horse", lambda: self._signal_below("worker", signal.SIGKILL)),
            (3, "kill backend", lambda: self._signal_below("postgres", signal.SIGKILL)),
            (2, "stop worker", lambda: self._pause("worker", below=False)),
            (2, "stop families worker", lambda: self._pause("families master", below=True)),
            (2, "stop valkey", lambda: self._pause("valkey", below=False)),
            (2, "stop postgres backend", lambda: self._pause("postgres", below=True)),
            (4, "restart families", lambda: self._signal("families master", signal.SIGTERM)),
            (2, "flush queue", self._flush),
            (3, "cut connections", self._cut),
            (1, "kill whole tree", self._whole_tree),
        ]
        if self.disk is not None:
            self.acts.append((2, "full disk", self._fill_disk))

    def strike(self) -> None:
        """One act, chosen by weight; a part that is just starting again is left alone."""
        weights = [weight for weight, _kind, _act in self.acts]
        _weight, kind, act = self.chance.choices(self.acts, weights)[0]
        at = self.now()
        with contextlib.suppress(AssertionError, psutil.Error, psycopg.Error, redis.RedisError, OSError):
            self.events.append(Event(kind, at, act()))

    def _killer(self, part: str) -> Callable[[], str]:
        return lambda: self._signal(part, signal.SIGKILL)

    def _signal(self, part: str, number: int) -> str:
        process = self.portal.child(PARTS[part])
        process.send_signal(number)
        return str(process.pid)

    def _below(self, part: str) -> psutil.Process:
        children = self.portal.child(PARTS[part]).children()
        assert children
        return self.chance.choice(children)

    def _signal_below(self, part: str, number: int) -> str:
        process = self._below(part)
        process.send_signal(number)
        return str(process.pid)

    def _pause(self, part: str, *, below: bool) -> str:
        process = self._below(part) if below else self.portal.child(PARTS[part])
        process.suspend()
        try:
            time.sleep(self.chance.uniform(1, 6))
        finally:
            process.resume()
        return str(process.pid)

    def _flush(self) -> str:
        with redis.Redis.from_url(Valkey(self.folder / "valkey", Path(os.devnull)).url(), socket_timeout=2) as client:
            client.flushall()
        return "FLUSHALL"

    def _cut(self) -> str:
        with psycopg.connect(
            Postgres(self.folder / "postgres", Path(os.devnull)).url("portal"), connect_timeout=2
        ) as connection:
            query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'portal'"
            found = connection.execute(query).fetchone()
        return f"{found[0] if found else 0} connections"

    def _whole_tree(self) -> str:
        pid = self.portal.process.pid
        self.portal = self.restart(self.portal)
        return str(pid)

    def _fill_disk(self) -> str:
        """Fill the disk for some seconds.  PostgreSQL stops when it cannot write its log, and comes back."""
        assert self.disk is not None
        ballast = self.disk / BALLAST
        written = 0
        try:
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    written += file.write(bytes(1 << 20))
            time.sleep(self.chance.uniform(2, 5))
        finally:
            ballast.unlink(missing_ok=True)
        return f"{written >> 20} MB"
