"""The current time.  Services take it as an argument; in the demo the city's clock may be ahead of the real time."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.demo_clock import DemoClock


def real_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def city_time(ahead: dt.timedelta) -> dt.datetime:
    """The real time, plus what the clock of the demo is ahead of it."""
    return real_now() + ahead


def now(session: Session, *, demo: bool) -> dt.datetime:
    """The city's time in this transaction: the real time, in the demo plus the offset of the demo clock."""
    ahead = session.scalar(select(DemoClock.ahead)) if demo else None
    return city_time(ahead or dt.timedelta())
