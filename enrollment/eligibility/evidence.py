"""Evidence 证明材料: pages that a family uploads for a ground, re-encoded and stored encrypted."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications import applications, edits
from enrollment.applications.application_rows import Application
from enrollment.applications.evidence_rows import MOST_PAGES, THUMBNAIL, EvidencePage, pages_of, removed_of
from enrollment.eligibility import asked_papers, blur_detection, evidence_pictures
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.files import pictures
from enrollment.ground.files.uploads import SafePage, sanitise_upload
from enrollment.ground.vault import seal_file, unseal_file
from enrollment.season.document_kinds import Document

__all__ = ["MOST_PAGES", "EvidencePage", "pages_of", "removed_of"]

MOST_BYTES = 60 * 2**20
"""Most stored bytes of one application, for all documents together."""

PURPOSE = "evidence_page.content"

OF_ONE_CHILD = (
    Document.BIRTH_CERTIFICATE,
    Document.PASSPORT_OR_PERMIT,
    Document.GUARDIANSHIP_PROOF,
    Document.DISABILITY_CERTIFICATE,
)
"""Papers that concern one child only, so that they are never shared with a sibling."""


def add_pages(
    session: Session,
    application_id: uuid.UUID,
    document: Document | str,
    contents: Iterable[bytes],
    *,
    by: Actor,
    now: dt.datetime,
) -> list[EvidencePage]:
    """Store several pages of a document together: if one page is refused, none is stored."""
    document, contents = _known(document), list(contents)
    application = _begin_adding(session, application_id, document, by=by, now=now)
    if not contents:
        raise Refused("file_missing", field="pages")
    if len(contents) > MOST_PAGES:  # checked before decoding, which is the expensive part
        raise Refused("too_many_pages", field="pages", most=MOST_PAGES)
    kept = [_kept(session, application_id, document, content, by, now) for content in contents]
    session.flush()
    _bound(session, application_id, document)
    audit.record(
        session, "add_evidence", "application", application_id, by=by, now=now, document=document.value, pages=len(kept)
    )
    edits.keep(session, application, by=by, now=now)
    return kept


def replace_page(
    session: Session, application_id: uuid.UUID, page_id: uuid.UUID, content: bytes, *, by: Actor, now: dt.datetime
) -> EvidencePage:
    """Put another photo or PDF in the place of a page, which is removed and can be restored.

    The page may have been removed meanwhile, on another phone: the new one is kept all the same.
    """
    old = _seen_page(session, application_id, page_id, by)
    document = Document(old.document)
    application = _begin_adding(session, application_id, document, by=by, now=now)
    fresh = _kept(session, application_id, document, content, by, now)
    if fresh.id != old.id:
        if fresh.uploaded_at == now:
            fresh.position = old.position
        old.removed_at = old.removed_at or now
        session.flush()
        _bound(session, application_id, document)
        audit.record(
            session,
            "replace_evidence",
            "application",
            application_id,
            by=by,
            now=now,
            page=str(page_id),
            new=str(fresh.id),
        )
        edits.keep(session, application, by=by, now=now)
    return fresh


def turn_page(session: Session, application_id: uuid.UUID, page_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Turn a page a quarter clockwise.  It changes what a reader sees and not what was handed in, so it is no edit."""
    applications.locked(session, application_id, by=by)
    page = _live_page(session, application_id, page_id, by)
    page.quarter_turns = (page.quarter_turns + 1) % 4
    audit.record(session, "turn_evidence", "application", application_id, by=by, now=now, page=str(page_id))


