"""Signs of life of the processes that do background work.

They are rows and not keys in the queue, which may lose its content.  Their times are those of the database's clock, also
in the demo.
"""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import String, delete, func
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base

CLOCK = "clock"
"""What a scheduler serves; a worker serves queues."""

FORGOTTEN_AFTER = dt.timedelta(days=1)
"""A process that was killed leaves its row for so long."""


class BackgroundProcess(Base):
    """A process that lives, or was killed: its name, what it serves (names of queues, or `CLOCK`), and when it said so."""

    __tablename__ = "background_process"

    name: Mapped[str] = mapped_column(primary_key=True)
    serves: Mapped[list[str]] = mapped_column(ARRAY(String))
    seen_at: Mapped[dt.datetime]


def report(session: Session, name: str, serves: Iterable[str]) -> None:
    """Say that the process `name` lives and what it serves; forget those that are long gone."""
    row = {"name": name, "serves": list(serves), "seen_at": func.clock_timestamp()}
    session.execute(insert(BackgroundProcess).values(row).on_conflict_do_update(index_elements=["name"], set_=row))
    session.execute(delete(BackgroundProcess).where(BackgroundProcess.seen_at < func.now() - FORGOTTEN_AFTER))


def leave(session: Session, name: str) -> None:
    """The process has ended in order."""
    session.execute(delete(BackgroundProcess).where(BackgroundProcess.name == name))
