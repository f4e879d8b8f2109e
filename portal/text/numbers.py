"""Whole numbers in forms, addresses and headers: read in one place, because much of what looks like a number is none.

`"²".isdigit()` is true and `int("²")` raises; `int` raises for 5,000 digits too; and a number that is larger than its column
makes the database raise.
"""

import functools
from typing import TypeVar

T = TypeVar("T")

INTEGER, BIGINT = 2**31 - 1, 2**63 - 1
"""The largest numbers of the database's types."""


def whole_number(text: str, most: int = INTEGER) -> int:
    """The number that decimal digits write, also those of a Chinese keyboard, at most `most`.  Raises ValueError for any other text."""
    if not (text.isdecimal() and len(text) <= len(str(most))):
        raise ValueError("no whole number")
    number = int(text)
    if number > most:
        raise ValueError("too large a number")
    return number


large_number = functools.partial(whole_number, most=BIGINT)
"""For columns that count every row of a large table."""


def number_or(text: str | None, otherwise: T) -> int | T:
    """The whole number in a text, or `otherwise`."""
    try:
        return whole_number(text or "")
    except ValueError:
        return otherwise
