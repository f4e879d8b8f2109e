"""The declarative base, the naming convention of constraints, and how an engine is opened."""

import datetime as dt
import uuid

from sqlalchemy import DateTime, Engine, MetaData, String, Uuid, create_engine
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(table_name)s__%(column_0_N_name)s",
    "uq": "uq_%(table_name)s__%(column_0_N_name)s",
    "ck": "ck_%(table_name)s__%(constraint_name)s",
    "fk": "fk_%(table_name)s__%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {
        dt.datetime: DateTime(timezone=True),
        str: String,
        uuid.UUID: Uuid,
    }


def open_engine(url: str, **options) -> Engine:
    """An engine that speaks psycopg 3, in UTC, and never waits for a lock longer than ten seconds.

    What it says of a fault holds no values: they may be a person's.
    """
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    settings = "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=120s"
    return create_engine(
        address, pool_pre_ping=True, hide_parameters=True, connect_args={"options": settings}, **options
    )
