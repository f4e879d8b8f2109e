"""Sealed columns: values that are stored encrypted, each bound to its column and its row.

A value needs its row to be sealed and to be opened.  A query therefore reads it with the primary key of its row before it
(`column_expression`), and a statement that writes it gets the key from the row that it writes (`row_binding`).  Code that
passes by both, with COPY or written SQL, calls `sealed` and `opened` with the row.
"""

import datetime as dt
import functools
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Label, LargeBinary, Table, func, literal_column, type_coerce
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.types import TypeDecorator

from enrollment.ground import vault
from enrollment.ground.sealed.codes import KeyedCode, token_of
from enrollment.ground.vault import Row

LENGTHS = 64
"""JSON is filled with spaces to a multiple of this length, so that the length of the sealed value tells no code."""
EMPTY = b""
END_OF_KEY = b"\x00"
"""Between the name of the row and the value; no text of PostgreSQL contains it, and no value begins with a printed character."""
_END_OF_KEY: ColumnElement[bytes] = literal_column(r"'\x00'::bytea", LargeBinary)


@dataclass(frozen=True, slots=True)
class InRow:
    """A value on its way into this row."""

    value: Any
    row: str


class Sealed(TypeDecorator):
    """A text column that is stored sealed.  `purpose` is `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str):
        super().__init__()
        self.purpose = purpose

    def text_of(self, stored: str) -> str:
        """The text to seal for a value that a migration left as text."""
        return stored

    def to_text(self, value: Any) -> str:
        """A value of Python as the text that is sealed."""
        return str(value)

    def from_text(self, text: str) -> Any:
        return text

    def sealed(self, value: Any, row: Row) -> bytes | None:
        """What is stored for a value in this row."""
        return None if value is None else vault.seal(self.to_text(value), self.purpose, row)

    def opened(self, stored: bytes | None, row: Row) -> Any:
        """The value of what is stored in this row."""
        return None if stored is None else self.from_text(vault.unseal(bytes(stored), self.purpose, row))

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The name of the row before the value, in the outermost SELECT or RETURNING."""
        source = column.element if isinstance(column, Label) else column
        row = func.convert_to(func.concat_ws("|", *row_key(source)), "UTF8")
        return type_coerce(row.op("||")(_END_OF_KEY).op("||")(source), self)

    def process_bind_param(self, value: Any, dialect: Any) -> bytes | None:
        if value is None:
            return None
        if not isinstance(value, InRow):
            raise vault.VaultError(f"{self.purpose} is sealed for one row, and this statement does not say for which")
        return self.sealed(value.value, value.row)

    def process_result_value(self, value: bytes | None, dialect: Any) -> Any:
        if value is None:
            return None
        row, found, stored = bytes(value).partition(END_OF_KEY)
        if not found:
            raise vault.VaultError(f"a value of {self.purpose} was read without its row")
        return self.opened(stored, row.decode())


class SealedDate(Sealed):
    """A date."""

    cache_ok = True

    def to_text(self, value: dt.date) -> str:
        return value.isoformat()

    def from_text(self, text: str) -> dt.date:
        return dt.date.fromisoformat(text)


class SealedDecimal(Sealed):
    """A number, rounded to `places` after the point."""

    cache_ok = True

    def __init__(self, purpose: str, places: int):
        super().__init__(purpose)
        self.places = places

    def to_text(self, value: Decimal | float) -> str:
        return f"{Decimal(str(value)):.{self.places}f}"

    def from_text(self, text: str) -> Decimal:
        return Decimal(text)


class SealedJson(Sealed):
    """A JSON value.  None is NULL; an empty object is stored as no bytes."""

    cache_ok = True

    def text_of(self, stored: str) -> str:
        return self.to_text(json.loads(stored))

    def to_text(self, value: Any) -> str:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text + " " * (-len(text.encode()) % LENGTHS)

    def from_text(self, text: str) -> Any:
        return json.loads(text)

    def sealed(self, value: Any, row: Row) -> bytes | None:
        return EMPTY if value == {} else super().sealed(value, row)

    def opened(self, stored: bytes | None, row: Row) -> Any:
        return {} if stored is not None and not stored else super().opened(stored, row)


def row_key(column: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """The primary key beside a column, in its table, an alias of it, or a subquery that has the key too."""
    (stored,) = column.base_columns or (None,)
    source = getattr(column, "table", None)
    table = getattr(stored, "table", None)
    if not isinstance(table, Table) or source is None:
        raise InvalidRequestError(f"{column} is sealed: it is read as a column of its table, or as LargeBinary")
    found = [source.corresponding_column(part) for part in table.primary_key]
    if any(part is None for part in found):
        raise InvalidRequestError(f"{column} is sealed: the subquery has to select the primary key of {table.name} too")
    return found


def row_of(table: FromClause, key: Any) -> str:
    """The name of the row with this primary key, in the order of its columns."""
    parts = zip(_has_keyed_codes(table), key, strict=True)
    return vault.row_name(*(token_of(str(part)) if is_keyed else part for is_keyed, part in parts))


@functools.cache
def _has_keyed_codes(table: FromClause) -> tuple[bool, ...]:
    """Of each column of the primary key, whether it stores a token instead of the code."""
    return tuple(isinstance(column.type, KeyedCode) for column in table.primary_key)
