"""Many rows in the caller's transaction, by COPY where a run stores one row for every wish of the city."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg.sql import SQL, Identifier
from sqlalchemy import Insert, Update, text
from sqlalchemy.orm import Session

_BINARY = {"uuid", "bytea"}
"""Types of which rows are copied in binary: as text, bytes are written and read as twice as many digits."""

_PART = 1 << 20
_BINARY_BEGIN, _BINARY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
"""What stands before the rows of a binary COPY, and after them."""


def write_rows(
    session: Session, statement: Insert | Update, rows: Sequence[Mapping[str, Any]], *, render_nulls: bool = False
) -> None:
    """Carry out an INSERT or UPDATE once for each row, and nothing where there are no rows.

    `Session.execute` takes an empty list for "no parameters": an INSERT of it would store one row of defaults, an UPDATE
    would change every row of the table.  `render_nulls` sends None as NULL, so that all rows are one statement.
    """
    if rows:
        session.execute(statement, rows, execution_options={"render_nulls": render_nulls})


def copy_rows(
    session: Session,
    table: str,
    columns: Sequence[str] | Mapping[str, str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Add rows to a table.  A dict is written as JSON; every other value as psycopg writes it.

    Where `columns` maps names to SQL types, and there are only UUIDs and bytes, the rows are copied in binary.
    """
    types = list(columns.values()) if isinstance(columns, Mapping) else []
    if types and _BINARY.issuperset(types):
        _copy_binary(session, table, list(columns), types, rows)
        return
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), SQL(", ").join(map(Identifier, columns)))
    session.flush()
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([json.dumps(value) if isinstance(value, dict) else value for value in row])


def _copy_binary(
    session: Session, table: str, columns: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    listed = SQL(", ").join(map(Identifier, columns))
    statement = SQL("COPY {} ({}) FROM STDIN WITH (FORMAT binary)").format(Identifier(table), listed)
    session.flush()
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def copy_large_values(session: Session, name: str, values: Mapping[str, Sequence[bytes]]) -> None:
    """Copy large values, each given in parts, into the one row of a new temporary table with a column for each.

    As parameters of a statement they would be in memory three times: joined, and twice in the buffers of the driver.
    """
    _create_temporary_table(session, name, dict.fromkeys(values, "bytea STORAGE EXTERNAL"))
    connection: Any = session.connection().connection.driver_connection
    statement = SQL("COPY {} FROM STDIN WITH (FORMAT binary)").format(Identifier(name))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_BINARY_BEGIN + len(values).to_bytes(2, "big"))
        for parts in values.values():
            copy.write(sum(map(len, parts)).to_bytes(4, "big"))
            for part in parts:
                for begin in range(0, len(part), _PART):
                    copy.write(part[begin : begin + _PART])
        copy.write(_BINARY_END)


def copy_to_temporary_table(
    session: Session, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """Copy rows into a new temporary table of this transaction; `columns` maps names to SQL types."""
    _create_temporary_table(session, name, columns)
    copy_rows(session, name, columns, rows)
    _analyse(session, name)


def copy_csv_to_temporary_table(session: Session, name: str, columns: Mapping[str, str], content: bytes) -> None:
    """The same for the bytes of a CSV file with a header, in the order of `columns`; empty cells become NULL."""
    _create_temporary_table(session, name, columns)
    statement = SQL("COPY {} FROM STDIN WITH (FORMAT csv, HEADER)").format(Identifier(name))
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(content)
    _analyse(session, name)


def copy_csv(session: Session, table: str, columns: Sequence[str], blocks: Iterable[bytes]) -> None:
    """Add rows to a table from parts of a CSV file without a header; empty cells become NULL."""
    listed = SQL(", ").join(map(Identifier, columns))
    statement = SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv)").format(Identifier(table), listed)
    session.flush()
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            copy.write(block)


def _create_temporary_table(session: Session, name: str, columns: Mapping[str, str]) -> None:
    listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    session.flush()
    session.execute(text(f"DROP TABLE IF EXISTS {name}"))
    session.execute(text(f"CREATE TEMPORARY TABLE {name} ({listed}) ON COMMIT DROP"))


def _analyse(session: Session, name: str) -> None:
    """A temporary table has no statistics, and the planner would assume a few rows."""
    session.execute(text(f"ANALYZE {name}"))
