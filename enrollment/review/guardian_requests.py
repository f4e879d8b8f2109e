"""A third guardian, or the removal of one, by a case with a paper that officials decide."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.phones import SealedPhone

PAPER_PURPOSE = "guardian_request.paper"


class GuardianRequest(Base):
    """What a case about guardians asks for: to add the holder of `phone`, or to remove `guardian_id`.

    `protected`: a protection order stands behind it, so the removed guardian is told nothing about where the child is.
    A removal needs two people: `proposed_by` is the first, who settles the case is the second.
    """

    __tablename__ = "guardian_request"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), unique=True)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), index=True)
    guardian_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("guardian.id"))
    phone: Mapped[str | None] = mapped_column(SealedPhone("guardian_request.phone"))
    protected: Mapped[bool]
    paper: Mapped[bytes] = mapped_column(LargeBinary, info={"sealed": PAPER_PURPOSE})
    paper_type: Mapped[str]
    proposed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[dt.datetime | None]

    __table_args__ = (CheckConstraint("(guardian_id IS NULL) <> (phone IS NULL)", name="removes_or_adds"),)
