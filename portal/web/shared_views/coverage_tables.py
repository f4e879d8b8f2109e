"""A table of the open data of the two shares as CSV and as JSON."""

import datetime as dt
from typing import Any

from enrollment.coverage.open_data import Table
from enrollment.places import spreadsheets


def csv(table: Table) -> bytes:
    head = [column.name for column in table.columns]
    return spreadsheets.to_csv(head, [list(map(_cell, row)) for row in table.rows])


def rows(table: Table) -> list[dict[str, Any]]:
    """A JSON object for each row."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in table.rows]


def _plain(value: Any) -> Any:
    """A cell of JSON: numbers stay numbers."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str) and value.replace(".", "", 1).replace("-", "", 1).isdecimal() and "." in value:
        return float(value)
    return value


def _cell(value: Any) -> Any:
    """A cell of CSV as CSVW reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value.isoformat() if isinstance(value, dt.date) else value
