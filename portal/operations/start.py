"""The steps of a start.  Each raises Fault on failure, with one line that says how to correct it."""

import compileall
import contextlib
import errno
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from sqlalchemy.exc import SQLAlchemyError

from enrollment.ground import vault
from enrollment.ground.vault import Keys, VaultError
from portal.operations import database_roles, doctor, migrations
from portal.operations.child_processes import Child
from portal.operations.data_folder import Folder
from portal.operations.embedded import Postgres, Valkey
from portal.operations.start_faults import Fault, ServerLost

DATABASE = ROLE = "portal"
"""The embedded database, and the role that the portal's processes have in it."""

CUT = ("57P01", "57P02", "57P03")
"""SQLSTATE of a lost connection: ended by an administrator or by the crash of another one, not accepted during the recovery."""
CUT_WORDS = ("server closed the connection", "the database system is ")
"""What libpq says where it has no SQLSTATE."""

KEEP_LOG = 5 * 1024 * 1024
PACKAGES = ("allocation", "enrollment", "portal")


def compile_modules(root: Path) -> None:
    """Write the bytecode of the portal's modules once, before eight processes import them at the same time.

    It is a third of the processor time of each start, also of one after a crash.  Where nothing may be written, or
    PYTHONDONTWRITEBYTECODE forbids a process to keep what it compiled, each would compile a thousand files again.
    """
    for package in PACKAGES:
        compileall.compile_dir(root / package, quiet=2)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket.  The supervisor keeps it open, so that connections wait while the portal restarts."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # nginx takes a socket that it inherits as it is, and would wait in accept() with all its visitors
    listener.setblocking(False)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        code = getattr(error, "errno", None)
        if code == errno.EADDRINUSE:
            raise Fault(
                f"port {port} is in use by another program: end it, or choose another with  make serve PORT={port + 1}"
            ) from error
        if code == errno.EACCES:
            raise Fault(
                f"port {port} may be opened by root only: choose one above 1023, as in  make serve PORT=8000"
            ) from error
        raise Fault(f"cannot listen on {host}:{port} ({error}): choose another with  make serve PORT=8000") from error
    return listener


def settings(folder: Folder, environ: dict[str, str], port: int) -> dict[str, str]:
    """The environment of all children.  Unless DEMO=0, missing settings get the demo's values."""
    settings = dict(environ)
    settings.setdefault("DEMO", "1")
    settings.setdefault("PUBLIC_URL", f"http://127.0.0.1:{port}")
    settings.setdefault("PYTHONUNBUFFERED", "1")
    settings.setdefault("AUDIT_HEAD_FILE", str(folder.path / "audit-head.json"))
    settings.setdefault("BACKUP_FOLDER", str(folder.path / "backup"))
    if settings["DEMO"] == "1":
        settings.setdefault("SECRET_KEY", folder.demo_secret())
        if (
            "KEY_FILE" not in settings
        ):  # no other keys are made beside named ones, to be taken for theirs when they are not named
            settings["KEY_FILE"] = str(folder.demo_keys())
        settings.setdefault("BACKUP_KEEP", "3")
    return settings


@dataclass(frozen=True)
class Database:
    """`url` is the portal's address, `owner_url` that of the owner of the tables, `server` the process if it is embedded."""

    url: str
    owner_url: str | None
    server: Child | None = None

    @property
    def migrator_url(self) -> str:
        return self.owner_url or self.url


@contextlib.contextmanager
def noticing_lost(servers: Callable[[], Iterable[Child | None]]) -> Iterator[None]:
    """Tell a start that failed because a server of its own was killed, or cut its connections, from one that would fail again.

    `servers` are asked for after the failure.  Raises ServerLost in the place of the first kind.
    """
    try:
        yield
    except Exception as error:
        ours = [server for server in servers() if server is not None]
        lost = [server for server in ours if server.was_killed]
        if lost or (ours and _connection_was_cut(error)):
            raise ServerLost(f"{(lost or ours)[0].name} was lost while the portal started") from error
        raise


