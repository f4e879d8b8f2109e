"""The register of data, read from `data_register.toml`: for every column, how much it tells about a person."""

import tomllib
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("data_register.toml")
DEGREES = ("sealed", "indexed", "keyed", "personal", "key", "plain")
IMPERSONAL = ("key", "plain")
"""The degrees of columns that may stand in a log or in an error report."""


@cache
def register() -> dict[str, dict]:
    """The entry of each table, by its name."""
    return tomllib.loads(FILE.read_text("utf-8"))


@cache
def impersonal_columns(table: str) -> frozenset[str]:
    """The columns of a table that say nothing about a person; none of a table that the register does not know."""
    entry = register().get(table, {})
    return frozenset(column for degree in IMPERSONAL for column in entry.get(degree, ()))
