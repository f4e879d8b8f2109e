"""The rows of the places ledger (append-only) and of plan proposals."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.places.approvals.papers import ApprovalPaper
from enrollment.places.class_plan import LevelPlan
from enrollment.places.programmes import Programme

REASON_APPROVED, REASON_IMPORTED, REASON_FROM_ROLL = "approved", "import:", "roll"
REASON_CLASS_LOSS = "class_loss"
"""Reasons of the system: the current numbers were approved; a list was imported (followed by its name); by the roll; the area
signed the loss of a class."""

LICENCE = "licensed_classes"
"""The field of an entry about the kindergarten's licence; the programme has no such column."""

NO_LICENCE = "none"
"""Its value where no licence is on record."""

DECISIONS = ("approved", "sent_back", "replaced")


class LedgerEntry(Base):
    """A change of `field`, a column of the programme (or `state`, `pool:<code>`, `LICENCE`), from `before` to `after`."""

    __tablename__ = "ledger_entry"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), index=True)
    at: Mapped[dt.datetime]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    field: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str]
    reason: Mapped[str]
    paper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("approval_paper.id"))

    paper: Mapped[ApprovalPaper | None] = relationship(lazy="selectin")


class PlanProposal(Base):
    """Numbers that a kindergarten proposes.  A programme has at most one open proposal; the area decides."""

    __tablename__ = "plan_proposal"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), index=True)
    numbers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str]
    paper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("approval_paper.id"))
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    decision: Mapped[str | None]
    remark: Mapped[str | None]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[dt.datetime | None]

    programme: Mapped[Programme] = relationship(lazy="joined")
    paper: Mapped[ApprovalPaper | None] = relationship(lazy="selectin")

    __table_args__ = (
        CheckConstraint("decision IN ('" + "','".join(DECISIONS) + "')", name="known_decision"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided_at_a_time"),
        Index("uq_plan_proposal__one_open", "programme_id", unique=True, postgresql_where=text("decision IS NULL")),
    )

    @property
    def plan(self) -> LevelPlan:
        return LevelPlan(**self.numbers)


def add_entry(
    session: Session,
    programme: Programme,
    field: str,
    before: object,
    after: object,
    *,
    account_id: uuid.UUID | None,
    now: dt.datetime,
    reason: str,
    paper_id: uuid.UUID | None = None,
) -> None:
    """Add one entry to the ledger; `paper_id` is the approval that it rests on."""
    session.add(
        LedgerEntry(
            programme_id=programme.id,
            at=now,
            account_id=account_id,
            field=field,
            before=None if before is None else str(before),
            after=str(after),
            reason=reason,
            paper_id=paper_id,
        )
    )
