"""Leases that are over: what a test needs in the place of waiting for the clock of the database."""

import datetime as dt
import uuid

from sqlalchemy import update
from sqlalchemy.orm import Session

from enrollment.ground.jobs import Job


def end_lease(session: Session, job: uuid.UUID, *, ago: dt.timedelta = dt.timedelta(seconds=1)) -> None:
    """The lease of the job, or its time in the queue, ended so long ago."""
    session.execute(update(Job).where(Job.id == job).values(lease_until=dt.datetime.now(dt.UTC) - ago))
