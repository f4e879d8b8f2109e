"""Seal what a migration left readable: it has no keys and stores a text after a zero byte, and private codes as they are.

A batch is a transaction of the caller, so an interrupted run continues with what is left.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import LargeBinary, String, and_, bindparam, cast, func, inspect, literal, select, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from enrollment.ground import vault
from enrollment.ground.db import Base
from enrollment.ground.key_rotation import SealedColumn
from enrollment.ground.sealed.codes import KeyedCode, KeyedJson, tokens
from enrollment.ground.sealed.values import Sealed, row_of
from enrollment.ground.vault import UNSEALED

BATCH = 5000
ADD_ONLY = ("application_version", "audit_entry")
"""Tables whose rows are never changed: their old rows keep the codes that they were written with."""


def seal_texts(session: Session, column: SealedColumn) -> int:
    """Seal one batch of a column; return how many values, 0 when nothing is left."""
    kind = column.column.type
    if not isinstance(kind, Sealed) or column.column.name not in _columns_there(session, column.table.name):
        return 0
    left = func.substring(column.value, 1, 1) == literal(UNSEALED, LargeBinary)
    rows = session.execute(select(*column.key, column.value).where(left).limit(BATCH).with_for_update()).all()
    same = and_(*(part == bindparam(f"key_{part.name}", type_=part.type) for part in column.key))
    fresh = update(column.table).where(same).values({column.column: bindparam("sealed", type_=LargeBinary)})
    sealed = [
        {f"key_{part.name}": value for part, value in zip(column.key, key, strict=True)}
        | {"sealed": _sealed(column, kind.text_of(bytes(text)[1:].decode()), key)}
        for *key, text in rows
    ]
    if sealed:
        session.connection().execute(fresh, sealed)
    return len(sealed)


def _sealed(column: SealedColumn, text: str, key: Sequence[Any]) -> bytes:
    return vault.seal(text, column.purpose, row_of(column.table, key))


def key_codes(session: Session) -> None:
    """Replace the private codes that stand readable in columns of codes by their tokens."""
    for table in Base.metadata.sorted_tables:
        if table.name in ADD_ONLY:
            continue
        there = _columns_there(session, table.name)
        for column in table.columns:
            if column.name not in there:
                continue
            if isinstance(column.type, KeyedCode):
                for code, token in tokens().items():
                    plain = type_coerce(column, String)
                    session.execute(update(table).where(plain == code).values({column: literal(token, String)}))
            elif isinstance(column.type, KeyedJson):
                for code, token in tokens().items():
                    _key_texts(session, column, f'"{code}"', f'"{token}"')


def _columns_there(session: Session, table: str) -> set[str]:
    """The columns of a table in the database, which may be older than the models."""
    there = inspect(session.connection())
    return {column["name"] for column in there.get_columns(table)} if there.has_table(table) else set()


def _key_texts(session: Session, column: Any, code: str, token: str) -> None:
    text = cast(column, String)
    keyed = cast(func.replace(text, code, token), JSONB)
    session.execute(update(column.table).where(text.contains(code)).values({column: keyed}))
