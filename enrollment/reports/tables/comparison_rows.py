"""What the last comparison with a file of the national roll found, by kindergarten and by child.

The file itself is not kept, nor anything about children who are in that file alone.
"""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class Difference(Base):
    """A difference of a child on roll, found by every comparison from `since` on."""

    __tablename__ = "roll_difference"

    roll_child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("roll_child.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    school_year: Mapped[int]
    since: Mapped[dt.date]

    __table_args__ = (Index("ix_roll_difference__kindergarten", "kindergarten_id", "school_year"),)


class Comparison(Base):
    """The newest comparison: `here` children were on roll, `there` in the file, `missing_here` in the file alone."""

    __tablename__ = "roll_comparison"

    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"), primary_key=True)
    school_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    here: Mapped[int]
    there: Mapped[int]
    missing_here: Mapped[int]
    compared_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    compared_at: Mapped[dt.datetime]

    __table_args__ = (CheckConstraint("here >= 0 AND there >= 0 AND missing_here >= 0", name="not_negative"),)
