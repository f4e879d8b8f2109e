"""A statement that only reads and that every page sends: prepared, and without a transaction where none has begun.

SQLAlchemy begins a transaction for a single SELECT, describes its result and commits: two round trips more, and as much
time again in Python.  `PreparedRead` sends the text with psycopg over a connection of the pool.  Each statement of
PostgreSQL sees one state of the database with or without a transaction (READ COMMITTED), so a page reads the same.
A session that has begun a transaction, or is bound to one connection, reads in it, and so sees what it has written.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from psycopg import Connection, Error, RawCursor
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.orm import Session

PARAMETER = re.compile(r"%(?:%|\((\w+)\)s)")


class PreparedRead:
    """`statement`: SQL with `%(name)s` for what is given later, as `read_ahead.compiled` writes it."""

    def __init__(self, statement: str):
        self.statement = statement
        self.names: list[str] = []
        self._text = PARAMETER.sub(self._numbered, statement).encode()

    def _numbered(self, found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}"

    def one(self, session: Session, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The only row of a statement that always has one.  Raises NoResultFound without it."""
        found = self.one_or_none(session, values)
        if found is None:
            raise NoResultFound
        return found

    def one_or_none(self, session: Session, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The only row; None without one.  Before a transaction it is read again if the connection was lost."""
        engine = session.get_bind()
        if session.in_transaction() or not isinstance(engine, Engine):
            return self._in_transaction(session, values)
        try:
            pooled = engine.raw_connection()
        except Error:
            return self._once_more(session, values)
        try:
            driver = cast(Connection[Any], pooled.driver_connection)
            _tell(engine, driver, self.statement, values)
            driver.autocommit = True
            try:
                return self._sent(driver, values)
            finally:
                if not driver.closed:
                    driver.autocommit = False
        except Error:
            pooled.invalidate()
        finally:
            pooled.close()
        return self._once_more(session, values)

    def _sent(self, driver: Connection[Any], values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        cursor = RawCursor(driver)
        cursor.execute(self._text, [values[name] for name in self.names], prepare=True)
        return cast(tuple[Any, ...] | None, cursor.fetchone())

    def _once_more(self, session: Session, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Read with SQLAlchemy, whose errors the portal's pages know.  The first one ends all lost connections of the pool."""
        try:
            return self._in_transaction(session, values)
        except DBAPIError as lost:
            if not lost.connection_invalidated:
                raise
            session.rollback()
            return self._in_transaction(session, values)

    def _in_transaction(self, session: Session, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        found = session.connection().exec_driver_sql(self.statement, dict(values)).one_or_none()
        return None if found is None else tuple(found)


def _tell(engine: Engine, driver: Connection[Any], statement: str, values: Mapping[str, Any]) -> None:
    """Tell who listens to the statements of this engine, as SQLAlchemy would."""
    for listener in engine.dispatch.before_cursor_execute:
        listener(driver, None, statement, values, None, False)
