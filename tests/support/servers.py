"""The PostgreSQL and the Valkey of a test session: one pair for all workers, migrated once, stopped at the end."""

import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
from alembic import command
from alembic.config import Config
from psycopg.sql import SQL, Identifier

from enrollment.ground.db import open_engine
from portal.operations import database_roles
from portal.operations.doctor import ALEMBIC
from portal.operations.embedded import NOT_DURABLE, Postgres, Valkey
from portal.operations.migrations import upgrade

TEMPLATE = "portal_template"

ROLE = "portal"
"""The role of the portal's processes: it owns nothing, and reads and writes the rows of every database made here."""


MEMORY, ROOM = Path("/dev/shm"), 4 << 30
"""A disk in memory, and the bytes that must be free on it and as much again in the machine."""


def memory_folder() -> Path | None:
    """The disk in memory, where there is a large one: a database is copied there in a tenth of the time.

    Nothing is kept, and these servers never sync.  `TMPDIR` chooses another place.
    """
    try:
        free = shutil.disk_usage(MEMORY).free
    except OSError:
        return None
    roomy = free >= ROOM and psutil.virtual_memory().available >= 2 * ROOM
    return MEMORY if roomy and os.access(MEMORY, os.W_OK) and "TMPDIR" not in os.environ else None


@dataclass(frozen=True)
class Addresses:
    """`postgres` is the address of any database of the server, `redis` that of database 0 of the queue."""

    postgres: str
    redis: str

    def database(self, name: str) -> str:
        return str(urlunsplit(urlsplit(self.postgres)._replace(path=f"/{name}")))

    def queue(self, number: int) -> str:
        if self.redis.startswith("unix:"):
            return f"{self.redis.partition('?')[0]}?db={number}"
        return str(urlunsplit(urlsplit(self.redis)._replace(path=f"/{number}")))

    def as_portal(self, url: str) -> str:
        """The address of a database as the portal has it; of a server of your own, whose passwords nobody knows, the same."""
        parts = urlsplit(url)
        if parts.username != "postgres" or parts.password or parts.hostname:
            return url
        return str(urlunsplit(parts._replace(netloc=parts.netloc.replace("postgres@", f"{ROLE}@", 1))))

    def administer(self):
        return psycopg.connect(self.database("postgres"), autocommit=True)

    def create(self, name: str, template: str = TEMPLATE) -> str:
        """A fresh database made from the migrated one; its address."""
        with self.administer() as connection:
            connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
            # files copied whole: nobody else writes to the template, and these servers never sync to the disk
            made = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
            connection.execute(made.format(Identifier(name), Identifier(template)))
        return self.database(name)

    def drop(self, name: str) -> None:
        with self.administer() as connection:
            connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))

    def as_plain(self) -> dict[str, str]:
        return asdict(self)


class Servers:
    """Started by the process that controls the session; `DATABASE_URL` and `REDIS_URL` name servers of your own."""

    def __init__(self, *, in_memory: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portal-tests-", dir=memory_folder() if in_memory else None))
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None

    def start(self) -> Addresses:
        self.folder.chmod(0o755)
        database, queue = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
        if not database:
            settings = NOT_DURABLE | {"max_connections": "200"}
            self.postgres = Postgres(self.folder / "postgres", self.folder / "postgres.log", settings)
            self.postgres.start()
            database = self.postgres.url("postgres")
        if not queue:
            self.valkey = Valkey(self.folder / "valkey", self.folder / "valkey.log", durable=False)
            self.valkey.start()
            queue = self.valkey.url()
        self.addresses = Addresses(database, queue)
        return self.addresses

    @property
    def template_made(self) -> Path:
        """The file that is there when databases can be made; it has the fault if there is one."""
        return self.folder / "template-made"

    def make_template(self) -> None:
        """Migrate the database that others are made from, and say so in `template_made`."""
        fault = "the migrations were interrupted"
        try:
            make_template(self.addresses)
            fault = ""
        except Exception as caught:
            fault = f"{type(caught).__name__}: {caught}"
            raise
        finally:
            # renamed into its place, so that nobody reads half of it
            (self.folder / "fault").write_text(fault)
            (self.folder / "fault").rename(self.template_made)

    def stop(self) -> None:
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def make_template(addresses: Addresses) -> None:
    with addresses.administer() as connection:
        connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(TEMPLATE)))
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(TEMPLATE)))
    engine = open_engine(addresses.database(TEMPLATE))
    upgrade(engine)
    engine.dispose()
    database_roles.make_role(addresses.database("postgres"), ROLE)
    database_roles.grant_rows(addresses.database(TEMPLATE), ROLE, demo=True)


