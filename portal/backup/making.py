"""Makes a backup while the portal works: one snapshot of the database, dumped, sealed and written in one stream."""

import contextlib
import datetime as dt
import errno
import hashlib
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from enrollment.ground.audit_chain import sealing
from enrollment.ground.operations.backups import BackupFile
from enrollment.ground.vault import Keys
from portal.backup import copies, manifest
from portal.backup.faults import BackupFault
from portal.backup.locks import ONE_BACKUP, TABLES_STAY
from portal.backup.sealed_file import CHUNK, Part, SealedWriter
from portal.backup.server_tools import find_tool, running, server_version

DUMP = ("--format=custom", "--compress=gzip:1", "--no-owner", "--no-privileges", "--lock-wait-timeout=10s")


def make(engine: Engine, keys: Keys, folder: Path) -> BackupFile:
    """Write a backup into `folder`, under a name that tells its moment.  Raises BackupFault; then no file is left."""
    url = engine.url.render_as_string(hide_password=False)
    tool = find_tool("pg_dump", server_version(url))
    try:
        with (
            _no_upgrade(engine),
            _snapshot(engine) as (session, snapshot, taken_at),
            _new_file(folder, taken_at) as (path, file),
        ):
            writer = SealedWriter(file, keys)
            digest, size = hashlib.sha256(), 0
            with running(tool, url, *DUMP, f"--snapshot={snapshot}") as (_process, dump):
                while content := dump.read(CHUNK):
                    writer.add(Part.DUMP, content)
                    digest.update(content)
                    size += len(content)
            told = manifest.describe(session, keys, dump_size=size, dump_digest=digest.hexdigest())
            writer.add(Part.MANIFEST, told.as_json())
            writer.close()
    except SQLAlchemyError as error:
        reason = (str(getattr(error, "orig", None) or error).strip().splitlines() or ["no answer"])[0]
        raise BackupFault(f"the database could not be read ({reason}): run `flask doctor`, then try again") from error
    link = told.audit_head.link if told.audit_head else None
    return BackupFile(path.name, socket.gethostname(), taken_at, writer.size, writer.digest, told.revision, link)


@contextlib.contextmanager
def _no_upgrade(engine: Engine) -> Iterator[None]:
    """No upgrade of the tables begins meanwhile.  The lock is held before the snapshot is taken, so by another transaction."""
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        if not connection.scalar(text("SELECT pg_try_advisory_xact_lock_shared(:number)"), {"number": TABLES_STAY}):
            raise BackupFault("the tables are being upgraded: wait until `flask migrate` is done, then try again")
        with Session(engine) as session, session.begin():
            sealing.seal_all(session)
        yield


@contextlib.contextmanager
def _snapshot(engine: Engine) -> Iterator[tuple[Session, str, dt.datetime]]:
    """A transaction whose snapshot pg_dump uses too."""
    with (
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        Session(connection) as session,
    ):
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        # two would read everything twice at the same time, and each delete what the other one counts as kept
        if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": ONE_BACKUP}):
            raise BackupFault("another backup of this database is being made: wait until it is done, then try again")
        query = text("SELECT pg_export_snapshot(), transaction_timestamp()")
        snapshot, taken_at = session.execute(query).one()
        yield session, snapshot, taken_at


@contextlib.contextmanager
def _new_file(folder: Path, taken_at: dt.datetime) -> Iterator[tuple[Path, BinaryIO]]:
    """A file that appears under its name only when it is complete and on the disk."""
    path = folder / copies.name_of(taken_at)
    beside = path.with_name(f"{path.name}{copies.UNFINISHED}")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield path, file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        copies.sync_folder(folder)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            free = shutil.disk_usage(folder).free >> 20
            raise BackupFault(
                f"the disk of {folder} is full ({free} MB free): free some space, keep fewer backups (BACKUP_KEEP), or set "
                "BACKUP_FOLDER to a folder on another disk"
            ) from error
        raise BackupFault(
            f"{error.filename or folder} cannot be written ({error.strerror}): give the portal's user the right to write there, "
            "or set BACKUP_FOLDER to another folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
