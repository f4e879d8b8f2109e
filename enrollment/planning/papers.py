"""A plan on three pages as PDF: asked for by its page, drawn in the background, found by the digest of what it says.

A paper that says something else by now, because somebody signed or the plan was searched again, is drawn anew.
"""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column, undefer

from enrollment.ground import jobs
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.ground.jobs import Job, JobState
from enrollment.ground.vault import seal_bytes, unseal_bytes
from enrollment.results.letters import RETRY_AFTER, Letter, LetterPage, LetterState

KIND = "draw_plan"
PAGE, CONTENT = "plan_paper.page", "plan_paper.content"
SECONDS = 3
"""About how long a worker that has nothing else to do takes."""


class PlanPaper(Base):
    """The newest paper of a plan in a language: the HTML until it is drawn, then the PDF; both begin with the plan's id."""

    __tablename__ = "plan_paper"

    plan_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("measure_plan.id"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    asked_at: Mapped[dt.datetime]
    drawn_at: Mapped[dt.datetime | None]
    page: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"sealed": PAGE})
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"sealed": CONTENT})

    __table_args__ = (CheckConstraint("page IS NULL OR content IS NULL", name="page_or_content"),)


def ask(session: Session, plan_id: uuid.UUID, page: LetterPage, *, now: dt.datetime) -> Letter:
    """The PDF if it is drawn and still says the same; otherwise its drawing is enqueued, once for however many ask."""
    session.execute(
        insert(PlanPaper)
        .values(plan_id=plan_id, language=page.language, digest="", asked_at=now)
        .on_conflict_do_nothing()
    )
    row = _row(session, plan_id, page.language)
    if row.digest == page.digest:
        if row.content is not None:
            return Letter(_opened(row, row.content, CONTENT), LetterState.DRAWN)
        job = session.get(Job, row.job_id, populate_existing=True) if row.job_id else None
        if job is not None and not _may_try_again(job, now):
            return _waiting(job)
    row.digest, row.asked_at, row.drawn_at, row.content = page.digest, now, None, None
    row.page = seal_bytes(plan_id.bytes + page.html.encode(), PAGE)
    row.job_id = jobs.enqueue(session, KIND, {"plan": str(plan_id), "language": page.language}, now=now)
    session.flush()
    return _waiting(session.get_one(Job, row.job_id))


def waiting_page(session: Session, plan_id: uuid.UUID, language: str, job_id: uuid.UUID) -> str | None:
    """The HTML that is to be drawn; None if another job draws what the plan says by now."""
    row = session.get(PlanPaper, (plan_id, language), options=[undefer(PlanPaper.page)])
    if row is None or row.page is None or row.job_id != job_id:
        return None
    return _opened(row, row.page, PAGE).decode()


def keep(
    session: Session, plan_id: uuid.UUID, language: str, job_id: uuid.UUID, content: bytes, *, now: dt.datetime
) -> bool:
    """Store the drawn paper.  False if it says something else by now."""
    row = _row(session, plan_id, language)
    if row.job_id != job_id:
        return False
    row.content, row.page, row.drawn_at = seal_bytes(plan_id.bytes + content, CONTENT), None, now
    session.flush()
    return True


def _row(session: Session, plan_id: uuid.UUID, language: str) -> PlanPaper:
    key, read = (plan_id, language), [undefer(PlanPaper.content), undefer(PlanPaper.page)]
    return session.get_one(PlanPaper, key, with_for_update=True, populate_existing=True, options=read)


def _may_try_again(job: Job, now: dt.datetime) -> bool:
    if job.state == JobState.FAILED:
        return job.finished_at is None or job.finished_at + RETRY_AFTER <= now
    return job.state == JobState.DONE


def _waiting(job: Job) -> Letter:
    if job.state == JobState.FAILED:
        refused = Refused.from_row(job.result)
        return Letter(None, LetterState.FAILED, round(RETRY_AFTER.total_seconds()), refused)
    return Letter(None, LetterState.RETRYING if job.error or job.attempts > 1 else LetterState.WAITING, SECONDS)


def _opened(row: PlanPaper, sealed: bytes, purpose: str) -> bytes:
    """Unseal what belongs to this plan.  Raises LookupError for the paper of another one."""
    content = unseal_bytes(sealed, purpose)
    if content[:16] != row.plan_id.bytes:
        raise LookupError("a paper of another plan")
    return content[16:]
