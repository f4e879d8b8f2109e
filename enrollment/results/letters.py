"""Letters as PDF: asked for by a page, drawn in the background, kept sealed for thirty days at most.

A letter belongs to an application or to the account that asked for it (`Subject`).  It is found by the digest of what it
says.  Where a name, a code or a date has changed since, the digest is another one and the letter is drawn anew, so an old
one is never given.  Who may read a letter is decided by the page that knows what it says; the caller of this module has
checked that.
"""

import datetime as dt
import hashlib
import math
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column, undefer
from sqlalchemy.sql.dml import ReturningInsert

from enrollment.ground import jobs, retention
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.ground.jobs import ACTIVE, Job, JobState
from enrollment.ground.retention import THIRTY_DAYS, Moment
from enrollment.ground.vault import blind_index, seal_bytes, unseal_bytes

DRAW = "draw_letter"
"""The job that draws one letter."""

PAGE, CONTENT = "letter.page", "letter.content"
"""What the page of a letter and its PDF are sealed for."""

FORGET = "forget_letter"
"""The job that deletes a letter which is kept for minutes."""

PRINTED = "⟦printed⟧"
"""Stands in the HTML of a letter for the time of printing, which is no part of what the letter says."""

CODE_KEPT = dt.timedelta(minutes=10)
"""How long a letter with an access code can be fetched."""

ONCE_GIVEN = dt.timedelta(minutes=1)
"""How long it can be fetched again after that: some browsers ask twice for one download."""

RETRY_AFTER = dt.timedelta(minutes=1)
"""How long after its last attempt a letter that failed is drawn again, when somebody asks for it."""

SECONDS_EACH = 0.25
"""How long one letter takes a worker that has other work; `bench/notices.py` measures the drawing."""

DRAW_NOTICES = "draw_notices"
"""The job that draws the notices of a result ahead."""

MOST_COUNTED = 10_000
"""As many letters ahead of one are counted for the time that a page announces."""


class LetterRow(Base):
    """One for each letter of a subject and language: the newest that was asked for.

    It belongs to an application, or to the account that asked for it and alone reads it.  After `keep_until` it is given to
    nobody.

    `digest` identifies what the letter says (64 hex digits, keyed, so that nobody can guess a name from it).  `page` is the
    HTML until the letter is drawn, `content` the PDF afterwards; both are sealed and begin with the row's id.  `job_id` is
    the job that draws it.
    """

    __tablename__ = "letter"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"))
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    name: Mapped[str]
    language: Mapped[str]
    digest: Mapped[str]
    job_id: Mapped[uuid.UUID]
    asked_at: Mapped[dt.datetime]
    drawn_at: Mapped[dt.datetime | None]
    keep_until: Mapped[dt.datetime | None]
    page: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"sealed": PAGE})
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"sealed": CONTENT})

    __table_args__ = (
        UniqueConstraint("application_id", "name", "language", name="uq_letter__of_an_application"),
        CheckConstraint("num_nonnulls(application_id, account_id) = 1", name="one_subject"),
        Index("ix_letter__asked_at", "asked_at"),
        Index("uq_letter__of_an_account", "account_id", "name", "language", unique=True),
    )


class NoticeDrawing(Base):
    """The newest job that draws the notices of a run ahead."""

    __tablename__ = "notice_drawing"

    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"), primary_key=True)
    job_id: Mapped[uuid.UUID]


@dataclass(frozen=True)
class Subject:
    """Whose letter it is: one of an application, or one of the account that asked for it."""

    application_id: uuid.UUID | None = None
    account_id: uuid.UUID | None = None

    @property
    def columns(self) -> dict[str, uuid.UUID | None]:
        return {"application_id": self.application_id, "account_id": self.account_id}

    @property
    def key(self) -> list[str]:
        """The columns by which its letters are unique."""
        return ["application_id" if self.application_id is not None else "account_id", "name", "language"]

    def letters(self) -> ColumnElement[bool]:
        """SQL condition: the letters of this subject."""
        if self.application_id is not None:
            return LetterRow.application_id == self.application_id
        return LetterRow.account_id == self.account_id


@dataclass(frozen=True)
class LetterPage:
    """What a letter says.  `name` tells apart the letters of a subject (`notice`, `receipt-2`); `language` is zh or en.

    `html` is the page that is drawn, `edition` what else decides how it looks: the stylesheet.  `printed` takes the place of
    `PRINTED` in it: the time of printing alone makes no other letter.  `kept` is how long it may be given; None for thirty days.
    """

    name: str
    language: str
    html: str
    edition: str
    printed: str = ""
    kept: dt.timedelta | None = None

    @property
    def digest(self) -> str:
        said = "\0".join((self.language, self.edition, self.html))
        return blind_index(hashlib.sha256(said.encode()).hexdigest(), "letter.digest").hex()

    @property
    def not_drawn(session: Session, pages: Sequence[tuple[uuid.UUID, LetterPage]]) -> list[tuple[uuid.UUID, LetterPage]]:
    """Those of (application id, page) that no letter says yet."""
    found = select(LetterRow.application_id, LetterRow.digest).where(
        LetterRow.application_id.in_([application_id for application_id, _page in pages]),
        LetterRow.content.is_not(None),
    )
    drawn = {(row.application_id, row.digest) for row in session.execute(found)}
    return [(application_id, page) for application_id, page in pages if (application_id, page.digest) not in drawn]


def put(
    session: Session,
    application_id: uuid.UUID,
    page: LetterPage,
    content: bytes,
    *,
    job_id: uuid.UUID,
    now: dt.datetime,
) -> None:
    """Store a letter that was drawn before anybody asked for it."""
    letter_id = uuid.uuid4()
    row = _values(letter_id, page, job_id=job_id, now=now) | {
        "page": None,
        "content": seal_bytes(letter_id.bytes + content, CONTENT),
        "drawn_at": now,
    }
    differs = (LetterRow.digest != row["digest"]) | LetterRow.content.is_(None)
    session.execute(_written(Subject(application_id=application_id), page, row, differs))


def _bound(letter_id: uuid.UUID, sealed: bytes, purpose: str) -> bytes:
    """Unseal what belongs to this row.  Raises LookupError for the value of another one."""
    content = unseal_bytes(sealed, purpose)
    if content[:16] != letter_id.bytes:
        raise LookupError("a letter of another row")
    return content[16:]


def delete_old(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Letters whose time is over, or that were asked for more than thirty days ago; who asks again gets them drawn again."""
    old = or_(LetterRow.asked_at < moment.now - THIRTY_DAYS, LetterRow.keep_until < moment.now)
    return retention.delete_rows(session, LetterRow, old, limit=limit)
