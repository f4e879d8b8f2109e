"""A city of any size in minutes: a demo city of some thousand children, and copies of all its rows made by SQL.

A copy has its own kindergartens, programmes, families and applications; names, dates and places in the city stay those of
the first.  Identifiers of a copy are the MD5 of the first one's with the number of the copy, so that rows that belong
together still do.  The copies have no service areas, rolls, uploads and history.  Sealed values of the copied tables have the
form from before they were bound to rows (ADR 46), because SQL cannot seal them for the row of a copy.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    Table,
    UniqueConstraint,
    Uuid,
    and_,
    bindparam,
    func,
    select,
    text,
    update,
)

import enrollment.tables  # noqa: F401 (all tables are known)
from enrollment.ground import key_rotation, vault
from enrollment.ground.db import Base, open_engine
from enrollment.ground.key_rotation import SealedColumn
from enrollment.ground.sealed.values import row_of
from enrollment.ground.vault import Keys
from portal.demo.city_builder import CityBuilder
from portal.operations.embedded import Postgres
from portal.operations.migrations import upgrade

FIRST_CITY = 6_000
"""Children of the demo city that is copied."""

COPIED = (
    "kindergarten", "programme", "pool", "round_programme", "account", "guardian", "child", "guardianship", "application",
    "household", "wish", "claim", "verified_fact", "elder_sibling", "child_likeness", "child_document", "application_version",
    "placement", "offer",
)  # fmt: skip
PLACES = ("kindergarten", "programme", "pool", "round_programme")
"""Of these a real city has a few thousand, however many families hand in."""

SETTINGS = Path(__file__).parents[1] / "deploy" / "postgresql.conf"
MEASURED_SETTINGS = (
    "fsync", "full_page_writes", "synchronous_commit", "wal_level", "checkpoint_timeout", "max_wal_size",
    "shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem",
)  # fmt: skip

TALLY = """
    DELETE FROM season_tally;
    INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
    SELECT year, 'application', review_kindergarten_id, stage, count(*) FROM application GROUP BY 1, 3, 4;
    INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
    SELECT offer.year, 'offer', programme.kindergarten_id, offer.state, count(*)
    FROM offer JOIN programme ON programme.id = offer.programme_id GROUP BY 1, 3, 4;
    INSERT INTO unserved_change (year) SELECT year FROM season
"""
"""What triggers keep, which do not see the copies."""

_ONLY_FAMILIES = {"account": "original.login IS NULL"}
_CODES = {"child_code", "family_code", "registration_code"}
_DIGITS = 20  # of the codes of a copy: shorter ones would be there twice


def _say(line: str) -> None:
    print(line, flush=True)


def settings_of_a_city() -> dict[str, str]:
    """What `deploy/postgresql.conf` sets about the WAL and memory; the rest is about other hosts, passwords and logs.

    Without the compression of full pages in the WAL: the PostgreSQL of the wheel has none of it.
    """
    lines = (line.partition("#")[0].partition("=") for line in SETTINGS.read_text("utf-8").splitlines())
    told = {name.strip(): value.strip() for name, equals, value in lines if equals}
    return {name: told[name] for name in MEASURED_SETTINGS}


@contextmanager
def database() -> Iterator[tuple[Postgres, Engine, Keys]]:
    """An empty database of a PostgreSQL of its own, with all tables, and the keys; all are removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bench-city-"))
    folder.chmod(0o755)
    keys = Keys({"bench": os.urandom(32)}, "bench", os.urandom(32))
    vault.unlock(keys)
    postgres = Postgres(folder / "postgres", folder / "postgres.log", settings_of_a_city())
    try:
        postgres.start()
        postgres.ensure_database("city")
        engine = open_engine(postgres.url("city"))
        upgrade(engine)
        yield postgres, engine, keys
        engine.dispose()
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def build(
    engine: Engine,
    children: int,
    through: str,
    say: Callable[[str], None] = _say,
    *,
    first: int = FIRST_CITY,
    places: bool = True,
) -> None:
    """A city of about this many children, up to this step of its season; a demo city of `first` children is copied.  Without
    `places` only the families are copied, who then wish for the same kindergartens."""
    first = min(children, first)
    say(f"a demo city of {first} children")
    CityBuilder(engine, first, 2026, lambda step, done, of: None).build(through)
    multiply(engine, round(children / first), say, copied=COPIED if places else [t for t in COPIED if t not in PLACES])


def multiply(
    engine: Engine, times: int, say: Callable[[str], None] = _say, *, copied: Collection[str] = COPIED
) -> None:
    """Copy the rows of the city until there are ``times`` as many."""
    if times < 2:
        return
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # the copies follow from checked rows
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(
            text("CREATE TEMPORARY TABLE of_families ON COMMIT DROP AS SELECT id FROM account WHERE login IS NULL")
        )
        for column in key_rotation.sealed_columns():
            if column.table.name in copied:
                _unbind(connection, column)
        for name in copied:
            say(f"copies of {name}")
            connection.execute(text(_copies(Base.metadata.tables[name], copied)), {"last": times - 1})
        for statement in TALLY.split(";"):
            connection.execute(text(statement))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))


def _unbind(connection: Connection, sealed: SealedColumn) -> None:
    """Seal the values of a column without their rows."""
    filled = select(*sealed.key, sealed.value.label("stored")).where(func.length(sealed.value) > 0)
    rows = connection.execute(filled).all()
    if not rows:
        return
    same = and_(*(part == bindparam(f"key_{part.name}", type_=part.type) for part in sealed.key))
    written = update(sealed.table).where(same).values({sealed.column: bindparam("stored", type_=LargeBinary)})
    connection.execute(written, [
        {f"key_{part.name}": value for part, value in zip(sealed.key, key, strict=True)}
        | {"stored": vault.seal_unbound(vault.unseal(bytes(stored), sealed.purpose, row_of(sealed.table, key)), sealed.purpose)}
        for *key, stored in rows
    ])  # fmt: skip


def _copies(table: Table, copied: Collection[str]) -> str:
    columns = [column for column in table.columns if column.computed is None]
    listed, made = (
        ", ".join(each) for each in zip(*((c.name, _value(table, c, copied)) for c in columns), strict=True)
    )
    only = f"WHERE {_ONLY_FAMILIES[table.name]}" if table.name in _ONLY_FAMILIES else ""
    return f"""
        INSERT INTO {table.name} ({listed})
        SELECT {made} FROM {table.name} AS original CROSS JOIN generate_series(1, :last) AS copy {only}
    """


def _value(table: Table, column: Column, copied: Collection[str]) -> str:
    """The value of a copy: another identifier for what is copied too, the same value for everything else."""
    value = f"original.{column.name}"
    other = f"md5({value}::text || '/' || copy)"
    of = {key.column.table.name for key in column.foreign_keys}
    if of == {"account"}:
        return f"CASE WHEN {value} IN (SELECT id FROM of_families) THEN {other}::uuid ELSE {value} END"
    if column.name in _CODES:
        return f"upper(left({other}, {_DIGITS}))"  # as codes are typed and looked for
    if isinstance(column.type, Uuid) and (of & {*copied} or column.name in ("id", "unit")):
        return f"{other}::uuid"
    if column.name in _unique(table):
        binary = isinstance(column.type, LargeBinary)
        return f"{value} || int4send(copy)" if binary else f"{value} || '/' || copy"
    return value


def _unique(table: Table) -> set[str]:
    """Columns that are unique by themselves."""
    return {
        each.columns[0].name
        for each in table.constraints
        if isinstance(each, UniqueConstraint) and len(each.columns) == 1
    }
