"""The rows of grades and of the kindergartens that hold them."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enrollment.ground.db import Base

LONGEST_NAME, LONGEST_DOCUMENT = 40, 200


class Grade(Base):
    """A grade of the code list.  `high_quality` grades count toward the year's target; a list shows the smallest `position` first.

    A grade that is not `in_use` is given to nobody any more; who holds it keeps it.
    """

    __tablename__ = "grade"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    high_quality: Mapped[bool]
    position: Mapped[int]
    in_use: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (CheckConstraint("length(name) > 0 AND length(name_en) > 0", name="has_names"),)


class HeldGrade(Base):
    """A kindergarten holds a grade from the day `since` until `until`, the first day without it (None: it still holds it).

    `document` is the notice that gave it.  Rows are never deleted: a grade entered by mistake ends on the day it begins.
    """

    __tablename__ = "held_grade"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    grade_code: Mapped[str] = mapped_column(ForeignKey("grade.code"))
    since: Mapped[dt.date]
    until: Mapped[dt.date | None]
    document: Mapped[str | None]
    entered_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    entered_at: Mapped[dt.datetime]

    grade: Mapped[Grade] = relationship(lazy="joined")

    __table_args__ = (
        CheckConstraint("until >= since", name="ends_after_it_begins"),
        Index(
            "uq_held_grade__held_once", "kindergarten_id", "grade_code", unique=True,
            postgresql_where=text("until IS NULL"),
        ),
        Index("ix_held_grade__kindergarten_id", "kindergarten_id"),
    )  # fmt: skip

    @property
    def was_mistake(self) -> bool:
        return self.until == self.since
