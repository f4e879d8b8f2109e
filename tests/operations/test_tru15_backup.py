"""TRU15: a backup is made while the portal works, is whole or refused, and comes back into an empty database verified."""

import dataclasses
import datetime as dt
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.ground import jobs, vault
from enrollment.ground.audit_chain import copies as head_copies
from enrollment.ground.audit_chain import sealing
from enrollment.ground.db import open_engine
from enrollment.ground.operations import backups
from enrollment.ground.vault import Keys
from enrollment.people.person_rows import Child
from portal.app import create_app
from portal.backup import copies, making, restoring, server_tools
from portal.backup.faults import BackupFault
from portal.config import Config
from portal.jobs import runner
from portal.operations import database_roles, doctor, migrations, overdue_work
from portal.operations.data_folder import Folder
from portal.operations.restore import restore
from portal.web.clock import real_now
from tests.conftest import NOW
from tests.operations.serving import ROOT, environment, serving
from tests.support.keys import KEYS, write_key_file
from tests.support.town import Town


def quiet(_line: str) -> None:
    pass


@pytest.fixture(scope="module")
def city(addresses, worker_number):
    """The address of a small town's database, which the tests of this module share."""
    name = f"town_of_backups_{worker_number}"
    engine = open_engine(addresses.create(name))
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        jinpingguo = town.kindergarten("金苹果", places=2)
        for child in ("安娜", "本本", "翠翠"):
            town.child(child, wishes=[jinpingguo])
        town.everyone_is_reviewed()
        session.commit()
    engine.dispose()
    yield name
    addresses.drop(name)


@pytest.fixture(scope="module")
def engine(addresses, city):
    engine = open_engine(addresses.database(city))
    yield engine
    engine.dispose()


@pytest.fixture
def another_engine(addresses, engine, city, worker_number):
    """A copy of the town that a test may spoil."""
    engine.dispose()
    name = f"spoilt_town_{worker_number}"
    another = open_engine(addresses.create(name, template=city))
    yield another
    another.dispose()
    addresses.drop(name)


@pytest.fixture
def target(addresses, worker_number):
    """The address of a database without any table."""
    name = f"restored_{worker_number}"
    yield addresses.create(name, template="template0")
    addresses.drop(name)


