"""TRU15: an upgrade that is killed anywhere goes on when it is started again, and ends as one that was never killed."""

import random
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.orm import Session

from enrollment.ground.audit_chain import sealing, verification
from enrollment.ground.db import open_engine
from enrollment.maintenance import invariants
from portal.backup import restoring
from portal.operations import doctor, migrations
from tests.operations.serving import ROOT, environment, eventually
from tests.operations.test_tru15_backup import settings_of
from tests.operations.test_tru15_upgrade import STORED
from tests.support.keys import KEYS

pytestmark = [pytest.mark.long, pytest.mark.slow]
SHAPE = """
    SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexname, indexdef, '', '', '' FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass::text, conname, contype::text, convalidated::text, '' FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgrelid::regclass::text, tgname, '', '', '' FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2, 3
"""
"""Without the text of constraints, which changes when it is dumped and read again."""

KILLS = 4
AT_WORK = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database WHERE objid = %s AND datname = current_database()"


def migrate(url: str, folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "migrate"]
    with (folder / "migrate.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment(folder, DEMO="1", **settings_of(url, folder)), stdout=log, stderr=log
        )


def shape(url: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(SHAPE).fetchall()


def is_at_work(url: str) -> bool:
    """Whether a migration holds its lock."""
    with psycopg.connect(url) as connection:
        return bool(connection.execute(AT_WORK, [migrations.ONE_AT_A_TIME]).fetchone()[0])


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
    chance, reached = random.Random(79), [told.revision]
    order = [each.revision for each in doctor.migrations().walk_revisions()]  # the newest first

    def left() -> int:
        return order.index(revision_of(url))

    for kill in range(KILLS):
        most = left() // (KILLS + 1 - kill)  # a fast machine leaves migrations for the next kills too
        goal, process = left() - most, migrate(url, tmp_path)
        # a migration further than the last time, and then anywhere in the next ones or in what follows it
        eventually(lambda: revision_of(url) != reached[-1], 300)
        ends = time.monotonic() + chance.random() * 0.7
        while time.monotonic() < ends and left() > goal:
            time.sleep(0.005)
        process.kill()
        process.wait()
        eventually(lambda: not is_at_work(url), 300)
        reached.append(revision_of(url))
    assert reached[-1] not in doctor.newest_revision(), "the last ones were killed after their work"
    assert migrate(url, tmp_path).wait(300) == 0, (tmp_path / "migrate.log").read_text()
    with capsys.disabled():
        print(f"\n{KILLS} kills, at {', '.join(reached[1:])}")
    assert revision_of(url) in doctor.newest_revision()
    assert shape(url) == shape(real_database)
    engine = open_engine(url)
    with Session(engine) as session, session.begin():
        sealing.seal_all(session)
    with Session(engine) as session:
        assert list(invariants.find_violations(session)) == []
        assert verification.verify(session, told.audit_head, demo=True).findings == []
    engine.dispose()
    addresses.drop(name)
