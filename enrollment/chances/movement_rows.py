"""The rows of the movement 候补机会 of a round: how often each waiting child got a place in many supposed replays.

There is one estimate for a round, made from its newest published run; a newer one replaces it.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read


class MovementEstimate(Base):
    """`dates` are `{"step": …, "at": …}`, the earliest first.  `years` are the years whose families show how many give up
    a place; `answers` is how many of their answers were counted.
    """

    __tablename__ = "movement_estimate"

    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"), primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"))
    made_at: Mapped[dt.datetime]
    dates: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    years: Mapped[list[int]] = mapped_column(JSONB)
    answers: Mapped[int]

    __table_args__ = (
        CheckConstraint("answers > 0 AND jsonb_array_length(dates) > 0", name="of_something"),
        Index("ix_movement_estimate__run_id", "run_id"),
    )


class MovementChance(Base):
    """Of a waiting child.  `replays` has for each date the number of replays in which it took part, `placed` how many of
    them gave it this wish: `{"1": [3, 12], "2": [40, 95]}`, by the number of the wish.
    """

    __tablename__ = "movement_chance"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    round_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("movement_estimate.round_id", ondelete="CASCADE"), primary_key=True
    )
    replays: Mapped[list[int]] = mapped_column(JSONB)
    placed: Mapped[dict[str, list[int]]] = mapped_column(JSONB)

    __table_args__ = (Index("ix_movement_chance__round_id", "round_id"),)


ESTIMATES = Read(MovementEstimate, MovementEstimate.round_id)

CHANCES = Read(MovementChance, MovementChance.application_id)
"""What was counted for a child, in every round."""
