"""The current time.  Services take it as an argument; in the demo the city's clock may be ahead of the real time.

Pages are told the time of their host.  Background work reads that of the database: what a worker of a host whose clock is ahead
would publish too early, no other one could take back.
"""

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground.demo_clock import DemoClock

NOW, AHEAD = select(func.clock_timestamp()), select(DemoClock.ahead)
"""Built once: a sender asks several times a second."""


def real_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def city_time(ahead: dt.timedelta) -> dt.datetime:
    """The real time, plus what the clock of the demo is ahead of it."""
    return real_now() + ahead


def database_now(session: Session) -> dt.datetime:
    return session.execute(NOW).scalar_one().astimezone(dt.UTC)


def now(session: Session, *, demo: bool) -> dt.datetime:
    """The city's time by the clock of the database, in the demo plus the offset of the demo clock."""
    ahead = session.scalar(AHEAD) if demo else None
    return database_now(session) + (ahead or dt.timedelta())
