"""A statement that does a whole act of a family: prepared, sent by libpq, and a transaction of its own.

One statement is one transaction: all of its rows are committed when its answer comes, or none.  BEGIN and COMMIT around it are two
round trips more, and SQLAlchemy and psycopg's cursor take longer than its answer (ADR 83).
"""

import functools
from collections.abc import Mapping
from itertools import count
from typing import Any, cast

from psycopg import Connection, Error, IntegrityError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from enrollment.ground.reading.prepared_read import numbered, tell

_numbers = count()


class ConnectionLost(Exception):
    """The connection broke before the answer came: nobody knows whether the act is done."""


class PreparedWrite:
    """`statement`: SQL that changes rows and answers with one row or none; `%(name)s` stands for what is given later."""

    def __init__(self, statement: str):
        self.statement = statement
        self._names, self._text = numbered(statement)
        self._prepared: dict[tuple[int, ...], bytes] = {}
        """The name of the prepared statement, for each combination of types that was given: NULL and an array without members have none."""

    def commit(self, engine: Engine, values: Mapping[str, Any]) -> list[bytes | None] | None:
        """Do the act over a connection of the pool: the columns of its row as text, None without a row.

        Raises IntegrityError of psycopg if a constraint refused it, ConnectionLost, or what SQLAlchemy raises for any other refusal of
        PostgreSQL.  In all cases but ConnectionLost nothing was written.
        """
        try:
            pooled = engine.raw_connection()
        except Error as fault:
            raise ConnectionLost from fault
        try:
            tell(engine, pooled.dbapi_connection, self.statement, values)
            answer = self._answer(pooled, values)
        except ConnectionLost:
            pooled.invalidate()
            raise
        except IntegrityError:  # before its base class
            raise
        except Error as fault:
            raise DBAPIError.instance(
                self.statement, None, fault, Error, hide_parameters=True, dialect=engine.dialect
            ) from fault
        finally:
            pooled.close()
        return [answer.get_value(0, column) for column in range(answer.nfields)] if answer.ntuples else None

    def _answer(self, pooled: PoolProxiedConnection, values: Mapping[str, Any]) -> PGresult:
        driver = cast("Connection[Any]", pooled.driver_connection)
        known: set[bytes] = pooled.info.setdefault("prepared_writes", set())
        adapted = Transformer.from_context(driver)
        given: Any = adapted.dump_sequence([values[name] for name in self._names], [PyFormat.AUTO] * len(self._names))
        name = self._prepared.setdefault(adapted.types or (), f"portal_write_{next(_numbers)}".encode())
        for _attempt in range(2):
            if name not in known:
                _accept(driver, driver.pgconn.prepare(name, self._text, adapted.types), ExecStatus.COMMAND_OK)
                known.add(name)
            try:
                answer = driver.pgconn.exec_prepared(name, given, adapted.formats)
                return _accept(driver, answer, ExecStatus.TUPLES_OK)
            except InvalidSqlStatementName:  # forgotten after a rollback, as `PreparedRead` says
                known.discard(name)
        raise AssertionError("a statement that was just prepared is not there")


def _accept(driver: "Connection[Any]", answer: PGresult, status: ExecStatus) -> PGresult:
    if answer.status == status:
        return answer
    if driver.pgconn.status != ConnStatus.OK:
        raise ConnectionLost
    raise error_from_result(answer)


@functools.cache
def prepared(statement: str) -> PreparedWrite:
    """The prepared form of one of the statements of this package; they are constants, so that there are few."""
    return PreparedWrite(statement)
