"""The row of a case 申诉/争议, and its kinds and outcomes."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.vault import Sealed


class CaseKind(StrEnum):
    GUARDIANS_DISPUTE = "guardians_dispute"
    APPEAL = "appeal"
    DISABILITY = "disability"
    REGISTER_DISPUTE = "register_dispute"
    ADD_GUARDIAN = "add_guardian"
    REMOVE_GUARDIAN = "remove_guardian"


class CaseOutcome(StrEnum):
    SETTLED = "settled"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


KINDS = tuple(CaseKind)
OUTCOMES = tuple(CaseOutcome)


class Case(Base):
    """A case.  An open case has a due date, `due_at`, and one officer, whose name the family is told.

    A guardians' dispute keeps the application on hold from `held_at` to `hold_ended_at`.
    """

    __tablename__ = "case_file"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"), index=True)
    child_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    text: Mapped[str] = mapped_column(Sealed("case_file.text"))
    opened_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    officer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    held_at: Mapped[dt.datetime | None]
    hold_ended_at: Mapped[dt.datetime | None]
    settled_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),)
