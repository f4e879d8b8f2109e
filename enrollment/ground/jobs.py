"""Background work.  The row here is the truth; the queue only carries its id, and may be lost at any moment."""

import datetime as dt
import hashlib
import json
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, and_, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base


class JobState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


STATES = tuple(JobState)


class Job(Base):
    """`fence` grows with every lease, so that a worker which woke up late cannot publish what another one did."""

    __tablename__ = "job"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    args: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    state: Mapped[str] = mapped_column(default=JobState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None]
    lease_until: Mapped[dt.datetime | None]
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    done_units: Mapped[int] = mapped_column(default=0)
    all_units: Mapped[int] = mapped_column(default=0)
    step: Mapped[str | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    result_digest: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('" + "','".join(STATES) + "')", name="known_state"),
        Index("ix_job__due", "due_at", postgresql_where=text("state IN ('waiting','queued','running')")),
    )


LEASE = dt.timedelta(seconds=20)
"""How long a worker may be silent before another one may take its job."""

MOST_ATTEMPTS = 5


ACTIVE = (JobState.WAITING, JobState.QUEUED, JobState.RUNNING)
"""States of a job that somebody does or will do."""


@dataclass(frozen=True)
class Lease:
    """The right of one worker to do one job, until another worker holds a higher fence."""

    job_id: uuid.UUID
    kind: str
    args: dict[str, Any]
    fence: int
    attempt: int


def enqueue(
    session: Session,
    kind: str,
    args: dict[str, Any] | None = None,
    *,
    key: str | None = None,
    now: dt.datetime,
    due: dt.datetime | None = None,
) -> uuid.UUID:
    """Write the row of a job in the caller's transaction; return its id.

    `key` names the work (`"result:<round>:<child>"`): a second call with the same key returns the first job and starts
    nothing.  `args` hold ids and numbers, never personal data.
    """
    job_id = uuid.uuid4()
    row = {"id": job_id, "kind": kind, "dedupe_key": key or str(job_id), "args": args or {}, "state": JobState.WAITING}
    row |= {"attempts": 0, "fence": 0, "done_units": 0, "all_units": 0, "created_at": now, "due_at": due or now}
    written = insert(Job).values(**row).on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(Job.id)
    # no NOTIFY here: PostgreSQL then commits one transaction at a time; the relay looks twice a second instead
    if session.scalar(written) is None:
        return session.scalars(select(Job.id).where(Job.dedupe_key == row["dedupe_key"])).one()
    return job_id


