"""Many rows at once: COPY in the caller's transaction, because a run stores a row for every wish of the city."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from psycopg.sql import SQL, Identifier
from sqlalchemy.orm import Session


def copy_in(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows to a table.  A dict is written as JSON; every other value as psycopg writes it."""
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), SQL(", ").join(map(Identifier, columns)))
    session.flush()
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([json.dumps(value) if isinstance(value, dict) else value for value in row])
