"""What the senders say of themselves: a sign of life of each lane, and whether the gateway is down.

It is a row and not a key in the queue, which may lose its content.  Its times are real times, also in the demo.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.delivery.lanes import Lane
from enrollment.ground.db import Base
from enrollment.ground.outbox import DeliveryError


class SenderStatus(Base):
    """The last report of a lane; of several senders the last one counts."""

    __tablename__ = "sender_status"

    lane: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[dt.datetime]
    down_since: Mapped[dt.datetime | None]
    error: Mapped[str | None]


def report(
    session: Session, lane: Lane, *, seen_at: dt.datetime, down_since: dt.datetime | None, error: DeliveryError | None
) -> None:
    row = {"lane": lane, "seen_at": seen_at, "down_since": down_since, "error": error}
    statement = insert(SenderStatus).values(row).on_conflict_do_update(index_elements=["lane"], set_=row)
    session.execute(statement)


def of_lane(session: Session, lane: Lane) -> SenderStatus | None:
    return session.scalars(select(SenderStatus).where(SenderStatus.lane == lane)).one_or_none()
