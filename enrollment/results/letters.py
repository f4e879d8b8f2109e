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
from enrollment.ground.vault import blind_index, seal_file, unseal_file

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
    page: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"sealed": PAGE, "file": True})
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"sealed": CONTENT, "file": True})

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
    def drawn(self) -> str:
        """The HTML with the time of printing."""
        return self.html.replace(PRINTED, self.printed)


class LetterState(StrEnum):
    """`RETRYING` after an attempt that failed; `FAILED` after the last one, until somebody asks again."""

    WAITING = "waiting"
    RETRYING = "retrying"
    FAILED = "failed"
    DRAWN = "drawn"


@dataclass(frozen=True)
class Letter:
    """A letter, or another file, that was asked for.  Without `content`, `seconds` is about how long it takes until it is there,
    and `done` of `of` parts are there.

    `refused` says what the machine lacks, where that is why it failed.  `keep_until` is when it is deleted; None for a letter
    that is kept for thirty days.
    """

    content: bytes | None
    state: LetterState
    seconds: int = 0
    refused: Refused | None = None
    done: int = 0
    of: int = 0
    keep_until: dt.datetime | None = None


def ask(session: Session, subject: Subject, page: LetterPage, *, now: dt.datetime) -> Letter:
    """The letter if it is drawn; otherwise its drawing is enqueued, once for however many ask."""
    digest = page.digest
    row = _row(session, subject, page.name, page.language)
    if row is not None and row.digest == digest:
        if not _is_kept(row, now):
            _replace(session, subject, page, digest, now=now, over=row.id)
        elif row.content is not None:
            return Letter(_bound(row.id, row.content, CONTENT), LetterState.DRAWN)
        else:
            job = session.get(Job, row.job_id)
            if job is not None and not _is_over(job, now):
                return _expected(session, row, job, now)
            _replace(session, subject, page, digest, now=now, over=row.id)
    else:
        _replace(session, subject, page, digest, now=now)
    row = _row(session, subject, page.name, page.language)
    if row is None:
        raise LookupError("a letter that was just asked for")
    return _expected(session, row, session.get_one(Job, row.job_id), now)


def find(session: Session, subject: Subject, name: str, language: str, *, now: dt.datetime) -> Letter | None:
    """A letter that was asked for and cannot be made again; None once it is not given any more.

    Where its drawing failed, another one is enqueued with what is stored.
    """
    row = _row(session, subject, name, language)
    if row is None or not _is_kept(row, now):
        return None
    if row.content is not None:
        return Letter(_bound(row.id, row.content, CONTENT), LetterState.DRAWN)
    job = session.get(Job, row.job_id)
    if job is None or _is_over(job, now):
        key = f"{DRAW}:{row.digest}:{row.language}:{row.id}:{now.isoformat()}"
        row.job_id = jobs.enqueue(session, DRAW, {"letter": str(row.id)}, key=key, now=now)
        job = session.get_one(Job, row.job_id)
    return _expected(session, row, job, now)


def was_given(session: Session, subject: Subject, name: str, language: str, *, now: dt.datetime) -> None:
    """A letter that may be fetched once is on its way to the reader: it is deleted a minute later."""
    row = _row(session, subject, name, language)
    if row is None or row.keep_until is None or row.keep_until <= now + ONCE_GIVEN:
        return
    row.keep_until = now + ONCE_GIVEN
    session.flush()
    _forget_at(session, row.id, row.keep_until, now=now)


def forget(session: Session, letter_id: uuid.UUID, *, now: dt.datetime) -> bool:
    """Delete a letter whose time is over.  False where another one stands in its place."""
    gone = delete(LetterRow).where(LetterRow.id == letter_id, LetterRow.keep_until <= now).returning(LetterRow.id)
    return session.scalar(gone) is not None


