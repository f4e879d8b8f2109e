"""Rows of the demo city, collected by table and written together: calling service functions would take hours."""

import uuid
from typing import Any

from numpy.random import Generator
from sqlalchemy.orm import Session

from enrollment.ground.bulk_copy import copy_rows

IDS_AT_ONCE = 1000


class RowBatch:
    """`columns` names each table's columns, in the order of writing.  Ids come from `random`: one seed, one city."""

    columns: dict[str, tuple[str, ...]]

    def __init__(self, random: Generator):
        self.random = random
        self._ids: list[bytes] = []
        self.rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in self.columns}

    def write(self, session: Session) -> None:
        for table, rows in self.rows.items():
            copy_rows(session, table, self.columns[table], rows)
            rows.clear()

    def _add(self, table: str, *values: Any) -> None:
        self.rows[table].append(values)

    def _id(self) -> uuid.UUID:
        if not self._ids:
            drawn = self.random.bytes(16 * IDS_AT_ONCE)
            self._ids = [drawn[start : start + 16] for start in range(0, len(drawn), 16)]
        return uuid.UUID(bytes=self._ids.pop(), version=4)
