"""Key rotation: encrypt sealed values again with the current key, so that an old key can be removed.

Each batch is a transaction of the caller, so an interrupted rotation continues with the values that still use another
key.  A value that changes meanwhile is already sealed with the current key.  Blind indexes use a separate key and do
not change.
"""

import base64
import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    Table,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from enrollment.ground import audit, maintenance_permits, vault
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.db import Base
from enrollment.ground.sealed.values import Sealed, row_of
from enrollment.ground.sign_in import WebSession

BATCH = 200
APPEND_ONLY_TABLE = "application_version"
"""The only append-only table with a sealed column: its batches need a maintenance permit."""

IN_SESSIONS = "web_session.data"
"""No rotation seals these again: they are over with their sessions."""


@dataclass(frozen=True)
class SealedColumn:
    """`purpose` and the row are the associated data of its values.  `is_file`: they are bytes and not text."""

    table: Table
    column: Column[Any]
    purpose: str
    is_file: bool = False

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column.name}"

    @property
    def key(self) -> list[Column[Any]]:
        return list(self.table.primary_key.columns)

    @property
    def value(self) -> ColumnElement[bytes]:
        return type_coerce(self.column, LargeBinary)

    def sealed_with(self, name: str, *, newest: bool = False) -> ColumnElement[bool]:
        """SQL condition: sealed with the named key; with `newest` in the form that new values have."""
        versions = (vault.BOUND,) if newest else (vault.VERSION, vault.BOUND)
        starts = [vault.key_prefix(name, version) for version in versions]
        return or_(
            *(
                func.substring(self.value, 1, len(start)) == bindparam("start", start, type_=LargeBinary, unique=True)
                for start in starts
            )
        )

    def sealed_again(self, value: bytes, key: Sequence[Any]) -> bytes:
        """The value of the row with this primary key, sealed for it with the current key."""
        row = row_of(self.table, key)
        if self.is_file:
            return vault.seal_file(vault.unseal_file(value, self.purpose, row), self.purpose, row)
        return vault.seal(vault.unseal(value, self.purpose, row), self.purpose, row)


def sealed_columns() -> list[SealedColumn]:
    """Every sealed column: those of type `Sealed`, and files that a service function seals."""
    found = []
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Sealed):
                found.append(SealedColumn(table, column, column.type.purpose))
            elif purpose := column.info.get("sealed"):
                found.append(SealedColumn(table, column, purpose, "file" in column.info))
    return found


def rotate_batch(
    session: Session, sealed: SealedColumn, *, after: tuple = (), now: dt.datetime, limit: int = BATCH
) -> tuple | None:
    """Seal one batch again; return the key of its last row for `after`, None if nothing was left."""
    other = and_(func.length(sealed.value) > 0, ~sealed.sealed_with(vault.current_key_name(), newest=True))
    found = select(*sealed.key, sealed.value.label("value")).where(other).order_by(*sealed.key).limit(limit)
    if after:
        found = found.where(tuple_(*sealed.key) > tuple_(*after))
    rows = session.execute(found).all()
    if not rows:
        return None
    if sealed.table.name == APPEND_ONLY_TABLE:
        maintenance_permits.grant_permit(session, "reseal")
    done = 0
    for *key, value in rows:
        fresh = sealed.sealed_again(bytes(value), key)
        same = and_(
            *(column == part for column, part in zip(sealed.key, key, strict=True)), sealed.value == bytes(value)
        )
        written = update(sealed.table).where(same).values({sealed.column: type_coerce(fresh, LargeBinary)})
        done += session.execute(written).rowcount  # type: ignore[attr-defined]
    audit.record(session, "reseal", "sealed_column", sealed.name, by=SYSTEM, now=now, rows=done)
    session.flush()
    return tuple(rows[-1][:-1])


def count_sealed_with(session: Session, name: str) -> Counter[str]:
    """Number of values sealed with the named key, by column, including those that live sessions hold (`IN_SESSIONS`)."""
    counted: Counter[str] = Counter()
    for sealed in sealed_columns():
        count = select(func.count()).select_from(sealed.table).where(sealed.sealed_with(name))
        counted[sealed.name] = session.scalar(count) or 0
    counted[IN_SESSIONS] = _count_in_sessions(session, vault.key_prefix(name))
    return +counted


def count_unbound(session: Session) -> Counter[str]:
    """Number of values from before they were bound to their row, by column.  `rotate_batch` binds them."""
    counted: Counter[str] = Counter()
    for sealed in sealed_columns():
        before = func.substring(sealed.value, 1, 1) == literal(bytes([vault.VERSION]), LargeBinary)
        counted[sealed.name] = session.scalar(select(func.count()).select_from(sealed.table).where(before)) or 0
    return +counted


def _count_in_sessions(session: Session, start: bytes) -> int:
    """Number of values with this first bytes in sessions that somebody can still go on with.  A session names none of them."""
    each = func.jsonb_each_text(WebSession.data).table_valued("key", "value").lateral()
    whole = base64.b64encode(start[: len(start) // 3 * 3]).decode()
    found = select(each.c.value).select_from(WebSession).join(each, true())
    alive = found.where(WebSession.expires_at > func.now(), each.c.value.startswith(whole))
    return sum(_decoded(text).startswith(start) for text in session.scalars(alive))


def _decoded(text: str) -> bytes:
    """The bytes of a sealed value of a session; none of a text that is not one."""
    with contextlib.suppress(ValueError):
        return base64.b64decode(text, validate=True)
    return b""
