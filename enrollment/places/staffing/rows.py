"""The rows of staff counts."""

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base

MOST_STAFF = 500


class StaffCount(Base):
    """The staff of a kindergarten on a day: full-time teachers 专任教师 and carers 保育员, as numbers.

    Rows are only added: of two for one day the one entered later counts.
    """

    __tablename__ = "staff_count"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    day: Mapped[dt.date]
    teachers: Mapped[int]
    carers: Mapped[int]
    entered_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    entered_at: Mapped[dt.datetime]

    __table_args__ = (
        CheckConstraint(
            f"teachers BETWEEN 0 AND {MOST_STAFF} AND carers BETWEEN 0 AND {MOST_STAFF}", name="sane_numbers"
        ),
        Index("ix_staff_count__newest", "kindergarten_id", "day", "id"),
    )
