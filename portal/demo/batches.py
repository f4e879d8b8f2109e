"""Rows of the demo city, collected by table and written together: calling service functions would take hours."""

import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from numpy.random import Generator
from sqlalchemy.orm import Session

from enrollment.ground.bulk_copy import copy_rows

IDS_AT_ONCE = 1000

Rows = dict[str, list[tuple[Any, ...]]]


class RowBatch:
    """`columns` names each table's columns, in the order of writing.  Ids come from `random`: one seed, one city."""

    columns: dict[str, tuple[str, ...]]

    def __init__(self, random: Generator):
        self.random = random
        self._ids: list[bytes] = []
        self.rows: Rows = {table: [] for table in self.columns}

    def write(self, session: Session) -> None:
        _copy(session, self.columns, self.take())

    def take(self) -> Rows:
        """The rows by table; the batch begins anew."""
        taken, self.rows = self.rows, {table: [] for table in self.columns}
        return taken

    def _add(self, table: str, *values: Any) -> None:
        self.rows[table].append(values)

    def _id(self) -> uuid.UUID:
        if not self._ids:
            drawn = self.random.bytes(16 * IDS_AT_ONCE)
            self._ids = [drawn[start : start + 16] for start in range(0, len(drawn), 16)]
        return uuid.UUID(bytes=self._ids.pop(), version=4)


def _copy(session: Session, columns: Mapping[str, tuple[str, ...]], taken: Rows) -> None:
    for table, rows in taken.items():
        copy_rows(session, table, columns[table], rows)


class WritingBeside:
    """Writes the rows of a batch in a thread of its own while the caller computes the next ones (`writing_beside`)."""

    def __init__(self, session: Session, pool: ThreadPoolExecutor):
        self._session, self._pool = session, pool
        self._last: Future[None] | None = None

    def write(self, batch: RowBatch) -> None:
        """Begin to write what the batch holds, after what was written before it."""
        self.wait()
        self._last = self._pool.submit(_copy, self._session, batch.columns, batch.take())

    def wait(self) -> None:
        """Raises what kept the last batch from being written."""
        if self._last is not None:
            self._last.result()


@contextmanager
def writing_beside(session: Session) -> Iterator[WritingBeside]:
    """PostgreSQL works on one batch while Python computes the next.  Until the end, nobody else may use the session."""
    with ThreadPoolExecutor(1) as pool:
        writing = WritingBeside(session, pool)
        yield writing
        writing.wait()
