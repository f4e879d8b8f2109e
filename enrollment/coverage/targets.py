"""Targets of the city or an area for a year, in percent of all children."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class Target(Base):
    """A target; without an area it is that of the city.  `percent` is a whole number: 51 and 82 this year."""

    __tablename__ = "target"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"))
    area_code: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    share: Mapped[str]
    percent: Mapped[int]

    __table_args__ = (
        UniqueConstraint("year", "area_code", "share", postgresql_nulls_not_distinct=True),
        CheckConstraint("share IN ('public','inclusive')", name="known_share"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="sane_percent"),
    )
