"""Collect rows of the demo city by table and write them together; calling a service per family would take hours."""

import uuid
from typing import Any

from numpy.random import Generator
from sqlalchemy.orm import Session

from enrollment.ground.bulk_copy import copy_in


class RowBatch:
    """`columns` maps each table, in the order of writing, to its columns.  Ids come from `random`, so a seed fixes them."""

    columns: dict[str, tuple[str, ...]]

    def __init__(self, random: Generator):
        self.random = random
        self.rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in self.columns}

    def write(self, session: Session) -> None:
        for table, rows in self.rows.items():
            copy_in(session, table, self.columns[table], rows)
            rows.clear()

    def _add(self, table: str, *values: Any) -> None:
        self.rows[table].append(values)

    def _id(self) -> uuid.UUID:
        return uuid.UUID(bytes=self.random.bytes(16), version=4)
