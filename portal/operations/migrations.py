"""Upgrade the database schema to this version of the portal."""

import time

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from enrollment.ground import demo_clock, key_rotation
from enrollment.ground.db import open_engine
from enrollment.maintenance import sealing
from portal.backup.locks import TABLES_STAY
from portal.operations import database_roles, doctor

ONE_AT_A_TIME = 731000
LEAVES_TEXTS = "0050_sealed_facts"
"""After this migration the rows that were there are sealed, with the keys of this process."""

PAUSES = (0.5, 1.0, 2.0, 2.0, 3.0, 3.0, 3.0)
"""Seconds between two tries to get a lock.  Pages that queued behind the try go on meanwhile, so none waits longer than one try."""

UNFINISHED_INDEXES = """
    SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE NOT indisvalid AND relkind = 'i' AND relnamespace = current_schema()::regnamespace
        AND indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index WHERE datname = current_database())
"""


def upgrade(engine: Engine, to: str = "head", *, demo: bool = False) -> None:
    """Run the missing migrations.  A lock makes hosts that start at the same time take turns.

    Each migration is a transaction of its own.  One that does not get a lock is rolled back and tried again after each of
    `PAUSES`.  Raises Unwell if the database is of another version of the portal, if a backup is made while a migration is missing,
    or if a migration met one of the time limits of `migrations/env.py` and is given up: it is rolled back, those before it are
    kept.  At the head maintenance permits are judged by the clock of the database, in a `demo` by its moved clock.
    """
    config = Config(str(doctor.ALEMBIC))
    with engine.connect() as turn, engine.connect() as connection:
        # an index that is built concurrently waits for every open transaction, so the lock is held without one
        turn.execution_options(isolation_level="AUTOCOMMIT")
        turn.detach()  # closing the connection releases the lock in every case
        turn.execute(text("SET lock_timeout = 0"))
        turn.execute(text("SELECT pg_advisory_lock(:number)"), {"number": ONE_AT_A_TIME})
        there = set(MigrationContext.configure(turn).get_current_heads())
        doctor.check_revision(there)
        if there != {each.revision for each in doctor.migrations().get_revisions(to) if each is not None}:
            _refuse_beside_backup(turn)
        config.attributes["connection"] = connection
        for pause in (*PAUSES, None):
            _drop_unfinished_indexes(turn)
            try:
                if _rows_are_to_be_sealed(turn, to):
                    command.upgrade(config, LEAVES_TEXTS)
                    _seal(engine)
                command.upgrade(config, to)
                break
            except OperationalError as error:
                if isinstance(error.orig, psycopg.errors.QueryCanceled):
                    raise doctor.Unwell(
                        "a migration took longer than its time limit and was rolled back: try again when the database is less busy"
                    ) from error
                if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
                    raise
                if pause is None:
                    raise doctor.Unwell(
                        "a table is locked by another transaction, and the migration gave up waiting: try again when that is over"
                    ) from error
                time.sleep(pause)
    if to == "head":
        with Session(engine) as session, session.begin():
            demo_clock.set_permit_clock(session, demo=demo)


def _refuse_beside_backup(turn: Connection) -> None:
    """Hold the lock under which no backup begins, until this connection is closed.  Raises Unwell while one is made."""
    if not turn.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": TABLES_STAY}):
        raise doctor.Unwell(
            "a backup of this database is being made, and it would hold a rewritten table without its rows: wait until it is "
            "done, then run `flask migrate` again"
        )


def _drop_unfinished_indexes(turn: Connection) -> None:
    """Drop what an interrupted concurrent build has left, so that its migration builds the index and does not find a name taken."""
    for name in turn.execute(text(UNFINISHED_INDEXES)).scalars().all():
        turn.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))


def migrate(database_url: str, owner_url: str | None, *, demo: bool) -> None:
    """Upgrade as the owner of the tables, and let the portal's role read and write the rows.  Raises Unwell.

    In production also where the portal's role could switch off what the tables enforce; they are of this version then.
    """
    engine = open_engine(owner_url or database_url)
    try:
        upgrade(engine, demo=demo)
    except ProgrammingError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise doctor.Unwell(
                "this role does not own the tables, so it cannot change them: set OWNER_DATABASE_URL to the owner's address"
            ) from error
        raise
    finally:
        engine.dispose()
    if owner_url is not None:
        database_roles.grant_rows(owner_url, database_roles.role_of(database_url), demo=demo)
    if not demo:
        database_roles.check_role(database_url)


def _rows_are_to_be_sealed(connection: Connection, to: str) -> bool:
    """Whether the database has rows from before `LEAVES_TEXTS` and is to go beyond it."""
    there = set(MigrationContext.configure(connection).get_current_heads())
    if not there or to != "head":
        return False
    before = {each.revision for each in doctor.migrations().iterate_revisions(LEAVES_TEXTS, "base")}
    return there <= before


def _seal(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        sealing.key_codes(session)  # first: codes are parts of keys
    for column in key_rotation.sealed_columns():
        left = True
        while left:
            with Session(engine) as session, session.begin():
                left = bool(sealing.seal_texts(session, column))
