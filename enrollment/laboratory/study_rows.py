"""The rows of the laboratory: a study 对比, and its variants with their results."""

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enrollment.ground.db import Base


class StudyState(StrEnum):
    """A draft has not been drawn since its last change; `stopped` keeps the variants that were ready."""

    DRAFT = "draft"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    REFUSED = "refused"


class LaboratoryStudy(Base):
    """Variants over the families of one round.  `policy_id` is the version whose dry run it belongs to; `children` and `fitted` are those of the last drawing."""

    __tablename__ = "laboratory_study"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    policy_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("policy.id"), index=True)
    draws: Mapped[int]
    seed: Mapped[int]
    state: Mapped[str] = mapped_column(default=StudyState.DRAFT)
    version: Mapped[int] = mapped_column(default=1)
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    drawn_at: Mapped[dt.datetime | None]
    children: Mapped[int | None]
    fitted: Mapped[bool | None]

    variants: Mapped[list["LaboratoryVariant"]] = relationship(
        back_populates="study", order_by="LaboratoryVariant.number", cascade="all, delete-orphan"
    )

    __table_args__ = (
        CheckConstraint("state IN ('" + "','".join(StudyState) + "')", name="known_state"),
        CheckConstraint("draws BETWEEN 2 AND 1000", name="some_draws"),
        CheckConstraint("length(name) > 0", name="has_a_name"),
    )


class LaboratoryVariant(Base):
    """A variant of a study; the first one is what the others are compared with.  `result` is None until it is drawn."""

    __tablename__ = "laboratory_variant"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    study_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("laboratory_study.id", ondelete="CASCADE"))
    number: Mapped[int]
    variant: Mapped[dict[str, Any]] = mapped_column(JSONB)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    study: Mapped[LaboratoryStudy] = relationship(back_populates="variants")

    __table_args__ = (UniqueConstraint("study_id", "number", name="uq_laboratory_variant__number"),)
