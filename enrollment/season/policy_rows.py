"""The row of a policy: text, digest, and the times of dry run, signature and withdrawal."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class Policy(Base):
    """An area's rules for a year.  The text never changes; a correction is a new version."""

    __tablename__ = "policy"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"))
    year: Mapped[int] = mapped_column(ForeignKey("season.year"))
    version: Mapped[int]
    text: Mapped[str]
    digest: Mapped[str]
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    dry_run_at: Mapped[dt.datetime | None]
    signed_at: Mapped[dt.datetime | None]
    withdrawn_at: Mapped[dt.datetime | None]

    __table_args__ = (
        UniqueConstraint("area_code", "year", "version"),
        CheckConstraint("signed_at IS NULL OR dry_run_at IS NOT NULL", name="signed_after_a_dry_run"),
        Index(
            "uq_policy__one_in_force",
            "area_code",
            "year",
            unique=True,
            postgresql_where=sql("signed_at IS NOT NULL AND withdrawn_at IS NULL"),
        ),
    )
