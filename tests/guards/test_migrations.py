"""The migrations make exactly the tables that the models describe and wait for nobody for long; the histories refuse
change."""

import re
import shutil

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.ground.db import open_engine
from enrollment.offers.arrivals import arrival
from enrollment.tables import METADATA, MODULES_WITH_TABLES
from portal.operations import doctor, migrations
from portal.operations.migrations import upgrade
from tests.conftest import NOW
from tests.guards import lint_migrations
from tests.guards.test_texts_of_codes import ROOT
from tests.support.servers import downgrade
from tests.support.town import Town


def test_migrations_and_models_say_the_same(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_every_noun_with_a_table_is_listed():
    tables = {
        path.relative_to(ROOT / "enrollment").with_suffix("").as_posix().replace("/", ".")
        for path in (ROOT / "enrollment").rglob("*.py")
        if "__tablename__" in path.read_text("utf-8")
    }
    assert tables <= set(MODULES_WITH_TABLES.split())


def test_the_head_is_the_one_that_is_written_down():
    """Two branches that each add a migration meet in this one line, and not at the first start after the merge."""
    assert doctor.newest_revision() == {(ROOT / "migrations" / "HEAD").read_text("utf-8").strip()}


def test_the_id_of_a_migration_is_the_name_of_its_file():
    """And it fits into the column of `alembic_version`."""
    for revision in doctor.migrations().walk_revisions():
        assert (ROOT / "migrations" / "versions" / f"{revision.revision}.py").is_file()
        assert len(revision.revision) <= 32


def test_a_migration_gives_up_when_another_session_holds_a_lock(real_database, tmp_path, monkeypatch):
    before = doctor.newest_revision().pop()
    folder = with_another_migration(tmp_path, 'op.add_column("season", sa.Column("remark", sa.Text()))')
    wait_for_locks("300ms", folder)
    monkeypatch.setattr(doctor, "ALEMBIC", folder / "alembic.ini")
    monkeypatch.setattr(doctor, "migrations", doctor.migrations.__wrapped__)  # those of this folder, not those known
    monkeypatch.setattr(migrations, "PAUSES", (0.0,))
    # without a bound of its own: only that of the migrations can end the wait before the other session ends
    engine = create_engine(real_database.replace("postgresql://", "postgresql+psycopg://", 1))
    with open_engine(real_database).connect() as other:
        other.execute(text("SET idle_in_transaction_session_timeout = '60s'"))
        other.execute(text("LOCK TABLE season IN ROW EXCLUSIVE MODE"))
        with pytest.raises(doctor.Unwell, match="locked by another transaction"):
            upgrade(engine)
        assert other.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == before
        other.rollback()
    upgrade(engine)
    with engine.connect() as connection:
        there = connection.execute(text("SELECT version_num FROM alembic_version"))
        assert set(there.scalars()) == doctor.newest_revision() == {"9999_another"}
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "0", "kept for the migrations alone"
    engine.dispose()


def wait_for_locks(bound, folder):
    """Shorten the bound of the waits for locks in this copy of the migrations: the test waits until it ends one."""
    env = folder / "env.py"
    written, found = re.subn('^LOCK_TIMEOUT = ".+"$', f'LOCK_TIMEOUT = "{bound}"', env.read_text("utf-8"), flags=re.M)
    assert found == 1
    env.write_text(written, "utf-8")


def test_an_index_may_be_built_concurrently_and_has_the_bounds_too(real_database, tmp_path):
    folder = with_another_migration(
        tmp_path,
        "with op.get_context().autocommit_block():",
        '    op.create_index("ix_child__born", "child", ["born"], postgresql_concurrently=True, if_not_exists=True)',
        "    op.execute(\"CREATE TABLE IF NOT EXISTS bound AS SELECT current_setting('statement_timeout') AS it\")",
    )
    assert lint_migrations.main(folder, since=doctor.newest_revision().pop()) == 0
    engine = open_engine(real_database)
    config = Config(str(folder / "alembic.ini"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT it FROM bound")).scalar_one() == "1min"
        valid = connection.execute(
            text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_child__born'::regclass")
        )
        assert valid.scalar_one()
    engine.dispose()


def test_a_migration_is_tried_again_until_it_gets_its_lock(real_database, monkeypatch):
    """What an interrupted concurrent build has left is built anew, and not taken for the index."""
    engine = open_engine(real_database)
    downgrade(engine, "0107_plausibility")
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("CREATE TABLE twice (it int)"))
        connection.execute(text("INSERT INTO twice VALUES (1), (1)"))
        with pytest.raises(IntegrityError):
            connection.execute(text("CREATE UNIQUE INDEX CONCURRENTLY unfinished ON twice (it)"))
        # of a name that the next migration wants
        connection.execute(text("ALTER INDEX unfinished RENAME TO ix_evidence_page__original_digest"))
    other = open_engine(real_database).connect()
    other.execute(text("LOCK TABLE child_likeness IN ROW EXCLUSIVE MODE"))
    paused = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        other.rollback()  # the long transaction ends

    monkeypatch.setattr(migrations.time, "sleep", pause)
    upgrade(engine)
    other.close()
    assert paused == [migrations.PAUSES[0]]
    table_of = text(
        "SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = CAST(:name AS regclass) AND indisvalid"
    )
    with engine.connect() as connection:
        found = connection.execute(table_of, {"name": "ix_evidence_page__original_digest"}).scalar_one()
        assert found == "evidence_page"
    engine.dispose()


def with_another_migration(folder, *lines):
    """A copy of the migrations with one more, as somebody may write it tomorrow."""
    copy = folder / "migrations"
    shutil.copytree(ROOT / "migrations", copy)
    (copy / "versions" / "9999_another.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision, down_revision = '9999_another', {doctor.newest_revision().pop()!r}\n"
        "def upgrade():\n" + "".join(f"    {line}\n" for line in lines)
    )
    return copy


def test_a_migration_that_locks_or_loses_is_complained_of(tmp_path, capfd):
    complaints = {
        "require-concurrent-index-creation": 'op.create_index("ix_child__born", "child", ["born"])',
        "ban-drop-column": 'op.drop_column("child", "sex")',
        "adding-foreign-key-constraint": 'op.create_foreign_key(None, "target", "season", ["percent"], ["year"])',
    }
    folder = with_another_migration(tmp_path, *complaints.values())
    assert lint_migrations.main(folder, since=doctor.newest_revision().pop()) == 1
    said = capfd.readouterr().err
    assert [rule for rule in complaints if rule not in said] == []
    assert all(line.startswith("9999_another.sql:") for line in said.splitlines())


def test_the_histories_of_offers_that_are_there_are_named(addresses, real_database):
    """`0010_the_move_of_an_offer` names the moves from the states: what the lifecycle wrote is taken away, and found again."""
    engine = open_engine(real_database)
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        garden, mill = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=2)
        ana, ben, eva = (town.child(name, wishes=[garden, mill]) for name in ("安娜", "本本", "伊娃"))
        town.drawn(ana, ben, eva)
        town.confirm(ben, wait=True)
        town.confirm(eva)
        town.decline(ana)
        town.replay()
        arrival.mark_arrived(session, town.offer_for(ben).id, by=town.clerk_of(garden), now=town.now)
        session.commit()
    histories = text("SELECT number, move FROM offer_move ORDER BY number")
    with engine.connect() as connection:
        written = connection.execute(histories).all()
    assert {move for _number, move in written} >= {"offer", "confirm_and_wait", "decline", "supersede", "move_up"}
    downgrade(engine, "0009_coverage")
    upgrade(engine, "0010_the_move_of_an_offer")
    with engine.connect() as connection:
        assert connection.execute(histories).all() == written
        with pytest.raises(IntegrityError, match="only ever added"):
            connection.execute(text("UPDATE offer_move SET move = 'offer'"))
    engine.dispose()


def test_a_proposal_that_a_family_had_ended_before_lapses_with_the_upgrade(real_database):
    """An earlier release let it wait for a second person while the family had changed or withdrawn the application."""
    engine = open_engine(real_database)
    with Session(engine) as session:
        town = Town(session, NOW)
        garden = town.kindergarten("金苹果", places=2)
        town.open_registration()
        ana, ben = (town.child(name, wishes=[garden]) for name in ("Ana", "Ben"))
        for child in (ana, ben):
            town.clerk_proposes_refusal(child)
        waits, ended_at = ben.id, town.now
        lifecycle.make(session, ana, "edit_in_review", by=town.parent_of(ana), now=town.now)
        session.commit()
    downgrade(engine, "0162_signed_again")
    upgrade(engine)
    told = text("SELECT application_id, decided_at, decided_by, upheld FROM refusal_proposal")
    with engine.connect() as connection:
        rows = {row.application_id: tuple(row)[1:] for row in connection.execute(told)}
    assert rows.pop(waits) == (None, None, None)
    assert list(rows.values()) == [(ended_at, None, None)]
    engine.dispose()


ADD_ONLY = (
    "ledger_entry",
    "move_made",
    "offer_move",
    "application_version",
    "placement",
    "cut_off",
    "wish_reason",
    "ticket",
    "signature",
)


@pytest.mark.parametrize("table", ADD_ONLY)
def test_histories_and_results_refuse_change(session, table):
    """Asked of PostgreSQL itself: the trigger stands on the table, whatever the code does."""
    found = session.execute(
        text("SELECT tgenabled FROM pg_trigger WHERE tgrelid = CAST(:table AS regclass) AND tgname = 'only_added'"),
        {"table": table},
    )
    assert found.scalar_one() in ("O", b"O")


def test_a_move_cannot_be_rewritten(town):
    town.child("Ana", wishes=[town.kindergarten("金苹果", places=1)])
    town.session.flush()
    for harm in ("UPDATE move_made SET after = 'confirmed'", "DELETE FROM move_made"):
        with pytest.raises(IntegrityError, match="only ever added"), town.session.begin_nested():
            town.session.execute(text(harm))
