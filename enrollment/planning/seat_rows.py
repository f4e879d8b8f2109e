"""The row of a search for the places that help most."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.planning.plan_rows import PlanState

FEWEST, MOST = 1, 2_000
"""Places that a search may give away."""


class SeatSearch(Base):
    """`places` are given away `step` at a time over the families of a round, each step judged by the mean of `draws`."""

    __tablename__ = "seat_search"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    places: Mapped[int]
    step: Mapped[int]
    draws: Mapped[int]
    state: Mapped[str] = mapped_column(default=PlanState.RUNNING)
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    ended_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('running','done','stopped','refused')", name="known_state"),
        CheckConstraint(f"places BETWEEN {FEWEST} AND {MOST} AND step BETWEEN 1 AND places", name="some_places"),
        CheckConstraint("draws BETWEEN 1 AND 100", name="some_draws"),
    )
