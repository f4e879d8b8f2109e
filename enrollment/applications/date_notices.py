"""Every family with a live application is told of a new date."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import guardians_account
from enrollment.applications.applications import DEAD_STAGES, Application
from enrollment.ground import outbox
from enrollment.ground.city_time import written


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
    """Write one notice for each application after `after`, at most `limit`; the last one's id, None when all are told.

    Each family is told once for `key`, however often this runs.
    """
    live = select(Application.id, guardians_account().label("guardian"), Application.child_id).where(
        Application.year == year, Application.stage.not_in(DEAD_STAGES)
    )
    if after is not None:
        live = live.where(Application.id > after)
    rows = session.execute(live.order_by(Application.id).limit(limit)).all()
    for row in rows:
        outbox.tell(
            session,
            f"new_date_{step}",
            account_id=row.guardian,
            key=f"{key}:{row.id}",
            now=now,
            child_id=row.child_id,
            application_id=row.id,
            begins_at=written(begins_at),
            ends_at=written(ends_at),
        )
    return rows[-1].id if len(rows) == limit else None
