"""TRU15: an upgrade that is killed anywhere goes on when it is started again, and ends as one that was never killed."""

import random
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.orm import Session

from enrollment.ground.audit_chain import verification
from enrollment.ground.db import open_engine
from enrollment.maintenance import invariants
from portal.backup import restoring
from portal.operations import doctor
from tests.operations.serving import ROOT, environment
from tests.operations.test_tru15_backup import settings_of
from tests.operations.test_tru15_upgrade import STORED
from tests.support.keys import KEYS

pytestmark = [pytest.mark.long, pytest.mark.slow]
SHAPE = """
    SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexname, indexdef, '', '', '' FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text, '' FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3
"""


def migrate(url: str, folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "migrate"]
    with (folder / "migrate.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment(folder, DEMO="1", **settings_of(url, folder)), stdout=log, stderr=log
        )


def shape(url: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(SHAPE).fetchall()


def revision_of(url: str) -> str:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def test_tru15_an_upgrade_that_is_killed_again_and_again_goes_on(
    addresses, worker_number, tmp_path, real_database, capsys
):
    path = STORED[0]
    name = f"killed_upgrade_{worker_number}"
    url = addresses.create(name, template="template0")
    told = restoring.verify(path, KEYS)
    restoring.load(path, KEYS, url, told)
    chance, kills, reached = random.Random(79), 0, {told.revision}
    began = time.monotonic()
    while True:
        process = migrate(url, tmp_path)
        try:
            # the first ones are killed soon after the start of the work, later ones get further
            process.wait(2.0 + chance.random() * (1.5 + kills))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
            reached.add(revision_of(url))
            assert time.monotonic() - began < 300
            continue
        assert process.returncode == 0, (tmp_path / "migrate.log").read_text()
        break
    with capsys.disabled():
        print(f"\n{kills} kills, at {len(reached)} revisions, {time.monotonic() - began:.0f} s")
    assert kills >= 3
    assert revision_of(url) in doctor.newest_revision()
    assert shape(url) == shape(real_database)
    engine = open_engine(url)
    with Session(engine) as session:
        assert invariants.find_violations(session) == []
        assert verification.verify(session, told.audit_head, demo=True).findings == []
    engine.dispose()
    addresses.drop(name)
