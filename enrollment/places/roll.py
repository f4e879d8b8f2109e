"""The roll 在园名册: classes of a kindergarten in a school year, kept as child rows or as a count, never both."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.vault import Sealed
from enrollment.places.areas import LEVELS


class RollClass(Base):
    """A class.  `school_year` 2025 begins in September 2025.  `counted` is the number of children when `kept_as` is `count`."""

    __tablename__ = "roll_class"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    school_year: Mapped[int]
    level: Mapped[str]
    name: Mapped[str]
    kept_as: Mapped[str]
    counted: Mapped[int | None]
    as_of: Mapped[dt.date]

    __table_args__ = (
        UniqueConstraint("kindergarten_id", "school_year", "name"),
        UniqueConstraint("id", "kept_as"),
        Index("ix_roll_class__year", "school_year", "kindergarten_id"),
        CheckConstraint("level IN ('" + "','".join(LEVELS) + "','mixed')", name="known_level"),
        CheckConstraint(
            "kept_as IN ('rows','count') AND (kept_as = 'count') = (counted IS NOT NULL)", name="rows_or_count"
        ),
        CheckConstraint("counted IS NULL OR counted >= 0", name="not_negative"),
    )


class RollChild(Base):
    """A child on roll.  It can only stand in a class that is kept as rows."""

    __tablename__ = "roll_child"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    class_id: Mapped[uuid.UUID]
    kept_as: Mapped[str] = mapped_column(default="rows")
    name: Mapped[str] = mapped_column(Sealed("roll_child.name"))
    id_number: Mapped[str | None] = mapped_column(Sealed("roll_child.id_number"))
    id_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    born: Mapped[dt.date | None]
    entered_on: Mapped[dt.date]
    left_on: Mapped[dt.date | None]
    leave_reason: Mapped[str | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["class_id", "kept_as"], ["roll_class.id", "roll_class.kept_as"], name="fk_roll_child__class"
        ),
        CheckConstraint("kept_as = 'rows'", name="only_in_classes_kept_as_rows"),
        Index("ix_roll_child__class", "class_id"),
        Index("uq_roll_child__on_roll_once", "id_index", unique=True, postgresql_where=text("left_on IS NULL")),
    )
