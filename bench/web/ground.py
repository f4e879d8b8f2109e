"""What is measured: a real portal on a PostgreSQL and a Valkey of its own, with a small city in its registration.

The portal runs as production does (`DEMO=0`) with as many page processes as `make serve` starts.
"""

import contextlib
import datetime as dt
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
from sqlalchemy import Engine

from enrollment.ground import vault
from enrollment.ground.db import open_engine
from enrollment.ground.vault import Keys
from portal.demo.city_builder import STEPS, CityBuilder
from portal.operations.embedded import Postgres, Valkey
from portal.operations.migrations import upgrade
from portal.operations.page_processes import workers_for_families

ROOT = Path(__file__).parents[2]
SECRET = "secret-of-the-bench-" + secrets.token_hex(16)
DATED = ("season", "season_date", "round", "run", "offer")
"""Tables whose dates are moved to today."""

START_LIMIT = 900
"""Seconds by the clock.  A start takes some seconds of processor time, which a machine that others use may give in minutes."""

UNCOUNTED = ("begin", "commit", "rollback", "savepoint", "release", "set ", "show ", "discard", "deallocate", "")


class Server:
    """Page processes under gunicorn, with the settings of `make serve`.  `app` is what gunicorn serves."""

    def __init__(self, app: str, environ: dict[str, str], log: Path):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1024)
        self.port = self.listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", app, "--bind", f"fd://{self.listener.fileno()}"]
        command += ["--workers", str(workers_for_families()), "--preload", "--no-control-socket", "--timeout", "60"]
        command += ["--chdir", str(ROOT)]
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command, env=environ, cwd=ROOT, stdout=file, stderr=file, pass_fds=[self.listener.fileno()]
            )
        self.log = log
        limit = time.monotonic() + START_LIMIT
        while len(self.workers()) < workers_for_families():
            if self.process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"{app} did not start: see {log}")
            time.sleep(0.05)

    def workers(self) -> list[int]:
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(self.process.pid).children()]
        return []

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        self.listener.close()


class Ground:
    """Database, queue, keys and the portal.  `through` is the step of the demo city that the database holds."""

    def __init__(self, children: int, through: str = "registration"):
        self.folder = Path(tempfile.mkdtemp(prefix="bench-web-"))
        self.folder.chmod(0o755)
        keys = Keys({"bench": os.urandom(32)}, "bench", os.urandom(32))
        vault.unlock(keys)
        keys.write_over(self.folder / "keys.json")
        self.postgres = Postgres(self.folder / "postgres", self.folder / "postgres.log", {"max_connections": "120"})
        self.valkey = Valkey(self.folder / "valkey", self.folder / "valkey.log")
        self.servers: list[Server] = []
        self.engine: Engine | None = None
        try:
            self._start(children, through)
        except BaseException:
            self.stop()
            raise

    def _start(self, children: int, through: str) -> None:
        self.postgres.start()
        self.valkey.start()
        self.postgres.ensure_database("city")
        self.url = self.postgres.url("city")
        # the measurement waits for nobody: a lock that is never given back is a fault to be told
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            connection.execute("ALTER DATABASE city SET lock_timeout = '30s'")
        self.engine = open_engine(self.url)
        upgrade(self.engine)
        city = CityBuilder(self.engine, children, 2026, lambda step, done, of: None)
        for step in STEPS[: STEPS.index(through) + 1]:
            getattr(city, f"_{step}")()
        self._move_to_today()
        self.portal = self.serve("wsgi:app")

    def _move_to_today(self) -> None:
        """The demo's dates as dates around now: production has no clock of its own."""
        with psycopg.connect(self.url) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            columns = connection.execute(
                "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = ANY(%s) AND data_type LIKE 'timestamp%%' GROUP BY 1",
                [list(DATED)],
            ).fetchall()
            for table, dated in columns:
                moved = ", ".join(f"{column} = {column} - (SELECT ahead FROM demo_clock)" for column in dated)
                connection.execute(f"UPDATE {table} SET {moved}")

    @property
    def environ(self) -> dict[str, str]:
        ours = {"DEMO", "PORTAL_DATA", "PUBLIC_URL"}
        plain = {name: value for name, value in os.environ.items() if name not in ours}
        return plain | {
            "DATABASE_URL": self.url,
            "REDIS_URL": self.valkey.url(),
            "SECRET_KEY": SECRET,
            "KEY_FILE": str(self.folder / "keys.json"),
            "MESSAGE_GATEWAY": "http://127.0.0.1:9/messages",
            "CODES_PER_ADDRESS": "1000000000",
            "BENCH_FOLDER": str(self.folder),
        }

    def serve(self, app: str, **more: str) -> Server:
        server = Server(app, self.environ | more, self.folder / f"{app.partition(':')[0]}.log")
        self.servers.append(server)
        return server

    @property
    def postmaster(self) -> int:
        child = self.postgres.child
        assert child is not None
        assert child.process is not None
        return child.process.pid

    @contextlib.contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The statements that the server executes meanwhile, from its log; without BEGIN and COMMIT."""
        found: list[str] = []
        self._log_statements("all")
        began = self._log_size()
        yield found
        said = self._log_until_marker(began)
        self._log_statements("none")
        for match in re.finditer(r"(?:statement|execute [^:]*): (.*?)(?=\n\d{4}-\d\d-\d\d |\Z)", said, re.DOTALL):
            statement = match.group(1).strip(" ;\n\t")
            if not any(statement.lower().startswith(word) if word else not statement for word in UNCOUNTED):
                found.append(statement)

    def _log_until_marker(self, began: int) -> str:
        """The log from this place to a statement that is sent now: what was sent before it stands before it."""
        marker = f"SELECT 'end {uuid.uuid4().hex}'"
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            connection.execute(marker)
        limit = time.monotonic() + 20
        while True:
            with (self.folder / "postgres.log").open(errors="replace") as file:
                file.seek(began)
                said, found, _after = file.read().partition(marker)
            if found:
                return said.rpartition("\n")[0]
            if time.monotonic() > limit:
                raise RuntimeError("the server does not write its statements into its log")
            time.sleep(0.05)

    def _log_size(self) -> int:
        return (self.folder / "postgres.log").stat().st_size

    def _log_statements(self, which: str) -> None:
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET log_statement = '{which}'")
            connection.execute("SELECT pg_reload_conf()")
        limit = time.monotonic() + 20
        while self._logged_now() != which:
            if time.monotonic() > limit:
                raise RuntimeError("the server does not read its settings again")
            time.sleep(0.05)

    def _logged_now(self) -> str:
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SHOW log_statement").fetchone()
        return found[0] if found else ""

    def stop(self) -> None:
        for server in self.servers:
            server.stop()
        if self.engine is not None:
            self.engine.dispose()
        self.postgres.stop()
        self.valkey.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
