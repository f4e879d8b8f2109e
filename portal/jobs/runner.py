"""The second entry point: background jobs.

A service writes a job's row in its own transaction.  The scheduler relays due rows to the queue, which carries only the
id.  A worker takes the row with a lease and a fencing token, and the handler of its kind calls the same services as a
page.  The queue may lose its content at any time: the sweeper finds the rows and enqueues them again.
"""

import contextlib
import datetime as dt
import importlib
import logging
import pkgutil
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from rq import Queue
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.errors import Refused
from portal.jobs import process_identity, queue_entries
from portal.jobs.queue_entries import QUEUES
from portal.web import clock
from portal.web.logs import fault_trace

log = logging.getLogger(__name__)

WORKERS = {"hour": ("hour",), "quick": ("quick",), "all": ("hour", "quick", "steady", "bulk")}
"""The queues that each kind of worker serves.  One worker serves openings only, so that no batch delays them; a worker of
the kind `quick` is never held up by a batch."""

HOUR = 3600

PATIENCE = 1.0
"""Seconds that a job waits longer than the clock said."""


class LeaseLost(Exception):
    """Another worker has taken the job; the transaction of this one is rolled back."""


Function = Callable[["JobRun"], dict[str, Any] | None]
"""A handler: it gets the run of a job; its return value becomes the job's result."""


F = TypeVar("F", bound=Function)


@dataclass(frozen=True)
class Handler:
    """`timeout` in seconds is the longest that one run may take."""

    kind: str
    function: Function
    queue: str
    timeout: int


HANDLERS: dict[str, Handler] = {}


def load_handlers() -> None:
    """Import every module of `portal/jobs/handlers`, which registers its handlers."""
    package = importlib.import_module("portal.jobs.handlers")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def job_handler(kind: str, *, queue: str = "steady", timeout: int = HOUR) -> Callable[[F], F]:
    """Register a function as the handler of one kind of job.  Its return value becomes the job's result."""
    if queue not in QUEUES:
        raise ValueError(f"{queue!r} is none of the queues {QUEUES}")

    def mark(function: F) -> F:
        if kind in HANDLERS and HANDLERS[kind].function.__qualname__ != function.__qualname__:
            raise ValueError(f"two handlers for jobs of the kind {kind!r}")
        HANDLERS[kind] = Handler(kind, function, queue, timeout)
        return function

    return mark


class JobRun:
    """One run of one job, as its handler sees it.  It may be a second run, so a handler must be idempotent."""

    def __init__(self, engine: Engine, lease: jobs.Lease, clock: Callable[[Session], dt.datetime]):
        self._engine, self._lease, self._clock = engine, lease, clock
        self.job_id, self.args, self.attempt = lease.job_id, lease.args, lease.attempt
        self.closed = False

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction that is committed at its end only if this worker still holds the job.  Raises LeaseLost."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session
            session.flush()
            if not jobs.lock_lease(session, self._lease):
                raise LeaseLost

    @contextlib.contextmanager
    def final_transaction(self) -> Iterator[tuple[Session, dict[str, Any]]]:
        """The last transaction and the job's result: the changes and the end of the job are one commit.

        For jobs that must never run twice: when the worker dies afterwards, the job is already finished.
        """
        result: dict[str, Any] = {}
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session, result
            session.flush()
            if not jobs.finish(session, self._lease, now=self._clock(session), result=result):
                raise LeaseLost
        self.closed = True

    def now(self, session: Session) -> dt.datetime:
        return self._clock(session)

    def witnessed_now(self, session: Session) -> dt.datetime:
        """The city's time by the clock that is behind, of the database's and this host's.

        For what nobody can take back: a result that the wrong clock opened a day early has been read, and one that waits for
        the operator has not.
        """
        return self.now(session) - max(clock.database_is_ahead(session), dt.timedelta())

    def wait_until(self, moment: dt.datetime) -> dt.datetime:
        """Return at this moment of the city's clock by both witnesses, and the time.  A clock that stands still, was turned back
        or is far behind does not hold the worker: the time is then before the moment."""
        with self._quick_session() as session:
            now = self.witnessed_now(session)
        ends = time.monotonic() + (moment - now).total_seconds() + PATIENCE
        while now < moment and time.monotonic() < ends:
            time.sleep(max(min((moment - now).total_seconds(), 1.0), 0.002))
            with self._quick_session() as session:
                now = self.witnessed_now(session)
        return now

    def progress(self, done: int, of: int, step: str | None = None) -> None:
        """Report the progress: `done` of `of` units, and the code of the step."""
        with self._quick_session() as session:
            if not jobs.report_progress(session, self._lease, done=done, of=of, step=step):
                raise LeaseLost

    @contextlib.contextmanager
    def _quick_session(self) -> Iterator[Session]:
        with Session(self._engine) as session, session.begin():
            yield session

    def renew_lease(self) -> bool:
        """Prolong the lease."""
        with self._quick_session() as session:
            return jobs.renew_lease(session, self._lease)

    def finish(self, result: dict[str, Any] | None) -> bool:
        with self._quick_session() as session:
            return jobs.finish(session, self._lease, now=self._clock(session), result=result)

    def fail(self, error: str, *, final: bool = False, result: dict[str, Any] | None = None) -> bool:
        with self._quick_session() as session:
            now = self._clock(session)
            return jobs.fail(session, self._lease, now=now, error=error, final=final, result=result)


