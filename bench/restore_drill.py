"""Rehearses the loss of the server: `python -m bench.restore_drill [--families N] [--json FILE]`.

A city is built, its audit trail is as long as that of a season, it is backed up, and the backup is restored into a fresh
database on another server, which is verified.  RTO is the time of the restore until everything is verified; its goal is that
of 250,000 families.  RPO is the number of acknowledged commits that are missing after `kill -9` and the loss of the data
folder, with a base backup and the WAL that pg_receivewal got (`bench.wal_recovery`).
"""

import argparse
import json
import os
import platform
import shutil
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from allocation.benchmark.timing import MachineLoad
from bench.large_city import build, database
from bench.wal_recovery import lost_commits
from enrollment.ground.audit_chain import sealing
from enrollment.ground.vault import Keys
from portal.backup import making
from portal.operations.embedded import Postgres
from portal.operations.restore import restore

GOAL_SECONDS, GOAL_FAMILIES = 600, 250_000
ACTS_OF_A_FAMILY = 4
"""Entries of the audit trail for each family of the drill."""


WITHOUT_MANDATE = """
    UPDATE application a SET entered_for = NULL WHERE entered_for IS NOT NULL AND NOT EXISTS (SELECT 1 FROM mandate m
        WHERE m.helper_id = a.entered_by AND m.account_id = a.entered_for AND m.year = a.year)"""


def add_trail(engine: Engine, entries: int) -> None:
    """Entries as submissions write them, sealed."""
    insert = text(
        "INSERT INTO audit_entry (at, act, subject, subject_id, details)"
        " SELECT now(), 'submit', 'application', gen_random_uuid()::text, '{\"version\": 1}' FROM generate_series(1, :some)"
    )
    while entries > 0:
        with Session(engine) as session, session.begin():
            session.execute(insert, {"some": min(entries, 20_000)})
        entries -= 20_000
        with Session(engine) as session, session.begin():
            sealing.seal_all(session)


def drill(families: int, folder: Path) -> dict[str, Any]:
    folder.chmod(0o755)
    with database() as (_postgres, engine, keys):
        build(engine, families, "review")
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(WITHOUT_MANDATE))  # the copies of families have none
        add_trail(engine, families * ACTS_OF_A_FAMILY)
        with engine.connect() as connection:
            size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        load = MachineLoad()
        began = time.monotonic()
        made = making.make(engine, keys, folder / "copies")
        backup = time.monotonic() - began
        file = folder / "copies" / made.file
    restored = asdict(bring_back(file, keys, folder))
    return {
        "families": families,
        "database_megabytes": size >> 20,
        "backup_megabytes": made.size >> 20,
        "backup_seconds": round(backup, 1),
        "rto_seconds": round(restored["took"], 1),
        "rto_goal": GOAL_SECONDS,
        "goal_families": GOAL_FAMILIES,
        **restored,
        **load.figures(),
    }


def bring_back(file: Path, keys: Keys, folder: Path) -> Any:
    """Restore into a server that was never used, as `flask restore` does."""
    fresh = Postgres(folder / "fresh", folder / "fresh.log")
    try:
        fresh.start()
        fresh.ensure_database("portal")
        return restore(
            file, keys, fresh.url("portal"), demo=True, head_file=None, say=lambda line: print(f"  {line}", flush=True)
        )
    finally:
        fresh.stop()


def show(found: dict[str, Any]) -> None:
    rows = [
        ("R6 RTO", f"{found['rto_seconds']:.1f} s", f"≤ {GOAL_SECONDS} s for {GOAL_FAMILIES:,} families"),
        ("R6 RPO", f"{found['lost']} of {found['acknowledged']} commits lost", "0"),
        ("faults", str(len(found["faults"])), "0"),
    ]
    print(f"{found['families']:,} families, {found['rows']:,} rows, {found['links']:,} links of the audit trail")
    print(
        f"database {found['database_megabytes']} MB, backup {found['backup_megabytes']} MB in {found['backup_seconds']} s"
    )
    for name, value, goal in rows:
        print(f"{name:10}{value:>28}   goal {goal}")
    others = found["share_of_cores_used_by_others"]
    print(
        f"{found['date']}, {found['cores']} cores, {found['memory_gigabytes']} GB; others used {others:.0%} of the cores"
    )
    for fault in found["faults"][:10]:
        print(f"fault: {fault}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=12_000)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="restore-drill-"))
    try:
        found = drill(asked.families, folder)
        found |= lost_commits(folder / "wal")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    found |= {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "memory_gigabytes": memory,
        "machine": platform.machine(),
    }
    show(found)
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(found, indent=1, ensure_ascii=False))
    return 1 if found["faults"] or found["lost"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
