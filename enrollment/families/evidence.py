"""Evidence 证明材料: pages that a family uploads for a ground, re-encoded and sealed at rest."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class EvidencePage(Base):
    """One page of one document.  `content` is the sealed file; `original_digest` tells a double upload."""

    __tablename__ = "evidence_page"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"))
    document: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    original_digest: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    uploaded_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]

    __table_args__ = (
        UniqueConstraint(
            "application_id", "document", "original_digest", "removed_at", postgresql_nulls_not_distinct=True
        ),
        Index("ix_evidence_page__application", "application_id", "document"),
    )
