"""Telling a family: one message for each guardian of the child, in the transaction of what it tells."""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from enrollment.families.application_rows import Application
from enrollment.families.people import accounts_of
from enrollment.ground import notices


def tell_family(
    session: Session, application: Application, kind: str, *, now: dt.datetime, event: str | None = None, **params: Any
) -> None:
    """Write the messages; each guardian is told once of an `event`, by default of this version of the application."""
    event = event or f"{kind}:{application.id}:{application.version}"
    for account_id in accounts_of(session, application.child_id):
        notices.tell(
            session,
            kind,
            account_id=account_id,
            key=f"{event}:{account_id}",
            now=now,
            child_id=application.child_id,
            application_id=application.id,
            **params,
        )
