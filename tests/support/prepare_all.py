"""All batches of a run's preparation in the caller's transaction; the worker has a transaction for each of them."""

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from enrollment.draw.publication import preparation
from enrollment.ground.accounts import Actor


def prepare_all(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    """Prepare a signed run for its hour; how many offers wait for it."""
    for part in preparation.parts(session, run_id):
        preparation.prepare_part(session, run_id, part, by=by)
    return preparation.finish(session, run_id, now=now)
