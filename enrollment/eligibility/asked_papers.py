"""Papers that a clerk asked for by name: which of them the family has not brought, and until when it still may.

A returned application can be handed in without such a paper, because it may be impossible to get.  While the review goes
on the paper may still be added afterwards; nothing else can be changed then.
"""

import datetime as dt

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from enrollment.applications import deadlines
from enrollment.applications.application_rows import Application
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.lifecycle import AWAITING_DECISION
from enrollment.applications.returned_items import ReturnedItem
from enrollment.season.document_kinds import Document


def unanswered(session: Session, application: Application) -> list[Document]:
    """The papers that are asked for now and have no page since; they are named before the family hands in again."""
    return _without_pages(session, application, ReturnedItem.answered_at.is_(None))


def addable(session: Session, application: Application, *, now: dt.datetime) -> list[Document]:
    """The papers that may be added after the application was handed in again without them, while its review goes on."""
    times = deadlines.of(session, application, now=now)
    goes_on = application.stage in AWAITING_DECISION and not application.on_hold
    if not goes_on or times.open is not None or not times.returned_may_be_answered:
        return []
    return _without_pages(session, application, ReturnedItem.answered_at.is_not(None))


def may_add(session: Session, application: Application, document: Document, *, now: dt.datetime) -> bool:
    """Whether this paper may be added now, and stays so until the end of the transaction.  The caller holds the lock."""
    if document not in addable(session, application, now=now):
        return False
    return deadlines.before_the_freeze(session, deadlines.of(session, application, now=now))


def _without_pages(session: Session, application: Application, which: ColumnElement[bool]) -> list[Document]:
    """Asked documents without a page that was uploaded after the last time when they were asked for."""
    asked = (
        select(ReturnedItem.item, func.max(ReturnedItem.asked_at).label("at"))
        .where(ReturnedItem.application_id == application.id, which)
        .group_by(ReturnedItem.item)
        .subquery()
    )
    brought = select(EvidencePage.id).where(
        EvidencePage.application_id == application.id,
        EvidencePage.document == asked.c.item,
        EvidencePage.uploaded_at >= asked.c.at,
        EvidencePage.removed_at.is_(None),
    )
    missing = set(session.scalars(select(asked.c.item).where(~brought.exists())))
    return [document for document in Document if document.value in missing]
