"""Telling many families at once: one message for each guardian of each child, in the outbox of the same transaction."""

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.city_time import written
from enrollment.ground.outbox import Notice
from enrollment.people.guardians import Guardian, Guardianship

__all__ = ["About", "tell_families", "tell_selected", "written"]

BATCH = 2000

About = tuple[uuid.UUID, uuid.UUID, str, dict[str, Any]]
"""Child, application, key of the event, and the codes and numbers for the words."""


def tell_families(session: Session, kind: str, about: Iterable[About], *, now: dt.datetime) -> int:
    """Write the messages; each event once for each guardian, however often it is told.  Returns how many rows were tried."""
    waiting, told = list(about), 0
    for start in range(0, len(waiting), BATCH):
        part = waiting[start : start + BATCH]
        accounts = _guardians(session, [child_id for child_id, *_ in part])
        rows = [
            {
                "id": uuid.uuid4(),
                "key": f"{key}:{account_id.hex}",
                "kind": kind,
                "account_id": account_id,
                "child_id": child_id,
                "application_id": application_id,
                "params": params,
                "created_at": now,
            }
            for child_id, application_id, key, params in part
            for account_id in accounts.get(child_id, ())
        ]
        if rows:
            session.execute(insert(Notice).on_conflict_do_nothing(index_elements=["key"]), rows)
        told += len(rows)
    if told:
        jobs.enqueue(session, "send_notices", key=f"send_notices:{kind}:{now.isoformat()}", now=now)
    return told


def tell_selected(
    session: Session,
    kind: str,
    about: str,
    values: Mapping[str, Any],
    *,
    now: dt.datetime,
    params: Mapping[str, Any] | None = None,
) -> int:
    """The same for rows that stay in the database: `about` selects `child_id`, `application_id` and the event's `key`."""
    told = text(f"""
        INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at)
        SELECT gen_random_uuid(), about.key || ':' || replace(CAST(guardian.account_id AS text), '-', ''), :kind,
               guardian.account_id, about.child_id, about.application_id, CAST(:params AS jsonb), :now
        FROM ({about}) AS about
        JOIN guardianship ON guardianship.child_id = about.child_id AND guardianship.accepted_at IS NOT NULL
        JOIN guardian ON guardian.id = guardianship.guardian_id
        ON CONFLICT (key) DO NOTHING
    """)  # noqa: S608 (`about` is ours, its values are not part of it)
    session.flush()
    more = {"kind": kind, "params": json.dumps(params or {}), "now": now}
    count = session.execute(told, {**values, **more}).rowcount  # type: ignore[attr-defined]
    if count:
        jobs.enqueue(session, "send_notices", key=f"send_notices:{kind}:{now.isoformat()}", now=now)
    return count


def _guardians(session: Session, child_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    accounts: dict[uuid.UUID, list[uuid.UUID]] = {}
    rows = (
        select(Guardianship.child_id, Guardian.account_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardianship.child_id.in_(child_ids), Guardianship.accepted_at.is_not(None))
    )
    for child_id, account_id in session.execute(rows.order_by(Guardianship.since)):
        accounts.setdefault(child_id, []).append(account_id)
    return accounts
