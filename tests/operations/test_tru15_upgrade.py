"""TRU15: what an earlier version backed up is restored and upgraded by this one, with rows, trail and invariants intact."""

from pathlib import Path

import psycopg
import pytest

from portal.backup import restoring
from portal.operations import doctor
from portal.operations.restore import restore
from tests.operations.serving import ROOT
from tests.support.keys import KEYS

STORED = sorted((ROOT / "tests" / "operations" / "stored_backups").glob("*.backup"))


def test_tru15_stored_backups_are_of_known_revisions():
    assert {path.stem for path in STORED} <= doctor.known_revisions()
    assert STORED


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_tru15_a_backup_of_an_earlier_version_is_upgraded(path: Path, addresses, worker_number):
    name = f"upgraded_{worker_number}"
    target = addresses.create(name, template="template0")
    told = restoring.verify(path, KEYS)
    assert told.revision == path.stem
    # a demo city: its permits are from the time of the demo's clock
    found = restore(path, KEYS, target, demo=True, head_file=None, say=lambda _line: None)
    assert found.faults == []
    assert {found.upgraded_to} == doctor.newest_revision()
    with psycopg.connect(target) as connection:
        for table in ("application", "offer", "placement", "audit_entry", "child_document"):
            assert told.rows[table] > 0
            left = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            assert left >= told.rows[table], f"the upgrade lost rows of {table}"
    addresses.drop(name)
