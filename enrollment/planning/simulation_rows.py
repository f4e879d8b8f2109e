"""The row of a simulation 重算: a plan played through by the engine with the families of a published round."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.planning.plan_rows import PlanState

STATES = (PlanState.RUNNING, PlanState.DONE, PlanState.REFUSED)


class PlanSimulation(Base):
    """The newest simulation of a plan.  `result` names the measures and the numbers it was made for, so that one of an
    earlier search is never shown beside a later plan."""

    __tablename__ = "plan_simulation"

    plan_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("measure_plan.id"), primary_key=True)
    state: Mapped[str] = mapped_column(default=PlanState.RUNNING)
    asked_at: Mapped[dt.datetime]
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
    ended_at: Mapped[dt.datetime | None]

    __table_args__ = (CheckConstraint("state IN ('" + "','".join(STATES) + "')", name="known_state"),)
