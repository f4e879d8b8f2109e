"""The declarative base, the naming convention of constraints, and `open_engine`."""

import datetime as dt
import functools
import os
import time
import uuid
from typing import Any

from sqlalchemy import Column, DateTime, Dialect, Engine, MetaData, String, Uuid, create_engine, event, inspect
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry

from enrollment.ground.data_register import impersonal_columns
from enrollment.ground.sealed import row_binding

NAMES = {
    "ix": "ix_%(table_name)s__%(column_0_N_name)s",
    "uq": "uq_%(table_name)s__%(column_0_N_name)s",
    "ck": "ck_%(table_name)s__%(constraint_name)s",
    "fk": "fk_%(table_name)s__%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
TRUSTED = 1.0
"""Seconds after its last use within which a connection is taken to be alive."""

TELL_ROWS_APART = {"code", "kind", "level", "nature", "number", "role", "stage", "state", "year"}
"""Columns that `repr` shows beside the primary key, where they are about nobody."""


class Base(DeclarativeBase):
    """The base of every row.

    Columns for codes (a stage, a state, a role …) are plain text with a CHECK, typed `Mapped[str]`, and code compares them
    with members of a `StrEnum`.  A member equals its text, so rows that are read or written by COPY, by Core statements
    or by written SQL need no conversion, and a list of a whole city costs no Python call for each value.
    """

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {
        dt.datetime: DateTime(timezone=True),
        str: String,
        uuid.UUID: Uuid,
    }

    def __repr__(self) -> str:
        """The class, the primary key, and what tells rows apart, without personal data: it may stand in a log.

        Columns that the register of data calls personal, sealed or indexed never appear.  Nothing is loaded for it: what
        is not loaded is left out.
        """
        state = inspect(self)
        values = dict(zip((column.name for column in state.mapper.primary_key), state.identity or (), strict=False))
        values |= {
            attribute.columns[0].name: state.dict[attribute.key]
            for attribute in state.mapper.column_attrs
            if attribute.key in state.dict and isinstance(attribute.columns[0], Column)
        }
        keys = {column.name for column in state.mapper.primary_key}
        told = impersonal_columns(str(self.__table__)) & (keys | TELL_ROWS_APART)
        shown = [f"{name}={value}" for name, value in values.items() if name in told and value is not None]
        return f"<{' '.join([type(self).__name__, *shown])}>"


event.listen(Base, "before_insert", row_binding.give_key, propagate=True)


def open_engine(url: str, **options) -> Engine:
    """An engine with psycopg 3, in UTC, that waits for a lock for at most ten seconds.

    Its error messages contain no parameters, because these may be personal data.  A connection that was used within
    `TRUSTED` is not tried before it is used again, and one from before a fork never is: each process has its own.
    """
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    settings = "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=120s"
    engine = create_engine(address, hide_parameters=True, connect_args={"options": settings}, **options)
    event.listen(engine, "before_execute", row_binding.bind_rows, retval=True)
    event.listen(engine, "connect", _remember_process)
    event.listen(engine, "checkout", functools.partial(_try_connection, engine.dialect))
    event.listen(engine, "checkin", _remember_use)
    return engine


def _remember_process(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["process"] = os.getpid()
    record.info["used"] = time.monotonic()


def _remember_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _try_connection(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
    """Have the pool open another connection where this one is another process's, or was lost while it waited."""
    if record.info["process"] != os.getpid():
        record.dbapi_connection = proxy.dbapi_connection = None  # type: ignore[misc]
        raise DisconnectionError("a connection of another process")
    if time.monotonic() - record.info["used"] < TRUSTED:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as fault:
        raise InvalidatePoolError from fault
