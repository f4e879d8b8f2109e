"""Telling a family: one message for each guardian of the child, in the transaction of what it tells."""

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground import outbox
from enrollment.people.guardians import accounts_of


def tell_family(
    session: Session, application: Application, kind: str, *, now: dt.datetime, event: str | None = None, **params: Any
) -> None:
    """Write the messages; each guardian is told once of an `event`, by default of this version of the application."""
    event = event or f"{kind}:{application.id}:{application.version}"
    for account_id in accounts_of(session, application.child_id):
        outbox.tell(
            session,
            kind,
            account_id=account_id,
            key=f"{event}:{account_id}",
            now=now,
            child_id=application.child_id,
            application_id=application.id,
            **params,
        )


def tell_many(session: Session, application_ids: Collection[uuid.UUID], kind: str, *, now: dt.datetime) -> None:
    """The same for many families, each of this version of its application, in one statement."""
    session.flush()
    told = text("""
        INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at)
        SELECT gen_random_uuid(), :kind || ':' || application.id || ':' || application.version || ':' || guardian.account_id,
               :kind, guardian.account_id, application.child_id, application.id, '{}', :now
        FROM application
        JOIN guardianship ON guardianship.child_id = application.child_id AND guardianship.accepted_at IS NOT NULL
        JOIN guardian ON guardian.id = guardianship.guardian_id
        WHERE application.id = ANY(:ids)
        ON CONFLICT (key) DO NOTHING
    """)
    session.execute(told, {"kind": kind, "ids": list(application_ids), "now": now})
    outbox.send_soon(session, now=now)
