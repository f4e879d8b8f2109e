"""Sealed columns with other values than text: dates, numbers and JSON."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from enrollment.ground.vault import Sealed

LENGTHS = 64
"""JSON is filled with spaces to a multiple of this length, so that the length of the sealed value tells no code."""
EMPTY = b""


class SealedDate(Sealed):
    """A date."""

    cache_ok = True

    def process_bind_param(self, value: dt.date | None, dialect: Any) -> bytes | None:
        return super().process_bind_param(None if value is None else value.isoformat(), dialect)

    def process_result_value(self, value: bytes | None, dialect: Any) -> dt.date | None:
        text = super().process_result_value(value, dialect)
        return None if text is None else dt.date.fromisoformat(text)


class SealedDecimal(Sealed):
    """A number, rounded to `places` after the point."""

    cache_ok = True

    def __init__(self, purpose: str, places: int):
        super().__init__(purpose)
        self.places = places

    def process_bind_param(self, value: Decimal | float | None, dialect: Any) -> bytes | None:
        return super().process_bind_param(None if value is None else decimal_text(value, self.places), dialect)

    def process_result_value(self, value: bytes | None, dialect: Any) -> Decimal | None:
        text = super().process_result_value(value, dialect)
        return None if text is None else Decimal(text)


class SealedJson(Sealed):
    """A JSON value.  None is NULL; an empty object is stored as no bytes."""

    cache_ok = True

    def text_of(self, stored: str) -> str:
        return json_text(json.loads(stored))

    def process_bind_param(self, value: Any, dialect: Any) -> bytes | None:
        if value == {}:
            return EMPTY
        return super().process_bind_param(None if value is None else json_text(value), dialect)

    def process_result_value(self, value: bytes | None, dialect: Any) -> Any:
        if value is not None and not value:
            return {}
        text = super().process_result_value(value, dialect)
        return None if text is None else json.loads(text)


def decimal_text(value: Decimal | float, places: int) -> str:
    """The number as it is sealed."""
    return f"{Decimal(str(value)):.{places}f}"


def json_text(value: Any) -> str:
    """The JSON text as it is sealed."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text + " " * (-len(text.encode()) % LENGTHS)