def downgrade(engine, to: str) -> None:
    """Take the migrations back, down to the revision `to`."""
    config = Config(str(ALEMBIC))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)


def empty(connection) -> None:
    """Delete every row of every table, including append-only tables."""
    _delete_all(connection)
    connection.commit()


_deletions: dict[str, str] = {}
"""By database, the statements that empty it.  They are one message: to send them one by one takes as long as they do."""


def _delete_all(connection) -> None:
    """Until the end of the transaction neither triggers nor foreign keys count: for rows that were in the database before."""
    database = connection.engine.url.render_as_string()
    if database not in _deletions:
        each = (f'DELETE FROM "{name}"' for name in tables(connection))
        _deletions[database] = "; ".join(["SET LOCAL session_replication_role = replica", *each])
    connection.exec_driver_sql(_deletions[database])


class KeptRows:
    """A copy of all rows of a database in its schema `kept`, with which `restore` replaces what was committed since.

    A database has one copy at a time.  The rows never leave the server, and it is asked once: COPY of each table took twice as long.
    """

    def __init__(self, connection):
        self.database = connection.engine.url.render_as_string()
        columns = _columns(connection)
        if self.database not in _copies:
            made = (
                f'CREATE UNLOGGED TABLE kept."{name}" AS SELECT {of} FROM "{name}" WITH NO DATA'
                for name, of in columns.items()
            )
            # a backup reads every schema of its database
            read = (f"GRANT USAGE ON SCHEMA kept TO {ROLE}", f"GRANT SELECT ON ALL TABLES IN SCHEMA kept TO {ROLE}")
            connection.exec_driver_sql("; ".join(["CREATE SCHEMA kept", *made, *read]))
        elif before := _copies[self.database].tables:
            # TRUNCATE would make a new file for each table
            connection.exec_driver_sql("; ".join(f'DELETE FROM kept."{name}"' for name in before))
        questions = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in columns)
        self.tables = connection.exec_driver_sql(" UNION ALL ".join(questions)).scalars().all()
        copies = [f'INSERT INTO kept."{name}" SELECT {columns[name]} FROM "{name}"' for name in self.tables]
        if copies:
            connection.exec_driver_sql("; ".join(copies))
        connection.commit()
        self._insertions = "; ".join(
            f'INSERT INTO "{name}" ({columns[name]}) OVERRIDING SYSTEM VALUE SELECT {columns[name]} FROM kept."{name}"'
            for name in self.tables
        )
        _copies[self.database] = self

    def restore(self, connection) -> None:
        assert _copies[self.database] is self, "another copy has taken the place of this one"
        _delete_all(connection)
        if self._insertions:
            connection.exec_driver_sql(self._insertions)
        connection.commit()


_copies: dict[str, KeptRows] = {}


def _columns(connection) -> dict[str, str]:
    """The columns of each table that are stored as they are given; the others are computed from them."""
    found = """
        SELECT relname, string_agg(quote_ident(attname), ', ' ORDER BY attnum)
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
          AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        GROUP BY relname
    """
    return dict(connection.exec_driver_sql(found).all())


def tables(connection) -> list[str]:
    names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    return connection.exec_driver_sql(names).scalars().all()
