"""The clock of the demo: its offset from the real time.  The table is empty outside the demo."""

import datetime as dt

from sqlalchemy import CheckConstraint, Interval, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base


class DemoClock(Base):
    """At most one row: `ahead` is added to the real time."""

    __tablename__ = "demo_clock"

    single: Mapped[bool] = mapped_column(primary_key=True, default=True)
    ahead: Mapped[dt.timedelta] = mapped_column(Interval)

    __table_args__ = (CheckConstraint("single", name="one_row"),)


_PERMIT_CLOCK = """
    CREATE OR REPLACE FUNCTION permit_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT clock_timestamp(){ahead}
    $$
"""
_AHEAD = " + coalesce((SELECT ahead FROM demo_clock), interval '0')"


def set_permit_clock(session: Session, *, demo: bool) -> None:
    """Judge maintenance permits by the clock of the database alone, in the demo by the moved clock.

    Only the owner of the tables can do it: a role that writes rows cannot open the door of retention with them.
    """
    session.execute(text(_PERMIT_CLOCK.format(ahead=_AHEAD if demo else "")))


def permit_clock_is_moved(session: Session) -> bool:
    """Whether maintenance permits are judged by anything but the clock of the database."""
    body = session.scalar(text("SELECT prosrc FROM pg_proc WHERE oid = 'permit_clock()'::regprocedure")) or ""
    return body.strip() != "SELECT clock_timestamp()"
