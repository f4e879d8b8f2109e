"""The migrations make exactly the tables that the models describe, and can be taken back; the histories refuse change."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment.ground.db import open_engine
from enrollment.offers import offers
from enrollment.tables import METADATA, MODULES_WITH_TABLES
from tests.conftest import NOW
from tests.guards.test_words_for_every_code import ROOT
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


def test_the_way_back_and_forth(real_database):
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


def test_the_histories_of_offers_that_are_there_are_named(addresses, real_database):
    """0015 names the moves from the states: what the lifecycle wrote is taken away, and found again."""
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
        offers.mark_arrived(session, town.offer_for(ben).id, by=town.clerk_of(garden), now=town.now)
        session.commit()
    histories = text("SELECT number, move FROM offer_move ORDER BY number")
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        written = connection.execute(histories).all()
        assert {move for _number, move in written} >= {"offer", "confirm_and_wait", "decline", "supersede", "move_up"}
        command.downgrade(config, "0014")
        connection.commit()
        command.upgrade(config, "head")
        connection.commit()
        assert connection.execute(histories).all() == written
        with pytest.raises(IntegrityError, match="only ever added"):
            connection.execute(text("UPDATE offer_move SET move = 'offer'"))
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
