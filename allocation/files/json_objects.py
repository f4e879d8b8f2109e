"""JSON objects as both verifiers read them: UTF-8, no NaN or Infinity; texts without unpaired surrogates."""

import json
from typing import Any

from allocation.faults import Fault, MarketFault


def parse_object(data: bytes, name: str) -> dict[str, Any]:
    """The object in a JSON file. Raises :class:`~allocation.faults.MarketFault` with one fault of the file ``name``."""
    try:
        found = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise MarketFault([Fault(name, -1, "", f"not JSON: {reason}")]) from None
    if not isinstance(found, dict):
        raise MarketFault([Fault(name, -1, "", "not a JSON object")])
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def is_text(value: object) -> bool:
    """Whether a value is a text that UTF-8 can hold; JSON can also write one half of a surrogate pair."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def is_digest(value: object) -> bool:
    """Whether a value is 64 hexadecimal digits in lower case."""
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")
