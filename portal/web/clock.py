"""The current time.  Services take it as an argument; in the demo the city's clock may be ahead of the real time.

Background work reads the clock of the database: what a worker of a host whose clock is ahead would publish too early, no other
one could take back.  A request goes by the same clock, whose time comes with its first statement (`reading.request_read`), so
that deadlines, hours and leases are the same on every host; only a page that reads nothing is told the time of its host.  What opens for
good needs both clocks (`JobRun.witnessed_now`).
"""

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground.demo_clock import DemoClock

NOW, AHEAD = select(func.clock_timestamp()), select(DemoClock.ahead)
"""Built once: a sender asks several times a second."""

MOST_DIFFERENCE = dt.timedelta(seconds=5)
"""Between the clocks of a host and of the database; more is told to the operator."""

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def real_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def of_epoch(microseconds: int) -> dt.datetime:
    """The time that the database told with a statement, in microseconds since 1970."""
    return EPOCH + dt.timedelta(microseconds=microseconds)


def database_now(session: Session) -> dt.datetime:
    return session.execute(NOW).scalar_one().astimezone(dt.UTC)


def database_is_ahead(session: Session) -> dt.timedelta:
    """How far the clock of the database is ahead of this host's; less than nothing where it is behind."""
    return database_now(session) - real_now()


def now(session: Session, *, demo: bool) -> dt.datetime:
    """The city's time by the clock of the database, in the demo plus the offset of the demo clock."""
    ahead = session.scalar(AHEAD) if demo else None
    return database_now(session) + (ahead or dt.timedelta())
