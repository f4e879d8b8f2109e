"""Migrations equal the models and can be reverted; append-only tables refuse changes."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from enrollment.ground.db import open_engine
from enrollment.tables import METADATA, MODULES_WITH_TABLES
from tests.guards.test_texts_of_codes import ROOT


def test_migrations_equal_models(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_every_module_with_a_table_is_listed():
    tables = {
        path.relative_to(ROOT / "enrollment").with_suffix("").as_posix().replace("/", ".")
        for path in (ROOT / "enrollment").rglob("*.py")
        if "__tablename__" in path.read_text("utf-8")
    }
    assert tables <= set(MODULES_WITH_TABLES.split())


def test_downgrade_and_upgrade(real_database):
    engine = open_engine(real_database)
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
        left = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        ).scalar_one()
        assert left == 0
        command.upgrade(config, "head")
        connection.commit()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
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
def test_append_only_tables_have_their_trigger(session, table):
    """The trigger exists on the table in PostgreSQL."""
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
