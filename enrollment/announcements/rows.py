"""The tables of announcements.  A version is never changed after it was approved; a correction is a new version."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class Announcement(Base):
    """`area_code` None: of the whole city.  A withdrawn one stays readable at its address, with the reason."""

    __tablename__ = "announcement"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    area_code: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    made_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    withdraw_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL) = (withdraw_reason IS NULL)",
            name="withdrawn_whole",
        ),
    )


class AnnouncementVersion(Base):
    """What an announcement says from `publish_at` on, once it is approved.  `city_wide` is that of the announcement."""

    __tablename__ = "announcement_version"

    announcement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("announcement.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    city_wide: Mapped[bool]
    title_zh: Mapped[str]
    title_en: Mapped[str]
    body_zh: Mapped[str]
    body_en: Mapped[str]
    publish_at: Mapped[dt.datetime]
    written_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    written_at: Mapped[dt.datetime]
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    approved_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("number > 0", name="counted_from_one"),
        CheckConstraint("(approved_at IS NULL) = (approved_by IS NULL)", name="approved_whole"),
        CheckConstraint("NOT city_wide OR approved_by <> written_by", name="second_person"),
    )

    @property
    def public_from(self) -> dt.datetime | None:
        """When it begins to count: at its hour, or at the approval if that came later; None before it."""
        return None if self.approved_at is None else max(self.publish_at, self.approved_at)

    def counts(self, now: dt.datetime) -> bool:
        return self.public_from is not None and self.public_from <= now

    def title(self, language: str) -> str:
        return self.title_en if language == "en" else self.title_zh

    def body(self, language: str) -> str:
        return self.body_en if language == "en" else self.body_zh
