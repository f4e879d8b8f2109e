"""Upgrade the database schema to this version of the portal."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

MIGRATIONS = Path(__file__).parents[2] / "migrations" / "alembic.ini"
ONE_AT_A_TIME = 731000


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run the missing migrations.  A lock makes hosts that start at the same time take turns."""
    config = Config(str(MIGRATIONS))
    with engine.connect() as turn, engine.connect() as connection:
        turn.execute(text("SET lock_timeout = 0"))
        turn.execute(text("SELECT pg_advisory_lock(:number)"), {"number": ONE_AT_A_TIME})
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        connection.commit()
        turn.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": ONE_AT_A_TIME})
