"""A statement that only reads and that every page sends: prepared, and without a transaction where none has begun.

SQLAlchemy begins a transaction for a single SELECT, describes its result and commits: two round trips more, and as much
time again in Python.  psycopg's cursor waits for an answer in Python, which costs more than the answer.  `PreparedRead` sends
the text with libpq over a connection of the pool and waits there (ADR 59).  The answer is one JSON value, so that nothing has
to be known about the types of columns.

Each statement of PostgreSQL sees one state of the database with or without a transaction (READ COMMITTED), so a page reads the
same.  A session that has begun a transaction, or is bound to one connection, reads in it, and so sees what it has written.
"""

import json
import logging
import re
import uuid
from collections.abc import Mapping
from itertools import count
from typing import Any, cast

from psycopg import Connection, Error, OperationalError
from psycopg.pq import DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

NO_SUCH_STATEMENT = b"26000"
"""The SQLSTATE of a prepared statement that is not there."""
SENT = "prepared_reads"
"""How many statements of this kind a session has sent, in its `info`."""

PARAMETER = re.compile(r"%(?:%|\((\w+)\)s)")
_numbers = count()
_log = logging.getLogger(__name__)


def numbered(statement: str) -> tuple[list[str], bytes]:
    """The names of a statement's `%(name)s` in their order, and its text with `$1` instead, as libpq wants it."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return names, PARAMETER.sub(number, statement).encode()


class PreparedRead:
    """`statement`: SQL for rows with one column of JSON, with `%(name)s` for what is given later (an id, bytes, or NULL), as
    `read_ahead.compiled` writes it."""

    def __init__(self, statement: str):
        self.statement = statement
        self.names, self._text = numbered(statement)
        self._name = f"portal_read_{next(_numbers)}".encode()
        self._formats = [Format.BINARY] * len(self.names)

    def one(self, session: Session, values: Mapping[str, uuid.UUID | bytes | None]) -> Any:
        """The value of a statement that always has a row.  Raises NoResultFound without it."""
        found = self.one_or_none(session, values)
        if found is None:
            raise NoResultFound
        return found

    def one_or_none(self, session: Session, values: Mapping[str, uuid.UUID | bytes | None]) -> Any:
        """The value of the only row; None without one.  Before a transaction it is read again if the connection was lost."""
        found = self._read(session, values)
        return json.loads(found) if isinstance(found, bytes) else found

    def text(self, session: Session, values: Mapping[str, uuid.UUID | bytes | None]) -> bytes:
        """The value of a statement that always has a row, as JSON in UTF-8.  Raises NoResultFound without it."""
        found = self._read(session, values)
        if found is None:
            raise NoResultFound
        return found if isinstance(found, bytes) else json.dumps(found).encode()

    def _read(self, session: Session, values: Mapping[str, uuid.UUID | bytes | None]) -> Any:
        """The value, still as JSON in bytes where libpq read it; None without a row."""
        session.info[SENT] = session.info.get(SENT, 0) + 1
        engine = session.get_bind()
        if session.in_transaction() or not isinstance(engine, Engine):
            return self._in_transaction(session, values)
        try:
            pooled = engine.raw_connection()
        except Error:
            return self._once_more(session, values)
        try:
            tell(engine, pooled.dbapi_connection, self.statement, values)
            return self._sent(pooled, values)
        except Error as fault:
            if str(fault):  # PostgreSQL said why, which the long way would hide
                _log.warning("prepared read refused with %s, read once more: %.60s", fault, self.statement)
            pooled.invalidate()
        finally:
            pooled.close()
        return self._once_more(session, values)

    def _sent(self, pooled: PoolProxiedConnection, values: Mapping[str, uuid.UUID | bytes | None]) -> bytes | None:
        """Raises an Error of psycopg.  What was wrong is told by SQLAlchemy, which reads once more."""
        libpq = cast(Connection[Any], pooled.driver_connection).pgconn
        known: set[bytes] = pooled.info.setdefault("prepared_reads", set())
        given: list[Any] = [
            value.bytes if isinstance(value, uuid.UUID) else value for value in map(values.get, self.names)
        ]
        answer = self._executed(libpq, given) if self._name in known else None
        if answer is not None and answer.error_field(DiagnosticField.SQLSTATE) == NO_SUCH_STATEMENT:
            # psycopg lets PostgreSQL forget every prepared statement of a connection when it rolls a transaction back; another
            # read may have been prepared since, so each one finds out by itself
            known.discard(self._name)
            answer = None
        if answer is None:
            self._accept(libpq.prepare(self._name, self._text), ExecStatus.COMMAND_OK)
            known.add(self._name)
            answer = self._executed(libpq, given)
        self._accept(answer, ExecStatus.TUPLES_OK)
        return answer.get_value(0, 0) if answer.ntuples else None

    def _accept(self, answer: PGresult, status: ExecStatus) -> None:
        """Raise an error that names the SQLSTATE, if PostgreSQL has sent one: a lost connection has none."""
        if answer.status != status:
            raise OperationalError((answer.error_field(DiagnosticField.SQLSTATE) or b"").decode())

    def _executed(self, libpq: PGconn, given: list[Any]) -> PGresult:
        return libpq.exec_prepared(self._name, given, self._formats)

    def _once_more(self, session: Session, values: Mapping[str, uuid.UUID | bytes | None]) -> Any:
        """Read with SQLAlchemy, whose errors the portal's pages know.  The first one ends all lost connections of the pool."""
        try:
            return self._in_transaction(session, values)
        except DBAPIError as lost:
            if not lost.connection_invalidated:
                raise
            session.rollback()
            return self._in_transaction(session, values)

    def _in_transaction(self, session: Session, values: Mapping[str, uuid.UUID | bytes | None]) -> Any:
        return session.connection().exec_driver_sql(self.statement, dict(values)).scalar_one_or_none()


def tell(engine: Engine, driver: DBAPIConnection | None, statement: str, values: Mapping[str, Any]) -> None:
    """Tell who listens to the statements of this engine, as SQLAlchemy would."""
    for listener in engine.dispatch.before_cursor_execute:
        listener(driver, None, statement, values, None, False)
