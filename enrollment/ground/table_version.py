"""Detect whether tables changed since they were read, without reading them again."""

from typing import Any

from sqlalchemy import ARRAY, BigInteger, String, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from enrollment.ground.db import Base

TableVersion = tuple[Any, ...]


def table_version(session: Session, *tables: type[Base]) -> TableVersion:
    """A value that changes whenever a row of the tables is added, changed or deleted.

    It combines the number of rows with the newest `xmin` and `cmin`, the transaction and command that wrote a row.  The
    query scans the row headers: suitable for thousands of rows, not for millions.
    """
    stamps: list[Any] = []
    for table in tables:
        written = [
            cast(cast(literal_column(f"{table.__mapper__.local_table}.{name}"), String), BigInteger)
            for name in ("xmin", "cmin")
        ]
        newest = func.max(array(written), type_=ARRAY(BigInteger))
        count, stamp = session.execute(select(func.count(), newest).select_from(table)).one()
        stamps += [count, *(stamp or ())]
    return tuple(stamps)