@pytest.fixture(scope="module")
def made(engine, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("copies")
    return folder / making.make(engine, KEYS, folder).file


def address(engine) -> str:
    return engine.url.render_as_string(hide_password=False).replace("+psycopg", "")


def rows_of(url: str) -> dict[str, list]:
    """All rows of all tables, except what a restore itself adds."""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        return {
            name: sorted(connection.execute(f'SELECT "{name}"::text FROM "{name}"').fetchall())
            for (name,) in tables
            if name not in ("audit_entry", "audit_head")
        }


def test_tru15_what_was_backed_up_comes_back_and_is_verified(engine, made, target):
    found = restore(made, KEYS, target, demo=False, head_file=None, say=quiet)
    assert found.faults == []
    assert found.links > 0
    assert found.rows > 50
    assert rows_of(target) == rows_of(address(engine))
    restored = open_engine(target)
    with Session(restored) as session:
        assert {child.name for child in session.scalars(select(Child))} == {"安娜", "本本", "翠翠"}
        with pytest.raises(Exception, match=r"kept|append|refus|only"):
            session.execute(text("DELETE FROM audit_entry"))
        session.rollback()
        act = "SELECT details->>'rows' FROM audit_entry WHERE act = 'restore_backup'"
        assert session.scalar(text(act)) == str(found.rows)
    restored.dispose()


def test_tru15_a_backup_holds_one_moment_while_others_write(engine, tmp_path, target):
    over = threading.Event()

    def write() -> None:
        with psycopg.connect(address(engine), autocommit=True) as connection:
            while not over.wait(0.002):
                connection.execute("INSERT INTO audit_entry (at, act, subject, subject_id, details) VALUES "
                                   "(now(), 'sign_in', 'account', 'x', '{}')")  # fmt: skip

    writer = threading.Thread(target=write)
    writer.start()
    try:
        file = making.make(engine, KEYS, tmp_path).file
    finally:
        over.set()
        writer.join()
    assert restore(tmp_path / file, KEYS, target, demo=False, head_file=None, say=quiet).faults == []


def test_tru15_nobody_reads_a_name_in_the_file(made):
    content = made.read_bytes()
    assert b"PGDMP" not in content
    assert "金苹果".encode() not in content
    assert made.stat().st_mode & 0o777 == 0o600


def test_tru15_a_file_that_is_cut_anywhere_is_refused_before_anything_is_restored(made, target, tmp_path):
    content = made.read_bytes()
    ends = [0, 5, 17, 60, len(content) // 2, len(content) - 1, *_chunk_ends(content)[:-1]]
    for end in ends:
        cut = tmp_path / "cut.backup"
        cut.write_bytes(content[:end])
        with pytest.raises(BackupFault, match=r"restore another copy|flask backup"):
            restore(cut, KEYS, target, demo=False, head_file=None, say=quiet)
    restoring.check_empty(target)


def _chunk_ends(content: bytes) -> list[int]:
    """Where each chunk ends: a cut there leaves only whole chunks."""
    start = 16
    position, ends = start + 2 + int.from_bytes(content[start : start + 2]), []
    while position < len(content):
        position += 4 + int.from_bytes(content[position : position + 4])
        ends.append(position)
    assert ends[-1] == len(content)
    return ends


def test_tru15_a_flipped_bit_anywhere_is_refused(made, tmp_path):
    content = made.read_bytes()
    for place in [*range(0, 200, 7), *range(200, len(content), max(len(content) // 60, 1))]:
        changed = bytearray(content)
        changed[place] ^= 1
        (tmp_path / "changed.backup").write_bytes(changed)
        with pytest.raises(BackupFault):
            restoring.verify(tmp_path / "changed.backup", KEYS)


def test_tru15_chunks_in_another_order_and_more_after_the_end_are_refused(made, tmp_path):
    content = made.read_bytes()
    begin = 18 + int.from_bytes(content[16:18])
    first = _chunk_ends(content)[0]
    for changed in (
        content[:begin] + content[first:] + content[begin:first],
        content + content[begin:first],
        content + b"x",
    ):
        (tmp_path / "changed.backup").write_bytes(changed)
        with pytest.raises(BackupFault):
            restoring.verify(tmp_path / "changed.backup", KEYS)


def test_tru15_a_wrong_key_is_named(made):
    other = Keys({"test": os.urandom(32)}, "test", KEYS.index)
    with pytest.raises(BackupFault, match="the key test of the key file is another key"):
        restoring.verify(made, other)
    with pytest.raises(BackupFault, match="sealed with the key test, which the key file does not have"):
        restoring.verify(made, Keys({"k2": os.urandom(32)}, "k2", KEYS.index))


def test_tru15_another_index_key_is_named_for_without_it_no_number_is_found(made):
    other = dataclasses.replace(KEYS, index=os.urandom(32))
    vault.unlock(other)
    try:
        with pytest.raises(BackupFault, match="another index key"):
            restoring.verify(made, other)
    finally:
        vault.unlock(KEYS)


def test_tru15_a_restore_never_writes_over_data(engine, made):
    before = rows_of(address(engine))
    with pytest.raises(
        BackupFault,
        match=r"is whole, but the database .* is not empty, and a restore never writes over data: make a new database",
    ):
        restore(made, KEYS, address(engine), demo=False, head_file=None, say=quiet)
    assert rows_of(address(engine)) == before


def test_tru15_nobody_works_on_the_database_of_a_restore(made, target):
    """The sender of a portal that still runs would send what waits in the backup before anything is verified."""
    told = r"somebody works on the database restored_.* \(1 × portal-sender\)"
    with psycopg.connect(target, application_name="portal-sender"), pytest.raises(BackupFault, match=told):
        restore(made, KEYS, target, demo=False, head_file=None, say=quiet)
    restoring.check_empty(target)


def test_tru15_making_room_for_a_restore_keeps_the_backups_and_their_keys(tmp_path):
    """`make restore` asks for an empty database, so `make clean-data` must not take the copy along."""
    elsewhere = tmp_path / "elsewhere"
    name = copies.name_of(real_now())
    for copied_to, kept in (("var/backup", {"backup", "keys"}), ("elsewhere", {"keys"}), ("none", set())):
        folder = Folder(tmp_path / "var")
        folder.path.mkdir()
        folder.demo_secret()
        for made in ("postgres/base", copied_to):
            (tmp_path / "var" / made if made == "postgres/base" else tmp_path / made).mkdir(parents=True, exist_ok=True)
        if kept:
            (tmp_path / copied_to / name).touch()
        assert set(folder.clear(elsewhere if copied_to == "elsewhere" else None)) == kept
        assert {path.name for path in folder.path.iterdir()} == kept
        shutil.rmtree(folder.path)


def test_tru15_a_backup_of_an_unknown_version_is_refused_before_anything_is_restored(another_engine, tmp_path, target):
    with another_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_later'"))
    file = making.make(another_engine, KEYS, tmp_path).file
    with pytest.raises(doctor.Unwell, match="9999_later is not known here"):
        restore(tmp_path / file, KEYS, target, demo=False, head_file=None, say=quiet)
    restoring.check_empty(target)


def test_tru15_what_was_wrong_at_the_backup_is_told_at_the_restore(another_engine, tmp_path, target):
    with another_engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text("DELETE FROM wish WHERE application_id = (SELECT min(id::text)::uuid FROM application)")
        )
    with Session(another_engine) as session, session.begin():
        sealing.seal_all(session)
        session.execute(text("SET session_replication_role = replica"))
        session.execute(text("UPDATE audit_entry SET act = 'nothing' WHERE link = 2"))
    file = making.make(another_engine, KEYS, tmp_path).file
    found = restore(tmp_path / file, KEYS, target, demo=False, head_file=None, say=quiet)
    assert "audit trail: link at 2" in found.faults
    assert any(fault.startswith("invariant submitted_without_wishes") for fault in found.faults)


def test_tru15_a_copied_head_tells_how_much_was_done_after_the_backup(engine, tmp_path, target):
    made = tmp_path / making.make(engine, KEYS, tmp_path).file
    with Session(engine) as session, session.begin():
        for _ in range(3):
            session.execute(text("INSERT INTO audit_entry (at, act, subject, subject_id, details) VALUES "
                                 "(now(), 'sign_in', 'account', 'x', '{}')"))  # fmt: skip
        sealing.seal_all(session)
        head_copies.write_copy(session, tmp_path / "head.json")
    assert restore(made, KEYS, target, demo=False, head_file=tmp_path / "head.json", say=quiet).lost == 3


def test_tru15_a_full_or_closed_folder_is_told_and_leaves_no_file(engine, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupFault, match="cannot be written"):
        making.make(engine, KEYS, tmp_path / "file" / "copies")
    (tmp_path / "full").mkdir()
    # a file that may not grow fails as on a full disk
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    try:
        with pytest.raises(BackupFault, match=r"cannot be written \(File too large\)"):
            making.make(engine, KEYS, tmp_path / "full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "full").iterdir()) == []


def settings_of(url: str, folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "KEY_FILE": str(write_key_file(folder / "keys.json")),
        "MESSAGE_GATEWAY": "http://127.0.0.1:9",
    }


def test_tru15_no_tool_is_told_with_the_package_that_has_it(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(server_tools, "_places", lambda _name: iter(()))
    with pytest.raises(BackupFault, match="install postgresql-client-18"):
        making.make(engine, KEYS, tmp_path)


def test_tru15_the_newest_copies_are_kept_and_other_files_too(tmp_path):
    for day in range(1, 6):
        (tmp_path / copies.name_of(NOW + dt.timedelta(days=day))).touch()
    (tmp_path / "notes.txt").touch()
    gone = copies.keep_newest(tmp_path, 2, now=NOW + dt.timedelta(days=5))
    assert len(gone) == 3
    assert [path.name for path in copies.of_folder(tmp_path)] == [
        copies.name_of(NOW + dt.timedelta(days=day)) for day in (4, 5)
    ]
    assert (tmp_path / "notes.txt").exists()


def test_tru15_backups_of_a_clock_that_was_ahead_do_not_push_out_the_new_ones(tmp_path):
    ahead, days = (
        [NOW + dt.timedelta(days=900 + day) for day in range(3)],
        [NOW + dt.timedelta(days=day) for day in range(3)],
    )
    for moment in [*ahead, *days]:
        (tmp_path / copies.name_of(moment)).touch()
    copies.keep_newest(tmp_path, 2, now=days[-1])
    assert [path.name for path in copies.of_folder(tmp_path)] == [
        copies.name_of(each) for each in [*days[1:], *ahead[1:]]
    ]


def test_tru15_a_second_backup_at_the_same_time_is_refused_and_the_first_is_whole(engine, tmp_path, monkeypatch):
    refused = []
    describe = making.manifest.describe

    def second_one_begins(*args, **options):
        with pytest.raises(BackupFault, match="another backup of this database is being made: wait") as fault:
            making.make(engine, KEYS, tmp_path)
        refused.append(fault)
        return describe(*args, **options)

    monkeypatch.setattr(making.manifest, "describe", second_one_begins)
    file = making.make(engine, KEYS, tmp_path).file
    assert len(refused) == 1
    assert [path.name for path in tmp_path.iterdir()] == [file]
    restoring.verify(tmp_path / file, KEYS)
    monkeypatch.undo()
    making.make(engine, KEYS, tmp_path)  # the next one may


def one_migration_behind(engine) -> str:
    """Say that the newest migration has not run, which runs twice without harm; the revision it is upgraded to."""
    newest = doctor.migrations().get_revision("head")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": newest.down_revision})
    return newest.revision


def test_tru15_a_backup_beside_an_upgrade_is_refused_for_it_would_see_rewritten_tables_empty(
    another_engine, tmp_path, monkeypatch
):
    refused = []
    real = migrations.command.upgrade

    def rewrite(config, to):
        with another_engine.connect() as connection:
            with pytest.raises(
                BackupFault, match="the tables are being upgraded: wait until `flask migrate` is done"
            ) as fault:
                making.make(another_engine, KEYS, tmp_path)
            refused.append(fault)
            connection.execute(text("ALTER TABLE wish ADD COLUMN beside uuid DEFAULT gen_random_uuid()"))
            connection.commit()
        real(config, to)

    one_migration_behind(another_engine)
    monkeypatch.setattr(migrations.command, "upgrade", rewrite)
    migrations.upgrade(another_engine)
    assert len(refused) == 1
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    file = making.make(another_engine, KEYS, tmp_path).file
    assert restoring.verify(tmp_path / file, KEYS).rows["wish"] == 3, "the next one has all rows"


def test_tru15_an_upgrade_beside_a_backup_is_refused_and_a_host_without_one_to_do_starts(
    another_engine, tmp_path, monkeypatch
):
    begun = []
    describe = making.manifest.describe

    def host_starts(*args, **options):
        migrations.upgrade(another_engine)  # nothing is missing
        newest = one_migration_behind(another_engine)
        with pytest.raises(doctor.Unwell, match="a backup of this database is being made") as fault:
            migrations.upgrade(another_engine)
        begun.append((newest, fault))
        return describe(*args, **options)

    monkeypatch.setattr(making.manifest, "describe", host_starts)
    file = making.make(another_engine, KEYS, tmp_path).file
    [(newest, _fault)] = begun
    assert restoring.verify(tmp_path / file, KEYS).rows["wish"] == 3
    migrations.upgrade(another_engine)
    with another_engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == newest


def test_tru15_the_nightly_job_makes_a_backup_notes_it_and_keeps_some(engine, redis_url, tmp_path):
    config = Config(
        database_url=address(engine), redis_url=redis_url, secret_key="for tests only", keys=KEYS, testing=True,
        backup_folder=tmp_path / "copies", backup_keep=1,
    )  # fmt: skip
    app = create_app(config, engine)
    runner.load_handlers()
    with Session(engine) as session, pytest.raises(doctor.Unwell, match="no backup yet"):
        overdue_work.backup_age(session, demo=False, folder=config.backup_folder)
    for _night in range(2):
        with Session(engine) as session, session.begin():
            job = jobs.enqueue(session, "backup", now=NOW)
        with app.app_context():
            assert runner.run(engine, lambda _session: NOW, job, "a worker") == "done"
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(backups.Backup)) == 2
        newest = backups.newest(session)
        overdue_work.backup_age(session, demo=False, folder=config.backup_folder)
        file, link = newest.file, newest.audit_link
        session.execute(text("UPDATE backup SET taken_at = taken_at - interval '2 days'"))
        session.expire_all()
        with pytest.raises(doctor.Unwell, match="run `flask backup`"):
            overdue_work.backup_age(session, demo=False, folder=config.backup_folder)
        # one that a clock ahead has dated is not the newest for a year
        session.execute(
            text("UPDATE backup SET taken_at = taken_at + interval '1 year' WHERE file <> :file"), {"file": file}
        )
        with pytest.raises(doctor.Unwell, match="run `flask backup`"):
            overdue_work.backup_age(session, demo=False, folder=config.backup_folder)
        session.rollback()
    assert [path.name for path in copies.of_folder(tmp_path / "copies")] == [file]
    assert restoring.verify(tmp_path / "copies" / file, KEYS).audit_head.link == link


@pytest.mark.long
def test_tru15_the_commands_of_an_operator(addresses, engine, target, tmp_path):
    """`flask backup` and `flask restore` as processes of their own, with the key file, into a database of DATABASE_URL.

    The portal's role makes the backup, the owner restores it, and the portal's role reads and writes the rows again (TRU04).
    """
    settings = settings_of(addresses.as_portal(address(engine)), tmp_path)
    as_portal = addresses.as_portal(target)

    def flask(*words: str, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT, env=environment(tmp_path, **settings | more), capture_output=True, text=True, check=False,
        )  # fmt: skip

    told = json.loads(flask("backup", "--folder", str(tmp_path / "copies"), "--json").stdout)
    assert Path(told["path"]).stat().st_size == told["size"]
    done = flask("restore", told["path"], DATABASE_URL=as_portal, OWNER_DATABASE_URL=target)
    assert done.returncode == 0, done.stderr
    assert "all invariants" in done.stdout
    again = flask("restore", told["path"], "--json", DATABASE_URL=as_portal, OWNER_DATABASE_URL=target)
    assert again.returncode == 1
    assert "is not empty" in again.stderr
    database_roles.check_role(as_portal)
    restored = open_engine(as_portal)
    with Session(restored) as session:
        assert session.scalar(select(func.count(Application.id))) == 3
    restored.dispose()
    assert real_now() - dt.datetime.fromisoformat(told["taken_at"]) < dt.timedelta(minutes=5)


@pytest.mark.long
@pytest.mark.slow
def test_tru15_the_embedded_database_is_backed_up_and_restored(tmp_path):
    """`make backup` with the portal stopped, and `make restore` into a new folder with the keys of the old one."""

    def copies_of(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "portal.operations.embedded_copies", *words],
            cwd=ROOT, env=environment(folder, **more), capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    tmp_path.chmod(0o755)
    old, new = tmp_path / "old", tmp_path / "new"
    with serving(old) as portal:
        portal.hear("ready at")
        assert portal.get("/")[0] == 200
        status, told = portal.get("/metrics")
        assert status == 200
        assert 'portal_request_seconds_count{desk="public",outcome="2xx"}' in told, (
            "families' processes are counted too"
        )
        done = copies_of(old, "backup")
        assert done.returncode == 0, done.stderr
        assert "already runs" in copies_of(old, "restore", str(next((old / "backup").iterdir()))).stderr
        assert portal.end() == 0
    assert copies_of(old, "backup").returncode == 0
    file = max((old / "backup").iterdir())
    assert "is another key" in copies_of(new, "restore", str(file)).stderr
    done = copies_of(new, "restore", str(file), KEY_FILE=str(old / "keys" / "demo-keys.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all invariants" in done.stdout
    refused = copies_of(old, "restore", str(file)).stderr
    assert "the backup is whole" in refused and "make clean-data" in refused
    cleaned = [sys.executable, "-m", "portal.operations.serve", "--forget-data"]
    done = subprocess.run(
        cleaned, cwd=ROOT, env=environment(old), capture_output=True, text=True, check=True, timeout=60
    )
    assert str(old / "backup") in done.stdout and not (old / "postgres").exists()
    done = copies_of(old, "restore", str(file))
    assert done.returncode == 0, "what was refused for want of room comes back as it says: " + done.stdout + done.stderr
