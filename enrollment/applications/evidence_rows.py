"""The table of evidence pages 证明材料, and their lists without the content."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.codes import KeyedCode

MOST_PAGES = 12
"""Pages of one document; a residence book has about eight."""


class EvidencePage(Base):
    """One page of one document.  `content` is the encrypted file; `original_digest` detects a repeated upload."""

    __tablename__ = "evidence_page"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"))
    document: Mapped[str] = mapped_column(KeyedCode)
    media_type: Mapped[str]
    size: Mapped[int]
    original_digest: Mapped[str]
    content: Mapped[bytes] = mapped_column(
        LargeBinary, deferred=True, info={"sealed": "evidence_page.content", "file": True}
    )
    blurred: Mapped[bool | None]
    """Whether the photo looked too blurred to read when it came; None in rows from before this was kept."""
    uploaded_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]

    __table_args__ = (
        UniqueConstraint(
            "application_id", "document", "original_digest", "removed_at", postgresql_nulls_not_distinct=True
        ),
        Index("ix_evidence_page__application", "application_id", "document"),
    )


PAGES = Read(EvidencePage, EvidencePage.application_id, (EvidencePage.removed_at.is_(None),))
"""The pages of an application that were not removed, without their content."""


def pages_of(session: Session, application_id: uuid.UUID) -> dict[str, list[EvidencePage]]:
    """The pages of each document in the order of upload, without their content."""
    rows = sorted(PAGES.of(session, application_id), key=lambda page: (page.uploaded_at, page.id))
    by_document: dict[str, list[EvidencePage]] = {}
    for page in rows:
        by_document.setdefault(page.document, []).append(page)
    return by_document


def removed_of(session: Session, application_id: uuid.UUID) -> list[EvidencePage]:
    """Removed pages, which can be restored, the last removed first."""
    gone = select(EvidencePage).where(
        EvidencePage.application_id == application_id, EvidencePage.removed_at.is_not(None)
    )
    return list(session.scalars(gone.order_by(EvidencePage.removed_at.desc(), EvidencePage.id).limit(MOST_PAGES)))
