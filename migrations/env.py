"""How Alembic finds the tables.  The connection is given by the caller, or opened from DATABASE_URL."""

import os

from alembic import context

from enrollment.ground.db import open_engine
from enrollment.ground.vault import Sealed
from enrollment.tables import METADATA


def _plain_type(kind, item, context_) -> str | bool:
    """A migration writes sealed columns as the bytes they are, so that old migrations never import today's code."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, Sealed) else False


def _migrate(connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        compare_type=True,
        compare_server_default=True,
        render_item=_plain_type,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _migrate(given)
else:
    with open_engine(os.environ["DATABASE_URL"]).connect() as opened:
        _migrate(opened)
