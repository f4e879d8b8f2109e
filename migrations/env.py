"""How Alembic runs the migrations: with which tables, on which connection, within which times.

The caller gives a connection that is in no transaction, or it is opened from DATABASE_URL.
"""

import os

from alembic import context

from enrollment.ground.db import open_engine
from enrollment.ground.sealed.values import Sealed
from enrollment.tables import METADATA

LOCK_TIMEOUT = "1s"
"""How long a statement waits for a lock.  Whatever reads or writes the table queues behind the waiting migration, so the
pages stand still for as long.  The migration that gives up is rolled back, and `portal.operations.migrations` tries it again."""

STATEMENT_TIMEOUT = "60s"
"""How long a statement runs, and so how long it may keep the lock that it got.  What takes longer on the rows of a whole city
is split into batches, or builds its index concurrently and sets a bound of its own."""


def _plain_type(kind, item, context_) -> str | bool:
    """A migration writes sealed columns as the bytes they are, so that old migrations never import today's code."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, Sealed) else False


def _run(**where) -> None:
    context.configure(target_metadata=METADATA, transaction_per_migration=True, **where)
    with context.begin_transaction():
        context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        context.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
        context.run_migrations()


def _migrate(connection) -> None:
    try:
        _run(connection=connection, compare_type=True, compare_server_default=True, render_item=_plain_type)
    finally:
        # the bounds are the migrations' own: no connection goes back to a pool with them
        connection.rollback()
        connection.invalidate()


def _write_sql() -> None:
    """`upgrade --sql` writes what would be done, without a database."""
    # a named style of parameters, or each % in a function would be written twice
    _run(dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, literal_binds=True)


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    _write_sql()
elif given is not None:
    _migrate(given)
else:
    with open_engine(os.environ["DATABASE_URL"]).connect() as opened:
        _migrate(opened)
