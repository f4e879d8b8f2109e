"""Working notes of the clerks about an application.  A note moves no application in the queue, and is never changed."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.values import Sealed
from enrollment.review.scope import find

LONGEST_TEXT = 300


class ReviewNote(Base):
    __tablename__ = "review_note"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    text: Mapped[str] = mapped_column(Sealed("review_note.text"))
    at: Mapped[dt.datetime]


NOTES = Read(ReviewNote, ReviewNote.application_id)
"""The notes about an application."""


def add(session: Session, application_id: uuid.UUID, text: str, *, by: Actor, now: dt.datetime) -> ReviewNote:
    """Add a note; whoever may see the application may add one.  Refuses `note_missing`."""
    application = find(session, application_id, by=by)
    if not text.strip():
        raise Refused("note_missing", field="text")
    note = ReviewNote(application_id=application.id, account_id=by.account_id, text=text.strip()[:LONGEST_TEXT], at=now)
    session.add(note)
    session.flush()
    audit.record(session, "review_note", "application", application.id, by=by, now=now)
    return note
