"""The background jobs of a round, one at a time: freeze, draw tickets, prepare a publication, replay.

A job takes seconds for a town and minutes for a city, so a page only enqueues it.  The round refers to its newest job;
the job's row has the progress, and afterwards what was refused.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.jobs import Job, JobState
from enrollment.season.calendar import Season
from enrollment.season.rounds import Round

KINDS = ("freeze_round", "enter_seed", "prepare_run", "replay_round")

Progress = Callable[[int, int, str], None]
"""A function that is called with the number of finished steps, the number of all steps, and the code of the next step."""

Transaction = Callable[[], AbstractContextManager[Session]]
"""A function that opens a session; its changes are committed at the end of the `with` block, and undone by an exception."""


def no_progress(done: int, of: int, step: str) -> None:
    """A `Progress` that does nothing."""


@dataclass(frozen=True)
class JobStatus:
    """The newest job of a round.  `kind` is a code of `KINDS`; `state` is waiting, running, done, refused or failed.

    `refused` is a refusal that only the job could find; `error` says where the job failed by a programming fault.
    """

    kind: str
    state: str
    done: int
    of: int
    step: str | None
    run_id: uuid.UUID | None
    refused: Refused | None
    error: str | None

    @property
    def going_on(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def came_to_nothing(self) -> bool:
        return self.state in ("refused", "failed")


def of_round(session: Session, round_: Round) -> JobStatus | None:
    """None before the first job."""
    job = session.get(Job, round_.draw_job_id, populate_existing=True) if round_.draw_job_id else None
    if job is None:
        return None
    refused = Refused.from_row(job.result) if job.state == JobState.FAILED else None
    state = "refused" if refused else "waiting" if job.state == JobState.QUEUED else job.state
    run_id = uuid.UUID(job.args["run"]) if "run" in job.args else None
    return JobStatus(job.kind, state, job.done_units, job.all_units, job.step, run_id, refused, job.error)


def is_going_on(session: Session, round_id: uuid.UUID) -> bool:
    going = select(Job.id).join(Round, Round.draw_job_id == Job.id)
    return session.scalar(going.where(Round.id == round_id, Job.state.in_(jobs.ACTIVE))) is not None


def refuse_while_busy(session: Session, round_id: uuid.UUID) -> None:
    """For requests that would have to wait for the worker's locks.  Refuses `draw_at_work`."""
    if is_going_on(session, round_id):
        raise Refused("draw_at_work")


def lock_idle_round(session: Session, round_id: uuid.UUID) -> Round:
    """The round, locked, if it has no active job.  It does not wait for the lock.  Refuses `draw_at_work`."""
    free = select(Round).where(Round.id == round_id).with_for_update(key_share=True, skip_locked=True)
    round_ = session.scalars(free.execution_options(populate_existing=True)).one_or_none()
    if round_ is None:
        if session.get(Round, round_id) is None:
            raise NotFound
        raise Refused("draw_at_work")
    refuse_while_busy(session, round_id)
    return round_


def enqueue(
    session: Session, round_: Round, kind: str, args: dict[str, Any], *, by: Actor, now: dt.datetime
) -> uuid.UUID:
    """Enqueue a job in the caller's transaction.  The caller holds the lock of `lock_idle_round`."""
    row = {"round": str(round_.id), "by": str(by.account_id), **args}
    round_.draw_job_id = jobs.enqueue(session, kind, row, now=now)
    session.flush()
    audit.record(session, f"ask_{kind}", "round", round_.id, by=by, now=now)
    return round_.draw_job_id


def lock_round(session: Session, round_id: uuid.UUID) -> Round:
    """Lock the round and its season until the end of the transaction.  Families can still apply meanwhile."""
    held = select(Round).where(Round.id == round_id).with_for_update(key_share=True)
    round_ = session.scalars(held.execution_options(populate_existing=True)).one_or_none()
    if round_ is None:
        raise NotFound
    session.execute(select(Season.year).where(Season.year == round_.year).with_for_update(key_share=True))
    return round_