def _connection_was_cut(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, psycopg.OperationalError):
            return error.sqlstate in CUT or any(each in str(error) for each in CUT_WORDS)
        error = error.__cause__ or error.__context__
    return False


def start_database(folder: Folder, environ: dict[str, str]) -> Database:
    url = environ.get("DATABASE_URL")
    if url:
        check_database(url)
        return Database(url, environ.get("OWNER_DATABASE_URL") or None)
    server = Postgres(folder.path / "postgres", log(folder, "postgres"))
    with noticing_lost(lambda: [server.child]):
        _start_server(server, folder)
    return Database(server.url(DATABASE, ROLE), server.url(DATABASE), server.child)


def _start_server(server: Postgres, folder: Folder) -> None:
    try:
        server.start()
        server.ensure_database(DATABASE)
        database_roles.make_role(server.url("postgres"), ROLE)
    except OSError as error:
        server.stop()
        raise (
            folder.full() if error.errno == errno.ENOSPC else Fault(f"PostgreSQL could not be started: {error}")
        ) from error
    except (Fault, psycopg.Error) as fault:
        server.stop()
        if "No space left" in str(fault):
            raise folder.full() from fault
        raise Fault(
            f"{doctor.first_line(fault)}; put back a copy of {server.folder}, or begin with new demo data by  make clean-data"
        ) from fault


def check_database(url: str) -> None:
    try:
        with psycopg.connect(doctor.plain(url), connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        raise Fault(
            f"the database of DATABASE_URL cannot be reached ({doctor.first_line(error)}): mend the address or start the server, "
            "or unset DATABASE_URL to use the embedded one"
        ) from error
    if version < doctor.LEAST_POSTGRES:
        raise Fault(f"the database of DATABASE_URL is PostgreSQL {version // 10000}: version 18 or newer is needed")


def start_queue(folder: Folder, environ: dict[str, str]) -> tuple[str, Child | None]:
    """The URL of the queue, and the server if it is embedded."""
    url = environ.get("REDIS_URL")
    if not url:
        server = Valkey(folder.path / "valkey", log(folder, "valkey"))
        with noticing_lost(lambda: [server.child]):
            try:
                server.start()
            except (Fault, OSError) as fault:
                if server.child is not None:
                    server.stop()
                raise Fault(
                    f"{fault}; the queue holds nothing of worth: remove {server.folder} and start again"
                ) from fault
        return server.url(), server.child
    try:
        doctor.queue(url)
    except (doctor.Unwell, ValueError, redis.RedisError) as fault:
        raise Fault(f"{doctor.first_line(fault)}, or unset REDIS_URL to use the embedded one") from fault
    return url, None


def migrate(database: Database, folder: Folder, *, demo: bool, key_file: Path) -> None:
    """Bring the tables to this version.  Rows of an earlier one are sealed with the keys of the file."""
    try:
        vault.unlock(Keys.from_file(key_file))
        migrations.migrate(database.url, database.owner_url, demo=demo)
    except VaultError as fault:
        raise Fault(str(fault)) from fault
    except doctor.Unwell as unwell:
        raise Fault(str(unwell)) from unwell
    except (SQLAlchemyError, psycopg.Error) as error:
        cause = getattr(error, "orig", None) or error
        if isinstance(cause, psycopg.errors.DiskFull):
            raise folder.full() from error
        raise Fault(
            f"the tables could not be brought to this version ({doctor.first_line(cause)}): see the server's log; the migration that failed was rolled back"
        ) from error
    finally:
        vault.unlock(None)


def recreate_database(url: str, head_file: Path) -> None:
    """Drop and create the embedded database after an interrupted loading of the demo city, with the copy of its trail's head."""
    head_file.unlink(missing_ok=True)
    parts = urlsplit(doctor.plain(url))
    server = urlunsplit(parts._replace(path="/postgres"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")


def log(folder: Folder, name: str) -> Path:
    """The log file of a child; a large log is renamed to `.log.1` first."""
    path = folder.path / "log" / f"{name}.log"
    path.parent.mkdir(exist_ok=True)
    if path.exists() and path.stat().st_size > KEEP_LOG:
        path.replace(path.with_suffix(".log.1"))
    return path
