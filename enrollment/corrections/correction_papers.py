"""The papers of a correction: photos and PDF pages, re-encoded and encrypted like evidence."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.evidence_rows import MOST_PAGES
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.files.uploads import SafePage, sanitise_upload
from enrollment.ground.vault import seal_file, unseal_file
from enrollment.review.correction_rows import CorrectionPage, CorrectionRequest

PURPOSE = "correction_page.content"


def add(session: Session, request: CorrectionRequest, contents: Iterable[bytes], *, now: dt.datetime) -> None:
    """Store the pages of a new request; identical pages are stored once.  Refuses `too_many_pages`."""
    pages = {hashlib.sha256(content).hexdigest(): content for content in contents}
    if len(pages) > MOST_PAGES:  # checked before decoding, which is the expensive part
        raise Refused("too_many_pages", field="pages", most=MOST_PAGES)
    for digest, content in pages.items():
        safe, page_id = sanitise_upload(content), uuid.uuid4()
        session.add(
            CorrectionPage(
                id=page_id,
                request_id=request.id,
                media_type=safe.media_type,
                size=len(safe.content),
                original_digest=digest,
                content=seal_file(safe.content, PURPOSE, page_id),
                uploaded_at=now,
            )
        )
    session.flush()


def pages_of(session: Session, request_id: uuid.UUID) -> list[CorrectionPage]:
    """The pages, without their content."""
    rows = select(CorrectionPage).where(CorrectionPage.request_id == request_id)
    return list(session.scalars(rows.order_by(CorrectionPage.uploaded_at, CorrectionPage.id)))


def page_content(session: Session, request_id: uuid.UUID, page_id: uuid.UUID) -> SafePage:
    """The decrypted content of a page.  The caller has checked that the reader may see the request."""
    page = session.get(CorrectionPage, page_id)
    if page is None or page.request_id != request_id:
        raise NotFound("correction_page")
    return SafePage(page.media_type, unseal_file(page.content, PURPOSE, page.id))
