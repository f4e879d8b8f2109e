"""The table of evidence pages 证明材料, and their lists without the content."""

import datetime as dt
import uuid
from operator import attrgetter

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.codes import KeyedCode

MOST_PAGES = 12
"""Pages of one document; a residence book has about eight."""


class EvidencePage(Base):
    """One page of one document.  `content` is the encrypted file; `original_digest` detects a repeated upload.

    A page of a PDF counts as one, however many sheets the PDF has.
    """

    __tablename__ = "evidence_page"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"))
    document: Mapped[str] = mapped_column(KeyedCode)
    media_type: Mapped[str]
    size: Mapped[int]
    original_digest: Mapped[str] = mapped_column(index=True)
    content: Mapped[bytes] = mapped_column(
        LargeBinary, deferred=True, info={"sealed": "evidence_page.content", "file": True}
    )
    blurred: Mapped[bool | None]
    """Whether the photo looked too blurred to read when it came; None in rows from before this was kept."""
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    """Its place among the pages of its document; a page that replaces another one takes its place."""
    quarter_turns: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it is turned clockwise when it is shown.  The stored file stays as it came."""
    pictures: Mapped[int | None]
    """How many sheets of a PDF are drawn as pictures; 0 for one that cannot be drawn, None before it was tried."""
    likeness: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger), deferred=True)
    """What its picture has in common with copies of the same file (`eligibility.page_likeness`); None for a PDF."""
    uploaded_at: Mapped[dt.datetime]
    helper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    """The helper who uploaded it for the family; None for one of the family itself, which no helper opens."""
    removed_at: Mapped[dt.datetime | None]

    __table_args__ = (
        UniqueConstraint(
            "application_id", "document", "original_digest", "removed_at", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("quarter_turns BETWEEN 0 AND 3", name="quarters_of_a_turn"),
        Index("ix_evidence_page__application", "application_id", "document"),
        Index("ix_evidence_page__likeness", "likeness", postgresql_using="gin"),
    )


THUMBNAIL = 0
"""The number of the small picture that stands for a page in a list."""


class EvidencePicture(Base):
    """A picture drawn from a page: number 0 is the thumbnail, 1 and so on are the sheets of a PDF.

    It is made from the page alone and can be drawn again at any time.
    """

    __tablename__ = "evidence_picture"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    page_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evidence_page.id", ondelete="CASCADE"))
    number: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, info={"sealed": "evidence_picture.content", "file": True})

    __table_args__ = (
        UniqueConstraint("page_id", "number"),
        CheckConstraint("number >= 0", name="counted_from_zero"),
    )


PAGES = Read(EvidencePage, EvidencePage.application_id, (EvidencePage.removed_at.is_(None),))
"""The pages of an application that were not removed, without their content."""


ORDER = ("position", "uploaded_at", "id")
"""The columns by which pages of a document stand in order: on pages and in receipts, which are compared with one another."""


def pages_of(session: Session, application_id: uuid.UUID) -> dict[str, list[EvidencePage]]:
    """The pages of each document in their order, without their content."""
    rows = sorted(PAGES.of(session, application_id), key=attrgetter(*ORDER))
    by_document: dict[str, list[EvidencePage]] = {}
    for page in rows:
        by_document.setdefault(page.document, []).append(page)
    return by_document


def removed_of(session: Session, application_id: uuid.UUID) -> list[EvidencePage]:
    """Removed pages, which can be restored, the last removed first."""
    gone = select(EvidencePage).where(
        EvidencePage.application_id == application_id, EvidencePage.removed_at.is_not(None)
    )
    return list(session.scalars(gone.order_by(EvidencePage.removed_at.desc(), EvidencePage.id)))
