"""Restores a backup into an empty database: first the whole file is verified, then it is restored in one transaction."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import psycopg

from enrollment.ground import vault
from enrollment.ground.vault import Keys
from portal.backup.faults import BackupFault
from portal.backup.manifest import INDEX_KEY, Manifest
from portal.backup.sealed_file import Part, read_chunks
from portal.backup.server_tools import find_tool, plain_url, running, server_version

RESTORE = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
OURS = """SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg_toast%' AND relkind IN ('r', 'v', 'm', 'S', 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"""


OTHERS = """SELECT coalesce(nullif(application_name, ''), usename), count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' GROUP BY 1 ORDER BY 1"""


def verify(path: Path, keys: Keys) -> Manifest:
    """Read the whole file and compare it with its manifest.  Raises BackupFault."""
    digest, size, manifest = hashlib.sha256(), 0, None
    with _open(path) as file:
        for part, content in read_chunks(file, keys):
            if part == Part.DUMP:
                digest.update(content)
                size += len(content)
            else:
                manifest = Manifest.from_json(content)
    if manifest is None or (manifest.dump_size, manifest.dump_digest) != (size, digest.hexdigest()):
        raise BackupFault(
            "this backup does not agree with its manifest: restore another copy of it, or an earlier backup"
        )
    if manifest.index_key != vault.message_key_name(INDEX_KEY):
        raise BackupFault(
            "the key file has another index key than the portal had at this backup: set KEY_FILE to the copy of the key file from "
            "that time"
        )
    if missing := sorted(set(manifest.keys) - keys.sealing.keys()):
        raise BackupFault(
            f"the key file does not have the key {', '.join(missing)}, with which values of this backup may be sealed: set KEY_FILE "
            "to the copy of the key file from that time"
        )
    return manifest


def check_empty(url: str) -> None:
    """Raises BackupFault if the database has anything in it, or if others are connected to it."""
    server_version(url)
    with psycopg.connect(plain_url(url), connect_timeout=5) as connection:
        found = connection.execute(OURS).fetchone()
        name = connection.info.dbname
        others = connection.execute(OTHERS).fetchall()
    if found and found[0]:
        raise BackupFault(
            f"the backup is whole, but the database {name} is not empty, and a restore never writes over data: make a new database "
            "(`createdb NAME`) and name it in DATABASE_URL, or remove the embedded one with `make clean-data`, which keeps backups "
            "and keys, and try again"
        )
    if others:
        told = ", ".join(f"{count} × {who}" for who, count in others)
        raise BackupFault(
            f"somebody works on the database {name} ({told}), and would act on rows that are not verified yet: stop the portal and every "
            "other program that uses it, and try again"
        )


def load(path: Path, keys: Keys, url: str, manifest: Manifest) -> None:
    """Restore a verified file into an empty database; on a fault the database stays empty.  Raises BackupFault."""
    server = server_version(url)
    if server // 10000 < manifest.server // 10000:
        raise BackupFault(
            f"the backup is of PostgreSQL {manifest.server // 10000}, the server is {server // 10000}: restore into a server of that "
            "version or newer"
        )
    tool = find_tool("pg_restore", server)
    with _open(path) as file, running(tool, url, *RESTORE, give=True) as (_process, pipe):
        for content in _dump(file, keys):
            pipe.write(content)


def _dump(file: BinaryIO, keys: Keys) -> Iterator[bytes]:
    for part, content in read_chunks(file, keys):
        if part == Part.DUMP:
            yield content


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise BackupFault(f"{path} cannot be read ({error.strerror}): name a file that `flask backup` made") from error
