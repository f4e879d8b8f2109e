"""Rows of tables as text, so that two ways of writing them can be compared."""

import json
import re

from sqlalchemy import text

from enrollment.applications.claim_rows import SEALED_VALUE
from enrollment.ground.vault import row_name, unseal

IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

PLAIN_ROW = "to_jsonb(t) - ARRAY['number', 'id', 'turn', 'writer', 'written_at']"
"""A row as JSON without what the database gives to each anew."""


def rows_since(session, before: dict[str, set[str]], tables) -> dict[str, list[str]]:
    """The new rows of each table as JSON, without what chance and the order of writing gave them."""
    written = {}
    for table in tables:
        rows = session.scalars(text(f"SELECT {PLAIN_ROW} FROM {table} AS t")).all()
        fresh = [
            row for row in rows if json.dumps(row, sort_keys=True, ensure_ascii=False) not in before.get(table, set())
        ]
        told = map(opened, fresh) if table == "verified_fact" else fresh
        written[table] = sorted(IDS.sub("an id", json.dumps(row, sort_keys=True, ensure_ascii=False)) for row in told)
    return written


def rows_now(session, tables) -> dict[str, set[str]]:
    every = f"SELECT {PLAIN_ROW} FROM {{}} AS t"
    return {
        table: {json.dumps(r, sort_keys=True, ensure_ascii=False) for r in session.scalars(text(every.format(table)))}
        for table in tables
    }


def opened(finding: dict) -> dict:
    """A finding with what is sealed in it as it reads: a sealed value differs each time."""
    sealed, reason = (bytes.fromhex((finding[name] or "")[2:]) or None for name in ("sealed_value", "reason"))
    key = row_name(finding["application_id"], finding["fact"])
    value = SEALED_VALUE.opened(sealed, key)
    return finding | {"sealed_value": value, "reason": reason and unseal(reason, "verified_fact.reason", key)}


def without_seals(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    """Sealed values differ each time; the index of the number tells who it is."""
    children = [json.loads(row) for row in rows["roll_child"]]
    plain = [json.dumps({k: v for k, v in row.items() if k not in ("name", "id_number", "born")}) for row in children]
    return rows | {"roll_child": sorted(plain)}
