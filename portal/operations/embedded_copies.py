"""`make backup` and `make restore FILE=…`: the same as `flask backup` and `flask restore` for the embedded database.

A backup is made while the portal runs or stands; a restore needs a stopped portal and the empty database of a new folder.
"""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from portal.operations import database_roles, start
from portal.operations.data_folder import Folder
from portal.operations.embedded import Postgres, is_alive
from portal.operations.start_faults import Fault

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    parser.add_argument("what", choices=("backup", "restore"))
    parser.add_argument("file", nargs="?", type=Path)
    options = parser.parse_args(arguments)
    folder = Folder(Path(os.environ.get("PORTAL_DATA") or ROOT / "var"))
    try:
        if options.what == "backup":
            return _with_database(folder, ["backup"], may_run=True)
        if options.file is None or not options.file.is_file():
            raise Fault("name the backup, as in  make restore FILE=var/backup/portal-….backup")
        return _with_database(folder, ["restore", str(options.file.resolve())], may_run=False)
    except Fault as fault:
        print(f"make {options.what}: {fault}", file=sys.stderr)
        return 1


def _with_database(folder: Folder, words: list[str], *, may_run: bool) -> int:
    if os.environ.get("DATABASE_URL"):
        raise Fault(f"DATABASE_URL names a database of your own: use  flask --app wsgi {words[0]}")
    folder.path.mkdir(parents=True, exist_ok=True)
    server = Postgres(folder.path / "postgres", start.log(folder, "postgres"))
    with _running(folder, server, may_run=may_run):
        environ = start.settings(folder, dict(os.environ), 8000)
        environ["DATABASE_URL"] = owner = server.url(start.DATABASE)
        if words[0] == "restore":
            environ |= {"DATABASE_URL": server.url(start.DATABASE, start.ROLE), "OWNER_DATABASE_URL": owner}
        environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/0")  # neither of the two uses the queue
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        done = subprocess.run(command, cwd=ROOT, env=environ, check=False)  # noqa: S603
    return done.returncode


@contextlib.contextmanager
def _running(folder: Folder, server: Postgres, *, may_run: bool) -> Iterator[None]:
    if may_run and _runs(server):
        yield
        return
    folder.lock(f"process {os.getpid()}, a copy of the database")
    server.start()
    try:
        server.ensure_database(start.DATABASE)
        database_roles.make_role(server.url("postgres"), start.ROLE)
        yield
    finally:
        server.stop()


def _runs(server: Postgres) -> bool:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return is_alive(int((server.folder / "postmaster.pid").read_text().split()[0]))
    return False


if __name__ == "__main__":
    sys.exit(main())