def call_readable(
    session: Session, application_id: uuid.UUID, page_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> None:
    """The family has looked at a page that seemed blurred, and can read it."""
    applications.locked(session, application_id, by=by)
    page = _live_page(session, application_id, page_id, by)
    page.blurred = False
    audit.record(session, "call_evidence_readable", "application", application_id, by=by, now=now, page=str(page_id))


def take_from_sibling(
    session: Session,
    application_id: uuid.UUID,
    document: Document | str,
    sibling_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
) -> int:
    """Use the pages of a paper that the family uploaded for another of its children.  Returns the number of pages.

    The family is not asked twice for the same paper (F10).  A page that is removed from one child's application stays
    with the other.  Raises NotFound for papers that concern one child only and for another family's application.
    """
    document = _known(document)
    applications.own(session, sibling_id, by=by)
    pages = seen_by(pages_of(session, sibling_id).get(document.value, []), by=by)
    if document in OF_ONE_CHILD or not pages:
        raise NotFound()
    application = _begin_adding(session, application_id, document, by=by, now=now)
    for page in pages:
        if _same(session, application_id, document.value, page.original_digest) is None:
            kept = ("document", "media_type", "size", "original_digest", "blurred", "quarter_turns")
            copied = {name: getattr(page, name) for name in kept} | {"id": uuid.uuid4()}
            copied["position"] = _next_position(session, application_id, document)
            plain = unseal_file(page.content, PURPOSE, page.id)
            content = seal_file(plain, PURPOSE, copied["id"])
            copy = EvidencePage(
                application_id=application_id, uploaded_at=now, helper_id=_helper(by), content=content, **copied
            )
            session.add(copy)
            session.flush()
            evidence_pictures.prepare(session, copy, plain, now=now)
    session.flush()
    _bound(session, application_id, document)
    audit.record(
        session,
        "add_evidence",
        "application",
        application_id,
        by=by,
        now=now,
        document=document.value,
        pages=len(pages),
    )
    edits.keep(session, application, by=by, now=now)
    return len(pages)


def remove_page(
    session: Session, application_id: uuid.UUID, page_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> None:
    """Remove a page.  `restore_page` undoes it."""
    application = edits.begin(session, application_id, by=by, now=now)
    page = _seen_page(session, application_id, page_id, by)
    if page.removed_at is None:
        page.removed_at = now
        audit.record(session, "remove_evidence", "application", application_id, by=by, now=now, page=str(page_id))
        edits.keep(session, application, by=by, now=now)


def restore_page(
    session: Session, application_id: uuid.UUID, page_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> bool:
    """Restore a removed page.  False, and nothing is done, if the same file was uploaded again in the meantime."""
    application = edits.begin(session, application_id, by=by, now=now)
    page = _seen_page(session, application_id, page_id, by)
    if page.removed_at is None:
        return True
    if _same(session, application_id, page.document, page.original_digest) is not None:
        return False
    page.removed_at = None
    session.flush()
    _bound(session, application_id, Document(page.document))
    audit.record(session, "restore_evidence", "application", application_id, by=by, now=now, page=str(page_id))
    edits.keep(session, application, by=by, now=now)
    return True


def read_page(session: Session, application_id: uuid.UUID, page_id: uuid.UUID, *, by: Actor) -> SafePage:
    """The content of a page of the family's own application.  Staff use `page_content`, within their own scope."""
    own_page(session, application_id, page_id, by=by)
    return page_content(session, application_id, page_id)


def own_page(session: Session, application_id: uuid.UUID, page_id: uuid.UUID, *, by: Actor) -> EvidencePage:
    """A page of the family's own application, removed or not.  NotFound to a helper for a page that the family uploaded."""
    applications.own(session, application_id, by=by)
    return _seen_page(session, application_id, page_id, by)


def seen_by(pages: Iterable[EvidencePage], *, by: Actor) -> list[EvidencePage]:
    """Those of these pages that this person may open: a helper opens only what it uploaded itself."""
    return [page for page in pages if by.on_behalf is None or page.helper_id == by.on_behalf.helper_id]


def page_content(session: Session, application_id: uuid.UUID, page_id: uuid.UUID) -> SafePage:
    """The decrypted content of a page, a photo as the family turned it.

    The caller has checked that the reader may see the application.
    """
    page = _page(session, application_id, page_id)
    content = unseal_file(page.content, PURPOSE, page.id)
    return SafePage(page.media_type, _upright(page, content))


def picture(session: Session, application_id: uuid.UUID, page_id: uuid.UUID, number: int) -> SafePage:
    """A picture of a page, for a reader who may see the application: 0 is its thumbnail, 1 the photo or the first sheet."""
    page = _page(session, application_id, page_id)
    is_photo = page.media_type != evidence_pictures.PDF
    if is_photo and number == 1:
        return page_content(session, application_id, page_id)
    try:
        return evidence_pictures.picture(session, page, number)
    except NotFound:
        if not is_photo or number != THUMBNAIL:
            raise
        # a photo from before thumbnails were kept
        return SafePage(
            evidence_pictures.PICTURE, pictures.thumbnail(page_content(session, application_id, page_id).content)
        )


def content_of(session: Session, page_id: uuid.UUID) -> bytes | None:
    """The stored file of a page, for a job that draws it; None if the page is gone."""
    page = session.get(EvidencePage, page_id)
    return None if page is None else unseal_file(page.content, PURPOSE, page.id)


def _upright(page: EvidencePage, content: bytes) -> bytes:
    return content if page.media_type == evidence_pictures.PDF else pictures.turned(content, page.quarter_turns)


def _begin_adding(
    session: Session, application_id: uuid.UUID, document: Document, *, by: Actor, now: dt.datetime
) -> Application:
    """`edits.begin`, or a paper that was asked for and may still be brought while the review goes on."""
    application = applications.locked(session, application_id, by=by)
    if asked_papers.may_add(session, application, document, now=now):
        return application
    return edits.begin(session, application_id, by=by, now=now)


def _known(document: Document | str) -> Document:
    try:
        return Document(document)
    except ValueError as fault:
        raise NotFound() from fault


def _kept(
    session: Session, application_id: uuid.UUID, document: Document, content: bytes, by: Actor, now: dt.datetime
) -> EvidencePage:
    digest = hashlib.sha256(content).hexdigest()
    there = _same(session, application_id, document.value, digest)
    if there is not None:
        return there
    safe = sanitise_upload(content)
    page_id = uuid.uuid4()
    page = EvidencePage(
        id=page_id,
        application_id=application_id,
        document=document.value,
        media_type=safe.media_type,
        size=len(safe.content),
        original_digest=digest,
        content=seal_file(safe.content, PURPOSE, page_id),
        blurred=safe.media_type.startswith("image/") and blur_detection.looks_blurred(safe.content),
        position=_next_position(session, application_id, document),
        uploaded_at=now,
        helper_id=_helper(by),
    )
    session.add(page)
    session.flush()
    evidence_pictures.prepare(session, page, safe.content, now=now)
    return page


def _helper(by: Actor) -> uuid.UUID | None:
    return by.on_behalf.helper_id if by.on_behalf is not None else None


def _next_position(session: Session, application_id: uuid.UUID, document: Document) -> int:
    last = select(func.max(EvidencePage.position)).where(
        EvidencePage.application_id == application_id, EvidencePage.document == document.value
    )
    return (session.scalar(last) or 0) + 1


def _same(session: Session, application_id: uuid.UUID, document: str, digest: str) -> EvidencePage | None:
    return session.scalars(
        select(EvidencePage).where(
            EvidencePage.application_id == application_id,
            EvidencePage.document == document,
            EvidencePage.original_digest == digest,
            EvidencePage.removed_at.is_(None),
        )
    ).one_or_none()


def _page(session: Session, application_id: uuid.UUID, page_id: uuid.UUID) -> EvidencePage:
    page = session.get(EvidencePage, page_id)
    if page is None or page.application_id != application_id:
        raise NotFound()
    return page


def _seen_page(session: Session, application_id: uuid.UUID, page_id: uuid.UUID, by: Actor) -> EvidencePage:
    page = _page(session, application_id, page_id)
    if not seen_by([page], by=by):
        raise NotFound()
    return page


def _live_page(session: Session, application_id: uuid.UUID, page_id: uuid.UUID, by: Actor) -> EvidencePage:
    page = _seen_page(session, application_id, page_id, by)
    if page.removed_at is not None:
        raise NotFound()
    return page


def _bound(session: Session, application_id: uuid.UUID, document: Document) -> None:
    there = session.execute(
        select(EvidencePage.document, func.count(), func.sum(EvidencePage.size))
        .where(EvidencePage.application_id == application_id, EvidencePage.removed_at.is_(None))
        .group_by(EvidencePage.document)
    ).all()
    if any(name == document.value and pages > MOST_PAGES for name, pages, _ in there):
        raise Refused("too_many_pages", field="pages", most=MOST_PAGES)
    if sum(size for _, _, size in there) > MOST_BYTES:
        raise Refused("too_many_bytes", field="pages", most=MOST_BYTES // 2**20)
