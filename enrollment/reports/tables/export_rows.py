"""The table of files with names: who asked for one and why, and the second person who agreed."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class ReportExport(Base):
    """One file that was asked for.  It is made when it is fetched, and never kept."""

    __tablename__ = "report_export"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    report: Mapped[str]
    year: Mapped[int]
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    reason: Mapped[str]
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[dt.datetime | None]
    agreed: Mapped[bool | None]

    __table_args__ = (
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="second_person"),
        CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (agreed IS NULL)",
            name="decided_whole",
        ),
        Index("ix_report_export__open", "kindergarten_id", postgresql_where=text("decided_at IS NULL")),
    )
