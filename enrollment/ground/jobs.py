"""Background jobs.  A job is a row; the queue carries only its id and may lose it at any moment (ADR 3).

When a job is due is the city's time, which the caller tells.  How long a lease holds is measured by the clock of the database:
workers of two hosts whose clocks differ, or of a demo whose clock a visitor turns, agree about who holds a job.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, Index, and_, func, literal, or_, select, text, update
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
    """`fence` grows with every lease, so that a worker whose lease expired cannot commit after another one took over."""

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
"""Time after which another worker may take the job of a worker that does not renew its lease."""

DATABASE_NOW = func.clock_timestamp()

MOST_ATTEMPTS = 5


ACTIVE = (JobState.WAITING, JobState.QUEUED, JobState.RUNNING)
"""States of a job that is not finished."""


@dataclass(frozen=True)
class Lease:
    """The right of one worker to do one job, until another worker has a higher fence."""

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

    `key` identifies the job (`"result:<round>:<child>"`): a second call with the same key returns the id of the first job
    and adds none.  `args` contain ids and numbers, never personal data.
    """
    job_id = uuid.uuid4()
    row = {"id": job_id, "kind": kind, "dedupe_key": key or str(job_id), "args": args or {}, "state": JobState.WAITING}
    row |= {"attempts": 0, "fence": 0, "done_units": 0, "all_units": 0, "created_at": now, "due_at": due or now}
    written = insert(Job).values(**row).on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(Job.id)
    # no NOTIFY: PostgreSQL would commit one transaction at a time; the scheduler polls twice a second instead
    if session.scalar(written) is None:
        return session.scalars(select(Job.id).where(Job.dedupe_key == row["dedupe_key"])).one()
    return job_id


ENQUEUE = f"""
    INSERT INTO job (id, kind, dedupe_key, args, state, attempts, fence, done_units, all_units, created_at, due_at)
    SELECT gen_random_uuid(), %(job_kind)s, %(job_key)s, %(job_args)s, '{JobState.WAITING}', 0, 0, 0, 0, %(now)s, %(now)s
"""
"""The row of `enqueue` inside a larger statement, which adds FROM, a condition, and `ON CONFLICT (dedupe_key) DO NOTHING`."""


def queue_due(session: Session, *, now: dt.datetime, limit: int = 500) -> list[tuple[uuid.UUID, str]]:
    """Mark due rows as queued and return (id, kind) of each.  Two schedulers never get the same row."""
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
        .values(state=JobState.QUEUED, lease_until=DATABASE_NOW + LEASE)
        .returning(Job.id, Job.kind)
    )
    return [(row.id, row.kind) for row in session.execute(marked)]


def take(session: Session, job_id: uuid.UUID, *, owner: str) -> Lease | None:
    """Lease the job to `owner`; None if it is done, failed, or leased to a worker that is alive."""
    free = or_(
        Job.state.in_((JobState.WAITING, JobState.QUEUED)),
        and_(Job.state == JobState.RUNNING, Job.lease_until < DATABASE_NOW),
    )
    taken = (
        update(Job)
        .where(Job.id == job_id, free)
        .values(
            state=JobState.RUNNING,
            lease_owner=owner,
            lease_until=DATABASE_NOW + LEASE,
            fence=Job.fence + 1,
            attempts=Job.attempts + 1,
            error=None,
        )
        .returning(Job.kind, Job.args, Job.fence, Job.attempts)
    )
    row = session.execute(taken).one_or_none()
    return Lease(job_id, row.kind, row.args, row.fence, row.attempts) if row else None


def _update_if_leased(lease: Lease):
    return (
        update(Job)
        .where(Job.id == lease.job_id, Job.fence == lease.fence, Job.state == JobState.RUNNING)
        .returning(Job.id)
    )


def renew_lease(session: Session, lease: Lease) -> bool:
    """Renew the lease.  False: another worker took the job, so stop and commit nothing."""
    return session.scalar(_update_if_leased(lease).values(lease_until=DATABASE_NOW + LEASE)) is not None


def report_progress(session: Session, lease: Lease, *, done: int, of: int, step: str | None = None) -> bool:
    """Store the progress: `done` of `of` units, and the code of the step for the page that shows it."""
    return session.scalar(_update_if_leased(lease).values(done_units=done, all_units=of, step=step)) is not None


