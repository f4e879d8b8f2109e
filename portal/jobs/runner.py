"""The second front door: work that happens outside a request.

A verb writes a job's row in its own transaction.  The clock's process relays due rows to the queue, which carries the
id and nothing else.  A worker takes the row under a lease with a fence, and the handler of its kind calls the same verbs
as a page would.  The queue may lose everything at any moment: the sweeper finds the rows and hands them over again.
"""

import contextlib
import datetime as dt
import importlib
import logging
import pkgutil
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rq import Queue
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.errors import Refused
from portal.web.logs import way_of

log = logging.getLogger(__name__)

QUEUES = ("quick", "steady", "bulk")
"""Names of the queues, the most urgent first: messages that somebody waits for, single works, long batches."""

WORKERS = {"quick": ("quick",), "all": ("quick", "steady", "bulk")}
"""Which queues each kind of worker serves.  One worker for messages alone, so that no batch makes a parent wait."""

BEAT = "portal:clock"
"""The key in the queue's server that says the clock turns; it fades when the clock stands."""

HOUR = 3600


class Lost(Exception):
    """The job was taken by another worker; what this one wrote is rolled back."""


@dataclass(frozen=True)
class Handler:
    """`timeout` in seconds is the longest that one run may take."""

    kind: str
    function: Callable[["Work"], dict[str, Any] | None]
    queue: str
    timeout: int


HANDLERS: dict[str, Handler] = {}


def load_handlers() -> None:
    """Import every file of `portal/jobs/handlers`, so that each handler is known."""
    package = importlib.import_module("portal.jobs.handlers")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def handles(kind: str, *, queue: str = "steady", timeout: int = HOUR):
    """Mark the function that does the jobs of one kind.  It gets a `Work`; what it returns is kept as the result."""
    if queue not in QUEUES:
        raise ValueError(f"{queue!r} is none of the queues {QUEUES}")

    def mark(function):
        if kind in HANDLERS and HANDLERS[kind].function.__qualname__ != function.__qualname__:
            raise ValueError(f"two handlers for jobs of the kind {kind!r}")
        HANDLERS[kind] = Handler(kind, function, queue, timeout)
        return function

    return mark


class Work:
    """One run of one job, as its handler sees it.  It may be the second run: begin with what is already there."""

    def __init__(self, engine: Engine, lease: jobs.Lease, clock: Callable[[Session], dt.datetime]):
        self._engine, self._lease, self._clock = engine, lease, clock
        self.job_id, self.args, self.attempt = lease.job_id, lease.args, lease.attempt
        self.closed = False

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction that is committed at its end, if and only if this worker still holds the job."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session
            session.flush()
            if not jobs.hold(session, self._lease):
                raise Lost

    @contextlib.contextmanager
    def closing(self) -> Iterator[tuple[Session, dict[str, Any]]]:
        """The last transaction, and the job's result: what it wrote and the end of the job are one commit.

        For work that must never be done twice: a worker that dies right after it leaves nothing to be done again.
        """
        told: dict[str, Any] = {}
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session, told
            session.flush()
            if not jobs.finish(session, self._lease, now=self._clock(session), result=told):
                raise Lost
        self.closed = True

    def now(self, session: Session) -> dt.datetime:
        return self._clock(session)

    def progress(self, done: int, of: int, step: str | None = None) -> None:
        """Show how far the work is: `done` of `of` units, and the code of the step."""
        with self._quick_session() as session:
            if not jobs.report(session, self._lease, done=done, of=of, step=step):
                raise Lost

    @contextlib.contextmanager
    def _quick_session(self) -> Iterator[Session]:
        with Session(self._engine) as session, session.begin():
            yield session

    def still_ours(self) -> bool:
        """Prolong the lease."""
        with self._quick_session() as session:
            return jobs.keep(session, self._lease, now=self._clock(session))

    def finish(self, result: dict[str, Any] | None) -> bool:
        with self._quick_session() as session:
            return jobs.finish(session, self._lease, now=self._clock(session), result=result)

    def fail(self, error: str, *, final: bool = False, result: dict[str, Any] | None = None) -> bool:
        with self._quick_session() as session:
            now = self._clock(session)
            return jobs.fail(session, self._lease, now=now, error=error, final=final, result=result)


def run(engine: Engine, clock: Callable[[Session], dt.datetime], job_id: uuid.UUID, owner: str) -> str:
    """Do one job, if nobody does it.  Returns `not_free`, `done`, `lost`, `refused` or `failed`."""
    with Session(engine) as session, session.begin():
        lease = jobs.take(session, job_id, owner=owner, now=clock(session))
    if lease is None:
        return "not_free"
    work = Work(engine, lease, clock)
    handler = HANDLERS.get(lease.kind)
    if handler is None:
        work.fail("no_handler", final=True)
        return "failed"
    with _heartbeat(work):
        return _do(work, handler)


def _do(work: Work, handler: Handler) -> str:
    try:
        result = handler.function(work)
        return "done" if work.closed or work.finish(result) else "lost"
    except Lost:
        log.warning("job %s was taken by another worker", work.job_id)
        return "lost"
    except Refused as refused:
        work.fail(refused.code, final=True, result=refused.as_row())
        return "refused"
    except Exception as error:
        log.error("job %s (%s) failed: %s", work.job_id, handler.kind, "; ".join(way_of(error)))
        work.fail(where(error))
        return "failed"


def where(error: BaseException) -> str:
    """The kind of a fault and its place; never its text, which may hold a person's data."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return f"{type(error).__name__} at {last.name}:{last.lineno}" if last else type(error).__name__


@contextlib.contextmanager
def _heartbeat(work: Work) -> Iterator[None]:
    over = threading.Event()

    def beat() -> None:
        while not over.wait(jobs.LEASE.total_seconds() / 4):
            try:
                if not work.still_ours():
                    return
            except Exception:
                # the database is away for a moment; the lease tells whether it was too long
                log.warning("job %s: the lease could not be prolonged", work.job_id, exc_info=True)

    thread = threading.Thread(target=beat, daemon=True, name=f"heartbeat of {work.job_id}")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def relay(engine: Engine, queue_of: Callable[[str], Queue], *, now: dt.datetime, limit: int = 500) -> int:
    """Hand due rows to the queue; how many.  A row is pushed before its mark is committed: twice is harmless, never is not."""
    with Session(engine) as session, session.begin():
        rows = jobs.take_waiting(session, now=now, limit=limit)
        for job_id, kind in rows:
            handler = HANDLERS.get(kind)
            timeout = handler.timeout if handler else HOUR
            queue_of(handler.queue if handler else "steady").enqueue_call(
                "portal.jobs.worker.perform",
                args=(str(job_id),),
                job_id=str(job_id),
                timeout=timeout,
                result_ttl=0,
                failure_ttl=HOUR,
            )
    return len(rows)


def sweep(engine: Engine, queue_of: Callable[[str], Queue], *, now: dt.datetime) -> int:
    """Find the rows whose worker fell silent, and those that the queue lost, and let them wait again; how many."""
    with Session(engine) as session, session.begin():
        again = jobs.sweep_running(session, now=now)
        late = jobs.expired_queued(session, now=now)
        if late:
            known = {job_id for name in QUEUES for job_id in queue_of(name).get_job_ids()}
            held = [job_id for job_id in late if str(job_id) in known]
            lost = [job_id for job_id in late if str(job_id) not in known]
            jobs.expect_longer(session, held, now=now)
            jobs.put_back(session, lost)
            again += len(lost)
    return again
