"""What the worker does for a draw room, one thing at a time: freeze, give everybody a ticket, publish, replay.

Each takes seconds for a town and minutes for a city, so a page only asks for it.  The round names the job; the job's row
says how far it is, and afterwards what was refused.
"""

import datetime as dt
import uuid
from collections.abc import Callable
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

KINDS = ("freeze_round", "enter_seed", "publish_run", "replay_round")

Progress = Callable[[int, int, str], None]
"""Told how many steps of how many are done, and the code of the one that begins."""


def quietly(done: int, of: int, step: str) -> None:
    """The progress that nobody watches."""


@dataclass(frozen=True)
class Doing:
    """The newest work of a round: a code of `KINDS`; `state` is waiting, running, done, refused or failed.

    `refused` is what was refused only while it was done; `error` says where it broke off, of a fault of ours.
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


def of_round(session: Session, round_: Round) -> Doing | None:
    """None before the first."""
    job = session.get(Job, round_.draw_job_id, populate_existing=True) if round_.draw_job_id else None
    if job is None:
        return None
    refused = Refused.from_row(job.result) if job.state == JobState.FAILED else None
    state = "refused" if refused else "waiting" if job.state == JobState.QUEUED else job.state
    run_id = uuid.UUID(job.args["run"]) if "run" in job.args else None
    return Doing(job.kind, state, job.done_units, job.all_units, job.step, run_id, refused, job.error)


def is_going_on(session: Session, round_id: uuid.UUID) -> bool:
    going = select(Job.id).join(Round, Round.draw_job_id == Job.id)
    return session.scalar(going.where(Round.id == round_id, Job.state.in_(jobs.ACTIVE))) is not None


def refuse_while_at_work(session: Session, round_id: uuid.UUID) -> None:
    """For a page's verb that would have to wait for the worker's locks.  Refuses `draw_at_work`."""
    if is_going_on(session, round_id):
        raise Refused("draw_at_work")


def take_room(session: Session, round_id: uuid.UUID) -> Round:
    """The round, locked, if nothing is being done for it; whoever comes second is told at once.  Refuses `draw_at_work`."""
    free = select(Round).where(Round.id == round_id).with_for_update(key_share=True, skip_locked=True)
    round_ = session.scalars(free.execution_options(populate_existing=True)).one_or_none()
    if round_ is None:
        if session.get(Round, round_id) is None:
            raise NotFound
        raise Refused("draw_at_work")
    refuse_while_at_work(session, round_id)
    return round_


def begin(
    session: Session, round_: Round, kind: str, args: dict[str, Any], *, by: Actor, now: dt.datetime
) -> uuid.UUID:
    """Write the job's row beside what the caller decided; the caller holds the room."""
    row = {"round": str(round_.id), "by": str(by.account_id), **args}
    round_.draw_job_id = jobs.enqueue(session, kind, row, now=now)
    session.flush()
    audit.record(session, f"ask_{kind}", "round", round_.id, by=by, now=now)
    return round_.draw_job_id


def lock_round(session: Session, round_id: uuid.UUID) -> Round:
    """The round, and its season's draw, held until the end of the transaction; families may go on applying meanwhile."""
    held = select(Round).where(Round.id == round_id).with_for_update(key_share=True)
    round_ = session.scalars(held.execution_options(populate_existing=True)).one_or_none()
    if round_ is None:
        raise NotFound
    session.execute(select(Season.year).where(Season.year == round_.year).with_for_update(key_share=True))
    return round_
