"""What a reader sees of an uploaded page: a thumbnail, and the sheets of a PDF as pictures.

A photo's thumbnail is made when the photo comes.  A PDF is drawn by a job, so for some seconds it has no pictures; one that
cannot be drawn stays a file to download.
"""

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enrollment.applications.evidence_rows import THUMBNAIL, EvidencePage, EvidencePicture
from enrollment.eligibility import page_likeness
from enrollment.ground import jobs
from enrollment.ground.errors import NotFound
from enrollment.ground.files import pictures
from enrollment.ground.files.uploads import SafePage
from enrollment.ground.vault import seal_file, unseal_file

DRAW = "draw_evidence"
PURPOSE = "evidence_picture.content"
PICTURE = "image/webp"
PDF = "application/pdf"


def prepare(session: Session, page: EvidencePage, content: bytes, *, now: dt.datetime) -> None:
    """Make the thumbnail of a photo and note its likeness, or ask a job to draw a PDF."""
    if page.media_type == PDF:
        jobs.enqueue(session, DRAW, {"page": str(page.id)}, key=f"{DRAW}:{page.id}", now=now)
    else:
        _add(session, page.id, THUMBNAIL, pictures.thumbnail(content))
        page.likeness = page_likeness.parts_of(content)


def ask_for_missing(session: Session, pages: Iterable[EvidencePage], *, now: dt.datetime) -> None:
    """Let a job draw the PDFs that came before pictures were drawn."""
    for page in pages:
        if page.media_type == PDF and page.pictures is None:
            jobs.enqueue(session, DRAW, {"page": str(page.id)}, key=f"{DRAW}:{page.id}", now=now)


def keep(session: Session, page_id: uuid.UUID, sheets: list[bytes]) -> None:
    """Store what a job drew; no sheets mean that this PDF cannot be drawn.  A second run replaces the first."""
    page = session.get(EvidencePage, page_id)
    if page is None:
        return
    session.execute(delete(EvidencePicture).where(EvidencePicture.page_id == page_id))
    for number, sheet in enumerate(sheets, start=1):
        _add(session, page_id, number, sheet)
    if sheets:
        _add(session, page_id, THUMBNAIL, pictures.thumbnail(sheets[0]))
    page.pictures = len(sheets)


def picture(session: Session, page: EvidencePage, number: int) -> SafePage:
    """One picture of a page, turned as the family turned it.  Raises NotFound for a sheet that is not drawn."""
    found = session.scalars(
        select(EvidencePicture).where(EvidencePicture.page_id == page.id, EvidencePicture.number == number)
    ).one_or_none()
    if found is None:
        raise NotFound
    content = unseal_file(found.content, PURPOSE, found.id)
    return SafePage(PICTURE, pictures.turned(content, page.quarter_turns))


def _add(session: Session, page_id: uuid.UUID, number: int, content: bytes) -> None:
    made = EvidencePicture(id=uuid.uuid4(), page_id=page_id, number=number)
    made.content = seal_file(content, PURPOSE, made.id)
    session.add(made)
