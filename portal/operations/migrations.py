"""Upgrade the database schema to this version of the portal."""

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from portal.operations import doctor

ONE_AT_A_TIME = 731000


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run the missing migrations.  A lock makes hosts that start at the same time take turns.

    Each migration is a transaction of its own.  Raises Unwell if the database is of another version of the portal, or if a
    migration met one of the time limits of `migrations/env.py`: it is rolled back, those before it are kept.
    """
    config = Config(str(doctor.ALEMBIC))
    with engine.connect() as turn, engine.connect() as connection:
        # an index that is built concurrently waits for every open transaction, so the lock is held without one
        turn.execution_options(isolation_level="AUTOCOMMIT")
        turn.detach()  # closing the connection releases the lock in every case
        turn.execute(text("SET lock_timeout = 0"))
        turn.execute(text("SELECT pg_advisory_lock(:number)"), {"number": ONE_AT_A_TIME})
        doctor.check_revision(set(MigrationContext.configure(turn).get_current_heads()))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, to)
        except OperationalError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise doctor.Unwell(
                    "a table is locked by another transaction, and the migration gave up waiting: try again when that is over"
                ) from error
            if isinstance(error.orig, psycopg.errors.QueryCanceled):
                raise doctor.Unwell(
                    "a migration took longer than its time limit and was rolled back: try again when the database is less busy"
                ) from error
            raise