def take_waiting(session: Session, *, now: dt.datetime, limit: int = 500) -> list[tuple[uuid.UUID, str]]:
    """Mark due rows as queued and return (id, kind) of each.  Two relays never get the same row."""
    due = (
        select(Job.id)
        .where(Job.state == JobState.WAITING, Job.due_at <= now)
        .order_by(Job.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    marked = (
        update(Job)
        .where(Job.id.in_(due.scalar_subquery()))
        .values(state=JobState.QUEUED, lease_until=now + LEASE)
        .returning(Job.id, Job.kind)
    )
    return [(row.id, row.kind) for row in session.execute(marked)]


def take(
    session: Session, job_id: uuid.UUID, *, owner: str, now: dt.datetime, lease: dt.timedelta = LEASE
) -> Lease | None:
    """Take the job for `owner`, or return None: it is done, failed, or in the hands of a worker that still lives."""
    free = or_(
        Job.state.in_((JobState.WAITING, JobState.QUEUED)), and_(Job.state == JobState.RUNNING, Job.lease_until < now)
    )
    taken = (
        update(Job)
        .where(Job.id == job_id, free)
        .values(
            state=JobState.RUNNING,
            lease_owner=owner,
            lease_until=now + lease,
            fence=Job.fence + 1,
            attempts=Job.attempts + 1,
            error=None,
        )
        .returning(Job.kind, Job.args, Job.fence, Job.attempts)
    )
    row = session.execute(taken).one_or_none()
    return Lease(job_id, row.kind, row.args, row.fence, row.attempts) if row else None


def _while_held(lease: Lease):
    return (
        update(Job)
        .where(Job.id == lease.job_id, Job.fence == lease.fence, Job.state == JobState.RUNNING)
        .returning(Job.id)
    )


def keep(session: Session, lease: Lease, *, now: dt.datetime, length: dt.timedelta = LEASE) -> bool:
    """Say that the worker lives.  False: the job was taken away, so stop and publish nothing."""
    return session.scalar(_while_held(lease).values(lease_until=now + length)) is not None


def report(session: Session, lease: Lease, *, done: int, of: int, step: str | None = None) -> bool:
    """Note the progress: `done` of `of` units, and the code of the step for the page that shows it."""
    return session.scalar(_while_held(lease).values(done_units=done, all_units=of, step=step)) is not None


def hold(session: Session, lease: Lease) -> bool:
    """Lock the row until the caller's commit, so that what it publishes is published by the holder of the fence alone."""
    held = select(Job.id).where(Job.id == lease.job_id, Job.fence == lease.fence, Job.state == JobState.RUNNING)
    return session.scalar(held.with_for_update()) is not None


def finish(session: Session, lease: Lease, *, now: dt.datetime, result: dict[str, Any] | None = None) -> bool:
    """Close the job.  False: somebody else holds it now, so the caller must roll back what it wrote."""
    body = json.dumps(result, sort_keys=True, ensure_ascii=False)
    closed = _while_held(lease).values(
        state=JobState.DONE,
        result=result,
        result_digest=hashlib.sha256(body.encode()).hexdigest(),
        finished_at=now,
        lease_until=None,
        error=None,
    )
    return session.scalar(closed) is not None


def fail(
    session: Session,
    lease: Lease,
    *,
    now: dt.datetime,
    error: str,
    final: bool = False,
    result: dict[str, Any] | None = None,
) -> bool:
    """Give the job back for a later try, each wait longer than the last; after `MOST_ATTEMPTS` it has failed.

    `result` is what a page needs to say why, when there will be no other try.
    """
    values: dict[str, Any]
    if final or lease.attempt >= MOST_ATTEMPTS:
        values = {"state": JobState.FAILED, "finished_at": now, "result": result}
    else:
        values = {"state": JobState.WAITING, "due_at": now + dt.timedelta(seconds=5 * 2**lease.attempt)}
    return session.scalar(_while_held(lease).values(error=error[:500], lease_until=None, **values)) is not None


def expired_queued(session: Session, *, now: dt.datetime, limit: int = 500) -> list[uuid.UUID]:
    """Rows that were handed to the queue and that no worker took in time: the queue may have lost them."""
    late = select(Job.id).where(Job.state == JobState.QUEUED, Job.lease_until < now).order_by(Job.due_at).limit(limit)
    return list(session.scalars(late.with_for_update(skip_locked=True)))


def expect_longer(session: Session, job_ids: list[uuid.UUID], *, now: dt.datetime) -> None:
    """The queue still holds these: look again when another lease has passed."""
    session.execute(
        update(Job).where(Job.id.in_(job_ids), Job.state == JobState.QUEUED).values(lease_until=now + LEASE)
    )


def put_back(session: Session, job_ids: list[uuid.UUID]) -> None:
    """The queue lost these: they wait for the relay again."""
    session.execute(
        update(Job)
        .where(Job.id.in_(job_ids), Job.state == JobState.QUEUED)
        .values(state=JobState.WAITING, lease_until=None)
    )


def sweep_running(session: Session, *, now: dt.datetime) -> int:
    """Put back the jobs whose worker fell silent; those that fell silent too often have failed.  Returns how many."""
    silent = (Job.state == JobState.RUNNING, Job.lease_until < now)
    lost = update(Job).where(*silent, Job.attempts >= MOST_ATTEMPTS)
    failed = session.execute(
        lost.values(state=JobState.FAILED, finished_at=now, error="worker_lost").returning(Job.id)
    ).all()
    again = session.execute(
        update(Job).where(*silent).values(state=JobState.WAITING, due_at=now).returning(Job.id)
    ).all()
    return len(failed) + len(again)
