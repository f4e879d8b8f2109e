"""Restores a backup and says what was verified: the file, the rows, the audit trail, the invariants."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.audit_chain import copies, sealing, verification
from enrollment.ground.db import open_engine
from enrollment.ground.vault import Keys
from enrollment.maintenance import invariants
from portal.backup import manifest as manifests
from portal.backup import restoring
from portal.backup.manifest import Manifest
from portal.operations import database_roles, doctor
from portal.operations.migrations import upgrade
from portal.web import clock


@dataclass
class Restored:
    """What a restore found.  `seconds` are those of its steps, of which two work at the same time, and `took` of all of it;
    `faults` are sentences, none of them where all is well.

    `lost` counts entries of the audit trail that were written after the backup, where a copy of its head shows it.
    """

    taken_at: str
    revision: str
    upgraded_to: str = ""
    tables: int = 0
    rows: int = 0
    links: int = 0
    lost: int = 0
    took: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


Say = Callable[[str], None]
T = TypeVar("T")


def restore(
    path: Path, keys: Keys, url: str, *, demo: bool, head_file: Path | None, say: Say, role: str | None = None
) -> Restored:
    """Verify the file, restore it into the empty database of `url`, upgrade it, and verify it.  Raises BackupFault or Unwell.

    `role` is the portal's, which then reads and writes the rows; a backup has no rights in it.
    """
    steps = _Steps(say)
    told = steps.take("file", lambda: _verified_file(path, keys, url))
    found = Restored(told.taken_at, told.revision, tables=len(told.rows), rows=sum(told.rows.values()))
    found.seconds = steps.seconds
    steps.take("data", lambda: restoring.load(path, keys, url, told))
    engine = open_engine(url)
    try:
        found.faults += steps.take("rows", lambda: _different_counts(engine, told))
        steps.take("upgrade", lambda: upgrade(engine, demo=demo))
        if role is not None:
            steps.take("rights", lambda: database_roles.grant_rows(url, role, demo=demo))
        found.upgraded_to = ", ".join(sorted(doctor.newest_revision()))
        # the database counts while this process computes digests: two cores instead of one
        with steps.beside("statistics", lambda: _analyse(engine)):
            found.faults += steps.take("trail", lambda: _trail_faults(engine, told, found, head_file, demo=demo))
        found.faults += steps.take("invariants", lambda: _violations(engine))
        with Session(engine) as session, session.begin():
            now = clock.now(session, demo=demo)
            audit.record(
                session,
                "restore_backup",
                "backup",
                told.taken_at,
                by=SYSTEM,
                now=now,
                rows=found.rows,
                faults=len(found.faults),
            )
    finally:
        engine.dispose()
    found.took = round(time.monotonic() - steps.began, 2)
    return found


class _Steps:
    def __init__(self, say: Say):
        self.say = say
        self.seconds: dict[str, float] = {}
        self.began = time.monotonic()

    def take(self, name: str, step: Callable[[], T]) -> T:
        began = time.monotonic()
        result = step()
        self.seconds[name] = round(time.monotonic() - began, 2)
        self.say(f"{name}: {self.seconds[name]:.1f} s")
        return result

    @contextlib.contextmanager
    def beside(self, name: str, step: Callable[[], object]) -> Iterator[None]:
        """Take a step while the body works."""
        with ThreadPoolExecutor(1) as pool:
            taken = pool.submit(self.take, name, step)
            yield
            taken.result()


def _verified_file(path: Path, keys: Keys, url: str) -> Manifest:
    """First the file, then the database: nobody makes room for a backup that cannot be restored."""
    told = restoring.verify(path, keys)
    doctor.check_revision({told.revision})
    restoring.check_empty(url)
    return told


def _different_counts(engine: Engine, told: Manifest) -> list[str]:
    with Session(engine) as session:
        counts = manifests.count_rows(session)
    return [
        f"table {table}: {counts.get(table, 0)} rows, the backup has {told.rows.get(table, 0)}"
        for table in sorted(counts.keys() | told.rows.keys())
        if counts.get(table) != told.rows.get(table)
    ]


def _analyse(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _trail_faults(engine: Engine, told: Manifest, found: Restored, head_file: Path | None, *, demo: bool) -> list[str]:
    """Seal what was not sealed at the backup, and verify the trail with the head of the backup."""
    with Session(engine) as session, session.begin():
        sealing.seal_all(session)
    with Session(engine) as session:
        result = verification.verify(session, told.audit_head, demo=demo)
    found.links = result.links
    if head_file is not None and head_file.exists():
        found.lost = max(copies.read_copy(head_file).link - result.links, 0)
    return [f"audit trail: {each.kind} at {each.where}" for each in result.findings]


def _violations(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return [f"invariant {each.code}: {each.subject}" for each in invariants.find_violations(session)]