def _forget_at(session: Session, letter_id: uuid.UUID, moment: dt.datetime, *, now: dt.datetime) -> None:
    key = f"{FORGET}:{letter_id}:{moment.isoformat()}"
    jobs.enqueue(session, FORGET, {"letter": str(letter_id)}, key=key, now=now, due=moment)


def _row(session: Session, subject: Subject, name: str, language: str) -> LetterRow | None:
    found = select(LetterRow).where(subject.letters(), LetterRow.name == name, LetterRow.language == language)
    return session.scalars(
        found.options(undefer(LetterRow.content)).execution_options(populate_existing=True)
    ).one_or_none()


def _is_kept(row: LetterRow, now: dt.datetime) -> bool:
    return row.keep_until is None or now < row.keep_until


def _is_over(job: Job, now: dt.datetime) -> bool:
    """Whether the job will not draw the letter any more, and another one may."""
    if job.state == JobState.FAILED:
        return job.finished_at is None or job.finished_at + RETRY_AFTER <= now
    return job.state == JobState.DONE


def _replace(
    session: Session,
    subject: Subject,
    page: LetterPage,
    digest: str,
    *,
    now: dt.datetime,
    over: uuid.UUID | None = None,
) -> None:
    """Write the row and its job, unless somebody asked for the same letter meanwhile.  `over` is a row that failed."""
    letter_id = uuid.uuid4()
    key = f"{DRAW}:{digest}:{page.language}:{letter_id}"
    row = _values(letter_id, page, job_id=letter_id, now=now)
    differs = LetterRow.digest != digest
    if over is not None:
        differs |= LetterRow.id == over
    if session.scalar(_written(subject, page, row, differs)) is None:
        return
    job_id = jobs.enqueue(session, DRAW, {"letter": str(letter_id)}, key=key, now=now)
    session.execute(update(LetterRow).where(LetterRow.id == letter_id).values(job_id=job_id))
    if page.kept is not None and page.kept < dt.timedelta(hours=1):
        _forget_at(session, letter_id, now + page.kept, now=now)


def _values(letter_id: uuid.UUID, page: LetterPage, *, job_id: uuid.UUID, now: dt.datetime) -> dict[str, Any]:
    """The columns of a letter that is not drawn yet, all but those of its key."""
    return {
        "id": letter_id,
        "digest": page.digest,
        "job_id": job_id,
        "asked_at": now,
        "drawn_at": None,
        "keep_until": now + page.kept if page.kept is not None else None,
        "page": seal_file(letter_id.bytes + page.drawn.encode(), PAGE, letter_id),
        "content": None,
    }


def _written(
    subject: Subject, page: LetterPage, row: dict[str, Any], differs: ColumnElement[bool]
) -> ReturningInsert[tuple[uuid.UUID]]:
    """The statement that writes a letter over one that `differs`; it returns nothing where another one stays."""
    return (
        insert(LetterRow)
        .values(name=page.name, language=page.language, **subject.columns, **row)
        .on_conflict_do_update(index_elements=subject.key, set_=row, where=differs)
        .returning(LetterRow.id)
    )


def _expected(session: Session, row: LetterRow, job: Job, now: dt.datetime) -> Letter:
    if job.state == JobState.FAILED:
        refused = Refused.from_row(job.result)
        seconds = round(RETRY_AFTER.total_seconds())
        return Letter(None, LetterState.FAILED, seconds, refused, keep_until=row.keep_until)
    ahead = select(Job.id).where(Job.kind == DRAW, Job.state.in_(ACTIVE), Job.created_at < job.created_at)
    count = session.scalar(select(func.count()).select_from(ahead.limit(MOST_COUNTED).subquery())) or 0
    wait = max((job.due_at - now).total_seconds(), 0) + SECONDS_EACH * (count + 1)
    state = LetterState.RETRYING if job.error or job.attempts > 1 else LetterState.WAITING
    return Letter(None, state, math.ceil(wait), keep_until=row.keep_until)


