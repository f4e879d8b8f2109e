"""The clock of the demo: its offset from the real time.  The table is empty outside the demo."""

import datetime as dt

from sqlalchemy import CheckConstraint, Interval
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class DemoClock(Base):
    """At most one row: `ahead` is added to the real time."""

    __tablename__ = "demo_clock"

    single: Mapped[bool] = mapped_column(primary_key=True, default=True)
    ahead: Mapped[dt.timedelta] = mapped_column(Interval)

    __table_args__ = (CheckConstraint("single", name="one_row"),)
