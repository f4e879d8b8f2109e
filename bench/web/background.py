"""Writes of families with and without background work (P7): in each round once alone, then beside a worker that is busy.

The worker is `flask worker all`, with the queue of the portal.  It gets jobs of the queue `bulk`: in the city of the registration the
estimate of the chances, in the city of the result the drawing of admission notices, each a real job of the portal.  No scheduler runs, so
that the worker rests while a round is measured alone.
"""

import contextlib
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator

import psutil
import psycopg
from redis import Redis
from sqlalchemy.orm import Session

from bench.web import load
from bench.web.ground import ROOT, Ground, now
from enrollment.chances import estimates as chances
from enrollment.ground import jobs
from enrollment.results import letters
from portal.jobs.queue_entries import open_queue, put

SUBMISSIONS, CONFIRMATIONS = "submit beside background work", "confirm beside background work"
GOAL = 0.9
"""The least part of the rate that stays."""

QUEUE = "bulk"
LONGEST = 600
"""Seconds that one job may take; the first of a worker may compile the engine."""

Work = Callable[[Session, Ground], list[uuid.UUID]]
"""Writes the rows of jobs that last longer than a round; their ids."""


def estimates(session: Session, ground: Ground) -> list[uuid.UUID]:
    """The chances of all families, estimated anew and anew."""
    return [chances.request(session, why=f"bench:{uuid.uuid4()}", now=now()) for _ in range(60)]


def notices(session: Session, ground: Ground) -> list[uuid.UUID]:
    """The admission notices of the published result, as if none was drawn.  A job ends after its part of ten seconds."""
    with psycopg.connect(ground.url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM letter")
        runs = connection.execute("SELECT id FROM run WHERE state = 'published'").fetchall()
    return [
        jobs.enqueue(
            session, letters.DRAW_NOTICES, {"run": str(run), "done": 0}, key=f"bench:{uuid.uuid4()}", now=now()
        )
        for (run,) in runs
    ]


class Worker:
    """A worker of the portal whose queue this process fills."""

    def __init__(self, ground: Ground):
        self.ground, self.queue = ground, open_queue(QUEUE, Redis.from_url(ground.valkey.url()))
        with (ground.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "wsgi", "worker", "all"],
                cwd=ROOT, env=ground.environ, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def give(self, work: Work) -> list[uuid.UUID]:
        """Put the jobs into the queue, and wait until the worker is at one of them."""
        with Session(self.ground.engine) as session, session.begin():
            ids = work(session, self.ground)
        for each in ids:
            put(self.queue, each, timeout=LONGEST)
        self._until("a job is running", lambda: self._counted(ids, "running") > 0)
        return ids

    def rest(self, ids: list[uuid.UUID]) -> None:
        """Take the other jobs out of the queue, and wait until the worker has finished the one that it is at."""
        self.queue.empty()
        time.sleep(0.5)  # one that the worker has just taken is not in its row yet
        self._until("the worker rests", lambda: self._counted(ids, "running") == 0)

    def finish_one(self, ids: list[uuid.UUID]) -> None:
        self._until("a job is done", lambda: self._counted(ids, "done") > 0)

    def has_more(self, ids: list[uuid.UUID]) -> bool:
        return self._counted(ids, "done") < len(ids)

    def seconds(self) -> float:
        """Processor time of the worker with its forks."""
        total = 0.0
        with contextlib.suppress(psutil.Error):
            worker = psutil.Process(self.process.pid)
            for each in [worker, *worker.children(recursive=True)]:
                times = each.cpu_times()
                total += times.user + times.system
            total += worker.cpu_times().children_user + worker.cpu_times().children_system
        return total

    def _counted(self, ids: list[uuid.UUID], state: str) -> int:
        with psycopg.connect(self.ground.url) as connection:
            failed = connection.execute(
                "SELECT error FROM job WHERE id = ANY(%s) AND error IS NOT NULL", [ids]
            ).fetchone()
            if failed is not None:
                raise RuntimeError(f"a job of the worker failed: {failed[0]}")
            found = connection.execute("SELECT count(*) FROM job WHERE id = ANY(%s) AND state = %s", [ids, state])
            return (found.fetchone() or (0,))[0]

    def _until(self, what: str, is_so: Callable[[], bool]) -> None:
        limit = time.monotonic() + LONGEST
        while not is_so():
            if time.monotonic() > limit or self.process.poll() is not None:
                raise RuntimeError(f"not within {LONGEST} s: {what}: see {self.ground.folder / 'worker.log'}")
            time.sleep(0.05)

    def stop(self) -> None:
        with contextlib.suppress(psutil.Error):
            for each in psutil.Process(self.process.pid).children(recursive=True):
                each.kill()
        self.process.kill()
        self.process.wait(30)


def measured(
    ground: Ground,
    requests: Callable[[], Iterator[load.Request]],
    reset: Callable[[], None],
    work: Work,
    *,
    seconds: float,
    rounds: int,
) -> dict:
    """The rate alone and beside the work in each round, and their ratio; all of them are medians.

    Raises RuntimeError if an answer is no redirect, or if the worker was not at work during the whole of a round.
    """
    worker, found = Worker(ground), []
    try:
        first = worker.give(work)  # what a worker does once belongs to no round
        worker.finish_one(first)
        worker.rest(first)
        for _round in range(rounds):
            reset()
            alone, _took = _rate(ground, requests(), seconds)
            reset()
            ids = worker.give(work)
            before = worker.seconds()
            beside, took = _rate(ground, requests(), seconds)
            if not worker.has_more(ids):
                raise RuntimeError("the worker had too little to do")
            found.append(
                {
                    "rate_alone": alone,
                    "rate_beside": beside,
                    "ratio": beside / alone,
                    "cores_of_the_worker": (worker.seconds() - before) / took.elapsed,
                    "others": took.share_of_others,
                }
            )
            worker.rest(ids)
        reset()
    finally:
        worker.stop()
    middle = {name: round(statistics.median(each[name] for each in found), 3) for name in found[0]}
    return {**middle, "goals": {"ratio": GOAL}, "rounds": found}


def _rate(ground: Ground, requests: Iterator[load.Request], seconds: float) -> tuple[float, load.Spent]:
    with load.watched(ground.portal.workers, ground.postmaster) as spent:
        answers = load.run(ground.portal.port, requests, seconds)
    if set(answers.statuses) != {303}:
        raise RuntimeError(f"{dict(answers.statuses)} instead of 303 alone")
    return answers.rate, spent


def table(rows: list[dict]) -> str:
    """`others` of the rounds with work are the other programs and the worker together."""
    lines = [
        "| write | alone, per s | with work, per s | ratio (goal) | cores of the worker | worker and others |",
        "|" + "---|" * 6,
    ]
    lines += [
        f"| {row['path']} | {row['rate_alone']:.0f} | {row['rate_beside']:.0f} | {row['ratio']:.2f} (≥ {row['goals']['ratio']:g})"
        f" | {row['cores_of_the_worker']:.2f} | {row['others']:.0%} |"
        for row in rows
    ]
    return "\n".join(lines)
