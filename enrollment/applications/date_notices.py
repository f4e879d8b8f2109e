"""Notifies every family with a live application of a changed date."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.applications.notifications import notify_guardians
from enrollment.ground.city_time import format_time


def tell_new_date(
    session: Session,
    year: int,
    step: str,
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    *,
    key: str,
    now: dt.datetime,
    after: uuid.UUID | None = None,
    limit: int = 1000,
) -> uuid.UUID | None:
    """Notify the guardians of the next applications by id: those after `after`, at most `limit`.

    Returns the last application's id, None when all are notified.  Each guardian gets one message for `key`, however often
    this runs.
    """
    live = select(Application.id).where(Application.year == year, Application.stage.not_in(DEAD_STAGES))
    if after is not None:
        live = live.where(Application.id > after)
    ids = session.scalars(live.order_by(Application.id).limit(limit)).all()
    days: dict[str, Any] = {"begins_at": format_time(begins_at), "ends_at": format_time(ends_at)}
    notify_guardians(session, f"new_date_{step}", ids, now=now, event=key, **days)
    return ids[-1] if len(ids) == limit else None
