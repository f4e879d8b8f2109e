"""Papers that a clerk asked for by name: which of them the family has not brought, and until when it still may.

A returned application can be handed in without such a paper, because it may be impossible to get.  Until the application is
decided the paper may still be added; nothing else can be changed then.
"""

import datetime as dt

from sqlalchemy.orm import Session

from enrollment.applications import deadlines
from enrollment.applications.application_rows import Application
from enrollment.applications.evidence_rows import pages_of
from enrollment.applications.lifecycle import AWAITING_DECISION
from enrollment.applications.returned_items import RETURNED_ITEMS
from enrollment.eligibility import return_times
from enrollment.season.document_kinds import Document


def unanswered(session: Session, application: Application) -> list[Document]:
    """The papers that are asked for now and have no page since; they are named before the family hands in again."""
    return _without_pages(session, application, answered=False)


def left_out(session: Session, application: Application) -> list[Document]:
    """The papers that the family handed in without, since it could not get them: each has no page since it was asked."""
    return _without_pages(session, application, answered=True)


def addable(session: Session, application: Application, *, now: dt.datetime) -> list[Document]:
    """The papers that may be added after the application was handed in again without them, while its review goes on."""
    times = deadlines.of(session, application, now=now)
    goes_on = application.stage in AWAITING_DECISION and not application.on_hold
    if not goes_on or times.open is not None or not times.returned_may_be_answered:
        return []
    return left_out(session, application)


def review_goes_on_until(session: Session, application: Application, *, now: dt.datetime) -> dt.datetime | None:
    """When the calendar says that the review ends; None once that has passed, though single applications are still decided.

    No list is frozen while an application that takes part is under review (`snapshot.precheck`), so that this application's
    decision is the real end of adding papers, and this moment what a family can plan with.
    """
    ends = return_times.review_ends(session, application.year)
    return ends if ends is not None and ends > now else None


def may_add(session: Session, application: Application, document: Document, *, now: dt.datetime) -> bool:
    """Whether this paper may be added now, and stays so until the end of the transaction.  The caller holds the lock."""
    if document not in addable(session, application, now=now):
        return False
    return deadlines.before_the_freeze(session, deadlines.of(session, application, now=now))


def _without_pages(session: Session, application: Application, *, answered: bool) -> list[Document]:
    """Asked documents without a page that was uploaded after the last time when they were asked for."""
    asked: dict[str, dt.datetime] = {}
    for item in RETURNED_ITEMS.of(session, application.id):
        if (item.answered_at is not None) == answered:
            asked[item.item] = max(item.asked_at, asked.get(item.item, item.asked_at))
    pages = pages_of(session, application.id) if asked else {}
    brought = {document: max(page.uploaded_at for page in listed) for document, listed in pages.items()}
    missing = {item for item, at in asked.items() if item not in brought or brought[item] < at}
    return [document for document in Document if document.value in missing]
