"""Whether a commit that was acknowledged survives the loss of the data folder.

The settings are those of `deploy/postgresql.conf`: pg_receivewal is the synchronous standby, so a commit is acknowledged when
its WAL is on the disk of both.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from portal.operations.embedded import BINARIES, Postgres

NAME = "portal_wal"


def lost_commits(folder: Path, seconds: float = 3.0) -> dict[str, Any]:
    """Commit rows, kill the server, remove its data, recover, and compare with what was acknowledged."""
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)  # the server's user writes here
    primary = Postgres(folder / "primary", folder / "primary.log")
    acknowledged: list[int] = []
    receiver = None
    try:
        primary.start()
        primary.ensure_database("portal")
        with psycopg.connect(primary.url("portal"), autocommit=True) as connection:
            connection.execute("CREATE TABLE ledger (number bigint PRIMARY KEY)")
            _tool(primary, "pg_basebackup", "-D", str(folder / "base"), "-X", "fetch", "--checkpoint=fast")
            receiver = _receive(primary, folder / "archive")
            _wait_for_receiver(connection)
        writer = threading.Thread(target=_write, args=(primary.url("portal"), acknowledged))
        writer.start()
        _wait(seconds, acknowledged)
        assert primary.child is not None
        assert primary.child.process is not None
        os.kill(primary.child.process.pid, signal.SIGKILL)
        writer.join()
        receiver.wait(30)
    finally:
        primary.stop()
        if receiver is not None and receiver.poll() is None:
            receiver.kill()
            receiver.wait()
    shutil.rmtree(folder / "primary")
    kept = _recovered(folder)
    return {"acknowledged": len(acknowledged), "lost": len(set(acknowledged) - kept)}


def _wait(seconds: float, acknowledged: list[int]) -> None:
    """So many seconds, and until something was acknowledged that could be lost."""
    limit, given_up = time.monotonic() + seconds, time.monotonic() + seconds + 20
    while time.monotonic() < limit or not acknowledged:
        if time.monotonic() > given_up:
            raise RuntimeError("nothing was acknowledged")
        time.sleep(0.05)


def _tool(server: Postgres, name: str, *options: str) -> None:
    url = server.url("portal")
    subprocess.run(
        [str(BINARIES / name), "-d", url, *options], check=True, capture_output=True, user=server.user, cwd="/"
    )


def _receive(server: Postgres, archive: Path) -> "subprocess.Popen[bytes]":
    _tool(server, "pg_receivewal", "--slot", NAME, "--create-slot")
    archive.mkdir()
    archive.chmod(0o777)
    address = f"{server.url('portal')}&application_name={NAME}"
    command = [
        str(BINARIES / "pg_receivewal"),
        "-d",
        address,
        "-D",
        str(archive),
        "--slot",
        NAME,
        "--synchronous",
        "--no-loop",
    ]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, user=server.user, cwd="/")


def _wait_for_receiver(connection: "psycopg.Connection[Any]") -> None:
    connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
    connection.execute("SELECT pg_reload_conf()")
    limit = time.monotonic() + 20
    query = "SELECT 1 FROM pg_stat_replication WHERE application_name = %s AND sync_state = 'sync'"
    while connection.execute(query, [NAME]).fetchone() is None:
        if time.monotonic() > limit:
            raise RuntimeError("pg_receivewal did not connect")
        time.sleep(0.05)


def _write(url: str, acknowledged: list[int]) -> None:
    number = 0
    with contextlib.suppress(psycopg.Error), psycopg.connect(url, autocommit=True) as connection:
        while True:
            number += 1
            connection.execute("INSERT INTO ledger VALUES (%s)", [number])
            acknowledged.append(number)


def _recovered(folder: Path) -> set[int]:
    """What a new server has, from the base backup and the WAL that was received."""
    base, archive = folder / "base", folder / "archive"
    for unfinished in archive.glob("*.partial"):
        unfinished.rename(unfinished.with_suffix(""))
    command = f"cp {archive}/%f %p"
    (base / "recovery.signal").touch()
    server = Postgres(base, folder / "recovered.log", {"restore_command": command, "synchronous_standby_names": ""})
    try:
        server.start()
        with psycopg.connect(server.url("portal"), autocommit=True) as connection:
            while connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
                time.sleep(0.1)
            return {number for (number,) in connection.execute("SELECT number FROM ledger")}
    finally:
        server.stop()
