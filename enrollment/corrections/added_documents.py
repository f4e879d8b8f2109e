"""A document of a child that the family added after the deadline: a clerk accepts it, and from then on it identifies the child."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.notifications import notify_guardians
from enrollment.corrections import effects
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound
from enrollment.offers import notice_codes
from enrollment.people import documents
from enrollment.people.person_rows import Child, ChildDocument
from enrollment.places import roll_corrections
from enrollment.review import duplicates


def look_at_document(session: Session, document_id: uuid.UUID, *, accepted: bool, by: Actor, now: dt.datetime) -> None:
    """Accept an added document, which counts from now on, or remove it.  The guardians are told which.

    An admission notice shows the document, so it gets a new code; the roll gets a dated entry, the application a version.
    Raises NotFound for a document that does not wait, also when it was looked at meanwhile.
    """
    waiting = {
        document.id: application.id for document, _child, application in duplicates.documents_to_look_at(session, by=by)
    }
    if document_id not in waiting:
        raise NotFound("document")
    application = session.get_one(
        Application, waiting[document_id], with_for_update={"key_share": True}, populate_existing=True
    )
    child = session.get_one(Child, application.child_id, with_for_update={"key_share": True}, populate_existing=True)
    still = select(ChildDocument).where(ChildDocument.id == document_id, ChildDocument.checked_at.is_(None))
    document = session.scalars(still.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if document is None:
        raise NotFound("document")
    if accepted:
        _make_current(session, application, child, document, by=by, now=now)
    else:
        session.delete(document)
    session.flush()
    kind = "document_accepted" if accepted else "document_not_accepted"
    audit.record(session, "look_at_document", "child", child.id, by=by, now=now, accepted=accepted)
    if accepted and notice_codes.were_replaced(session, child.id, at=now):
        kind = "document_accepted_new_notice"
    notify_guardians(
        session,
        kind,
        [application.id],
        now=now,
        event=f"{kind}:{document_id}",
        code=application.registration_code or "",
    )


def _make_current(
    session: Session, application: Application, child: Child, document: ChildDocument, *, by: Actor, now: dt.datetime
) -> None:
    before = child.id_index
    current = documents.make_current(session, child, document, now=now)
    document.checked_by = by.account_id
    session.flush()
    if not current:  # beside a resident number: notice, roll and application show what they showed
        return
    notice_codes.replace(session, child.id, by=by, now=now)
    roll_corrections.correct(session, before, {"id_number": document.number}, by=by, now=now)
    effects.add_version(session, application, by=by, now=now)
