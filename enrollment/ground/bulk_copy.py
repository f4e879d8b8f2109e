"""Many rows at once: COPY in the caller's transaction, because a run stores a row for every wish of the city."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg.sql import SQL, Identifier
from sqlalchemy import text
from sqlalchemy.orm import Session


def copy_in(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows to a table.  A dict is written as JSON; every other value as psycopg writes it."""
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), SQL(", ").join(map(Identifier, columns)))
    session.flush()
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([json.dumps(value) if isinstance(value, dict) else value for value in row])


def copy_aside(session: Session, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows into a temporary table of this transaction, from where a statement carries them on; `columns` by type."""
    _make_aside(session, name, columns)
    copy_in(session, name, tuple(columns), rows)
    _analyse(session, name)


def copy_file_aside(session: Session, name: str, columns: Mapping[str, str], content: bytes) -> None:
    """The same for the bytes of a CSV file with a header, in the order of its columns; what is empty is null."""
    _make_aside(session, name, columns)
    statement = SQL("COPY {} FROM STDIN WITH (FORMAT csv, HEADER)").format(Identifier(name))
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(content)
    _analyse(session, name)


def _make_aside(session: Session, name: str, columns: Mapping[str, str]) -> None:
    listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    session.flush()
    session.execute(text(f"DROP TABLE IF EXISTS {name}"))
    session.execute(text(f"CREATE TEMPORARY TABLE {name} ({listed}) ON COMMIT DROP"))


def _analyse(session: Session, name: str) -> None:
    """Without its numbers the planner takes a city for a handful of rows."""
    session.execute(text(f"ANALYZE {name}"))
