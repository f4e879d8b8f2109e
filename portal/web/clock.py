"""What time it is.  Only the portal asks; in the demo the city may live ahead of the real time."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.demo_clock import DemoClock


def real_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def now(session: Session, *, demo: bool) -> dt.datetime:
    """The city's time in this transaction: the real one, plus what the demo's clock is ahead."""
    ahead = session.scalar(select(DemoClock.ahead)) if demo else None
    return real_now() + (ahead or dt.timedelta())
