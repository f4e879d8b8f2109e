"""Every row of the database as plain values, to compare what two ways to do the same act leave."""

from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.db import Base

DIFFERS = {
    "audit_entry": {"writer", "turn", "written_at"},
    "notice": {"id"},
    "job": {"id"},
}
"""Columns that differ from one time to the next."""
WITHOUT = {"done_once", "web_session"}
MARKS = "unserved_change"
"""Its rows only say that an application changed, once or several times."""
TALLY = "season_tally"
"""Its rows are differences; their sums count."""


def every_row(session: Session) -> dict[str, list[Any]]:
    """The rows of each table; those of an audit trail or a history in their order, without their numbers."""
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name in WITHOUT:
            continue
        numbered = "number" in table.c and table.c.number.identity is not None
        rows = session.execute(select(table).order_by(*([table.c.number] if numbered else []))).mappings()
        without = DIFFERS.get(table.name, set()) | ({"number"} if numbered else set())
        plain = [{name: value for name, value in row.items() if name not in without} for row in rows]
        if table.name == MARKS:
            plain = [{"year": year, "of": of} for year, of in {(row["year"], row["application_id"]) for row in plain}]
        if table.name == TALLY:
            plain = _summed(plain)
        found[table.name] = plain if numbered else sorted(plain, key=repr)
    return found


def _summed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sums: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        sums[row["year"], row["subject"], row["kindergarten_id"], row["state"]] += row["n"]
    return [{"of": of, "n": n} for of, n in sums.items() if n]
