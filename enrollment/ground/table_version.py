"""Whether what was read from a table still stands, without reading it again."""

from typing import Any

from sqlalchemy import ARRAY, BigInteger, String, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from enrollment.ground.db import Base

State = tuple[Any, ...]


def state_of(session: Session, *tables: type[Base]) -> State:
    """A value that is another one as soon as a row of the tables was added, changed or taken away.

    PostgreSQL stamps each row with the transaction and the command that wrote it, and counts transactions once for a
    whole server.  It looks at the head of every row, which is much less than reading them; for thousands, not millions.
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