def being_made(job: Job | None, *, seconds: int) -> Letter:
    """How far the job of a file is that takes about `seconds` in all.  One without a job has failed."""
    if job is None or job.state in (JobState.FAILED, JobState.DONE):
        return Letter(None, LetterState.FAILED, refused=Refused.from_row(job.result) if job is not None else None)
    state = LetterState.RETRYING if job.error or job.attempts > 1 else LetterState.WAITING
    left = seconds * (job.all_units - job.done_units) / job.all_units if job.all_units else seconds
    return Letter(None, state, math.ceil(left), done=job.done_units, of=job.all_units)


def draw_notices_ahead(
    session: Session, run_id: uuid.UUID, *, now: dt.datetime, after: uuid.UUID | None = None, done: int = 0
) -> None:
    """Enqueue the drawing of the notices of a result that is open, before families ask for them.

    A part of it goes on `after` a child's application; `done` children were looked at before.
    """
    args: dict[str, Any] = {"run": str(run_id), "done": done} | ({"after": str(after)} if after else {})
    job_id = jobs.enqueue(session, DRAW_NOTICES, args, key=f"{DRAW_NOTICES}:{run_id}:{after or ''}", now=now)
    written = insert(NoticeDrawing).values(run_id=run_id, job_id=job_id)
    session.execute(written.on_conflict_do_update(index_elements=["run_id"], set_={"job_id": job_id}))


def notices_job(session: Session, run_id: uuid.UUID) -> Job | None:
    """The newest job that draws the notices of this result ahead, with its progress in children; None after thirty days."""
    return session.scalars(
        select(Job).join(NoticeDrawing, NoticeDrawing.job_id == Job.id).where(NoticeDrawing.run_id == run_id)
    ).one_or_none()


def waiting_page(session: Session, letter_id: uuid.UUID) -> tuple[str, str] | None:
    """The HTML of a letter that is to be drawn, and its language; None if nobody waits for it any more."""
    row = session.get(LetterRow, letter_id, options=[undefer(LetterRow.page)])
    if row is None or row.page is None:
        return None
    return _bound(row.id, row.page, PAGE).decode(), row.language


def keep(session: Session, letter_id: uuid.UUID, content: bytes, *, now: dt.datetime) -> bool:
    """Store the drawn letter.  False if it says something else by now, or is gone."""
    row = session.get(LetterRow, letter_id, with_for_update=True)
    if row is None:
        return False
    row.content, row.page, row.drawn_at = seal_file(letter_id.bytes + content, CONTENT, letter_id), None, now
    session.flush()
    return True


def drawn(session: Session, application_id: uuid.UUID, page: LetterPage) -> bytes | None:
    """The PDF of an application's letter if it says this and is there already; nothing is enqueued."""
    row = _row(session, Subject(application_id=application_id), page.name, page.language)
    if row is None or row.digest != page.digest or row.content is None:
        return None
    return _bound(row.id, row.content, CONTENT)


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
        "content": seal_file(letter_id.bytes + content, CONTENT, letter_id),
        "drawn_at": now,
    }
    differs = (LetterRow.digest != row["digest"]) | LetterRow.content.is_(None)
    session.execute(_written(Subject(application_id=application_id), page, row, differs))


def _bound(letter_id: uuid.UUID, sealed: bytes, purpose: str) -> bytes:
    """Unseal what belongs to this row.  Raises InvalidTag, or for an old value LookupError, for that of another one."""
    content = unseal_file(sealed, purpose, letter_id)
    if content[:16] != letter_id.bytes:
        raise LookupError("a letter of another row")
    return content[16:]


def delete_old(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Letters whose time is over, or that were asked for more than thirty days ago; who asks again gets them drawn again."""
    old = or_(LetterRow.asked_at < moment.now - THIRTY_DAYS, LetterRow.keep_until < moment.now)
    return retention.delete_rows(session, LetterRow, old, limit=limit)
