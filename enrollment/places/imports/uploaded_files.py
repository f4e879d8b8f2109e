"""The row of an uploaded file, stored encrypted between preview and confirmation."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base

KINDS = ("kindergartens", "programmes", "roll", "service-areas")


class ImportFile(Base):
    """`content` is encrypted, and deleted after the import, a discard, or a day."""

    __tablename__ = "import_file"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    name: Mapped[str]
    year: Mapped[int]
    digest: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, info={"sealed": "import_file.content"})
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),
        CheckConstraint("(done_at IS NULL) = (summary IS NULL)", name="done_with_a_summary"),
        Index("ix_import_file__made_by", "made_by", "made_at"),
    )