def run(engine: Engine, clock: Callable[[Session], dt.datetime], job_id: uuid.UUID, owner: str) -> str:
    """Run one job unless another worker holds it.  Returns `not_free`, `done`, `lost`, `refused` or `failed`."""
    with Session(engine) as session, session.begin():
        lease = jobs.take(session, job_id, owner=owner)
    if lease is None:
        return "not_free"
    job = JobRun(engine, lease, clock)
    handler = HANDLERS.get(lease.kind)
    if handler is None:
        job.fail("no_handler", final=True)
        return "failed"
    with _heartbeat(job):
        return _run_handler(job, handler)


def _run_handler(job: JobRun, handler: Handler) -> str:
    try:
        result = handler.function(job)
        return "done" if job.closed or job.finish(result) else "lost"
    except LeaseLost:
        log.warning("job %s was taken by another worker", job.job_id)
        return "lost"
    except Refused as refused:
        job.fail(refused.code, final=True, result=refused.as_row())
        return "refused"
    except Exception as error:
        log.error("job %s (%s) failed: %s", job.job_id, handler.kind, "; ".join(fault_trace(error)))
        job.fail(fault_location(error))
        return "failed"


def fault_location(error: BaseException) -> str:
    """The type of an exception and its place; never its text, which may contain personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return f"{type(error).__name__} at {last.name}:{last.lineno}" if last else type(error).__name__


@contextlib.contextmanager
def _heartbeat(job: JobRun) -> Iterator[None]:
    over = threading.Event()

    def beat() -> None:
        while not over.wait(jobs.LEASE.total_seconds() / 4):
            try:
                if not job.renew_lease():
                    return
            except Exception:
                # the database may be unreachable for a short time; the lease decides whether it was too long
                log.warning("job %s: the lease could not be prolonged", job.job_id, exc_info=True)

    thread = threading.Thread(target=beat, daemon=True, name=f"heartbeat of {job.job_id}")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def relay(engine: Engine, queue_of: Callable[[str], Queue], *, now: dt.datetime, limit: int = 500) -> int:
    """Enqueue due rows; returns how many.

    A row is enqueued before its state is committed, because running twice is harmless and never running is not.
    """
    with Session(engine) as session, session.begin():
        rows = jobs.queue_due(session, now=now, limit=limit)
        for job_id, kind in rows:
            handler = HANDLERS.get(kind)
            timeout = handler.timeout if handler else HOUR
            queue_entries.put(queue_of(handler.queue if handler else "steady"), job_id, timeout=timeout)
    return len(rows)


def give_back_of_dead(session: Session, *, now: dt.datetime) -> int:
    """Jobs whose worker is certainly dead, because it was a process of this host, wait again; returns how many."""
    dead = [owner for owner in jobs.owners_at_work(session) if process_identity.is_dead(owner)]
    return jobs.requeue_of(session, dead, now=now) if dead else 0


def sweep(engine: Engine, queue_of: Callable[[str], Queue], *, now: dt.datetime) -> int:
    """Return jobs to the waiting state whose worker is silent or that the queue has lost; returns how many."""
    with Session(engine) as session, session.begin():
        again = jobs.requeue_expired(session, now=now)
        late = jobs.overdue_in_queue(session)
        if late:
            known = {job_id for name in QUEUES for job_id in queue_of(name).get_job_ids()}
            held = [job_id for job_id in late if str(job_id) in known]
            lost = [job_id for job_id in late if str(job_id) not in known]
            jobs.extend_queue_time(session, held)
            jobs.requeue(session, lost)
            again += len(lost)
    return again
