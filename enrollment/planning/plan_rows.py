"""The row of a plan 规划方案."""

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class PlanState(StrEnum):
    """A draft was not solved since its last change; `stopped` keeps the best plan of the search."""

    DRAFT = "draft"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    REFUSED = "refused"


class MeasurePlan(Base):
    """`question` is what was asked, `locks` what officials decided about single measures by code.  `basis` are the numbers
    the search began with and `result` what it found, so that a plan can be checked later whatever has changed since.  A plan
    that was asked without one promise of another one names that plan (`relaxed_from`) and the promise (`relaxed`)."""

    __tablename__ = "measure_plan"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    question: Mapped[dict[str, Any]] = mapped_column(JSONB)
    locks: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    state: Mapped[str] = mapped_column(default=PlanState.DRAFT)
    version: Mapped[int] = mapped_column(default=1)
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    basis: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
    solved_at: Mapped[dt.datetime | None]
    proposed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[dt.datetime | None]
    signed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    signed_at: Mapped[dt.datetime | None]
    relaxed_from: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("measure_plan.id"))
    relaxed: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("state IN ('" + "','".join(PlanState) + "')", name="known_state"),
        CheckConstraint("length(name) > 0", name="has_a_name"),
        CheckConstraint("(proposed_by IS NULL) = (proposed_at IS NULL)", name="proposed_by_somebody"),
        CheckConstraint("(signed_by IS NULL) = (signed_at IS NULL)", name="signed_by_somebody"),
        CheckConstraint("signed_by IS NULL OR proposed_by IS NOT NULL", name="proposed_first"),
        CheckConstraint("signed_by <> proposed_by", name="second_person"),
        CheckConstraint("(relaxed_from IS NULL) = (relaxed IS NULL)", name="relaxed_of_a_plan"),
    )