def lock_lease(session: Session, lease: Lease) -> bool:
    """Lock the row until the caller's commit, so that only the holder of the lease commits.  False: the lease is lost."""
    held = select(Job.id).where(Job.id == lease.job_id, Job.fence == lease.fence, Job.state == JobState.RUNNING)
    return session.scalar(held.with_for_update()) is not None


def finish(session: Session, lease: Lease, *, now: dt.datetime, result: dict[str, Any] | None = None) -> bool:
    """Mark the job as done.  False: the lease is lost, so the caller must roll back."""
    body = json.dumps(result, sort_keys=True, ensure_ascii=False)
    closed = _update_if_leased(lease).values(
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
    """Schedule another attempt after a growing delay; after `MOST_ATTEMPTS` attempts the job has failed.

    `result` is what a page shows about a failed job.
    """
    values: dict[str, Any]
    if final or lease.attempt >= MOST_ATTEMPTS:
        values = {"state": JobState.FAILED, "finished_at": now, "result": result}
    else:
        values = {"state": JobState.WAITING, "due_at": now + dt.timedelta(seconds=5 * 2**lease.attempt)}
    return session.scalar(_update_if_leased(lease).values(error=error[:500], lease_until=None, **values)) is not None


def overdue_in_queue(session: Session, *, limit: int = 500) -> list[uuid.UUID]:
    """Queued jobs that no worker took in time: the queue may have lost them."""
    late = select(Job.id).where(Job.state == JobState.QUEUED, Job.lease_until < DATABASE_NOW)
    return list(session.scalars(late.order_by(Job.due_at).limit(limit).with_for_update(skip_locked=True)))


def extend_queue_time(session: Session, job_ids: list[uuid.UUID]) -> None:
    """These jobs are still in the queue: check them again after another `LEASE`."""
    session.execute(
        update(Job).where(Job.id.in_(job_ids), Job.state == JobState.QUEUED).values(lease_until=DATABASE_NOW + LEASE)
    )


def requeue(session: Session, job_ids: list[uuid.UUID]) -> None:
    """The queue lost these jobs: mark them as waiting again."""
    session.execute(
        update(Job)
        .where(Job.id.in_(job_ids), Job.state == JobState.QUEUED)
        .values(state=JobState.WAITING, lease_until=None)
    )


def requeue_expired(session: Session, *, now: dt.datetime) -> int:
    """Requeue jobs whose lease expired; those with `MOST_ATTEMPTS` attempts have failed.  Returns how many of both."""
    return _requeue(session, Job.lease_until < DATABASE_NOW, now=now)


def requeue_of(session: Session, owners: Collection[str], *, now: dt.datetime) -> int:
    """The same for jobs whose owner is known to be dead: nobody waits for the end of the lease.

    After the first death at once; then 2, 8 and 18 seconds later, so that a bad minute does not use up all attempts.
    """
    deaths_before = Job.attempts - 1
    pause = func.make_interval(0, 0, 0, 0, 0, 0, 2.0 * deaths_before * deaths_before)
    return _requeue(session, Job.lease_owner.in_(owners), now=now, due=literal(now) + pause)


def owners_at_work(session: Session) -> list[str]:
    """Who holds a job."""
    held = select(Job.lease_owner).where(Job.state == JobState.RUNNING, Job.lease_owner.is_not(None)).distinct()
    return [owner for owner in session.scalars(held) if owner is not None]


def _requeue(
    session: Session,
    lost_ones: ColumnElement[bool],
    *,
    now: dt.datetime,
    due: ColumnElement[dt.datetime] | None = None,
) -> int:
    silent = (Job.state == JobState.RUNNING, lost_ones)
    lost = update(Job).where(*silent, Job.attempts >= MOST_ATTEMPTS)
    failed = session.execute(
        lost.values(state=JobState.FAILED, finished_at=now, error="worker_lost").returning(Job.id)
    ).all()
    again = session.execute(
        update(Job).where(*silent).values(state=JobState.WAITING, due_at=now if due is None else due).returning(Job.id)
    ).all()
    return len(failed) + len(again)
