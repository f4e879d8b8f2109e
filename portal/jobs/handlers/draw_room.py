"""Jobs that the draw room requests.  The transaction of each job also marks it as finished, so none runs twice."""

import contextlib
import uuid

from sqlalchemy.orm import Session

from enrollment.chances import movement
from enrollment.draw import replay, snapshot
from enrollment.draw.publication import calendar_dates, hours, opening, preparation, run_moves
from enrollment.draw.seed import seeding
from enrollment.ground.accounts import SYSTEM, Account, Actor, actor_of
from enrollment.ground.errors import Refused
from enrollment.results import letters
from enrollment.season import rounds
from portal.jobs.runner import JobRun, job_handler


def requesting_official(session: Session, job: JobRun) -> Actor:
    """The official who requested the job, with the current roles."""
    return actor_of(session.get_one(Account, uuid.UUID(job.args["by"])))


@job_handler("freeze_round")
def freeze_round(job: JobRun) -> None:
    with job.final_transaction() as (session, result):
        frozen = snapshot.freeze(
            session,
            uuid.UUID(job.args["round"]),
            by=requesting_official(session, job),
            now=job.now(session),
            reason=job.args.get("reason", ""),
            progress=job.progress,
        )
        result |= {"number": frozen.number, "commitment": frozen.commitment}


@job_handler("enter_seed")
def enter_seed(job: JobRun) -> None:
    with job.final_transaction() as (session, result):
        draw = seeding.set_seed(
            session,
            rounds.get_round(session, uuid.UUID(job.args["round"])).year,
            by=requesting_official(session, job),
            now=job.now(session),
            progress=job.progress,
        )
        result |= {"seed": draw.seed}


@job_handler("prepare_run")
def prepare_run(job: JobRun) -> None:
    """Prepare a signed run in batches, each in its own transaction; the last transaction enqueues its opening."""
    run_id = uuid.UUID(job.args["run"])

    def by(session: Session) -> Actor:
        return requesting_official(session, job) if job.args.get("by") else SYSTEM

    preparation.prepare(job.session, run_id, by=by, progress=job.progress)
    with job.final_transaction() as (session, result):
        result["offers"] = preparation.finish(session, run_id, now=job.now(session))


@job_handler("publish_run", queue="hour")
def publish_run(job: JobRun) -> dict:
    """Open a result at its hour by the clocks of the database and of this host; the job begins a little earlier."""
    return {"offers": _open(job, uuid.UUID(job.args["run"]))}


@job_handler("publications_due")
def open_due_publications(job: JobRun) -> dict:
    """Every minute: open what its own job did not open, follow a calendar date that was moved, and refuse in good time a run
    whose list was corrected meanwhile."""
    with job.session() as session:
        calendar_dates.follow(session, now=job.now(session))
        now, waiting = job.witnessed_now(session), opening.waiting_runs(session)
        due = [
            run.id for run, row in waiting if row.prepared_at is not None and row.hour <= now and row.refused_at is None
        ]
        soon = now + hours.LONGEST_LEAD  # a run that is being opened is locked
        early = [run.id for run, row in waiting if row.hour > soon and row.refused_at is None]
    for run_id in early:
        with job.session() as session:
            opening.refuse_early(session, run_id, now=job.now(session))
    return {"offers": [_open(job, run_id) for run_id in due]}


def _open(job: JobRun, run_id: uuid.UUID) -> int | None:
    """Open a result; None if it is not opened.  A refusal is stored, and the officials are told."""
    try:
        offers = _open_in_its_second(job, run_id)
    except Refused as refused:
        if refused.code not in opening.NOT_YET:
            with job.session() as session:
                opening.refuse(session, run_id, refused, now=job.now(session))
        return None
    with job.session() as session:
        preparation.clear(session, run_id)
        letters.draw_notices_ahead(session, run_id, now=job.now(session))
        movement.request(session, why=f"opened:{run_id}", now=job.now(session))
    return offers


def _open_in_its_second(job: JobRun, run_id: uuid.UUID) -> int:
    while True:
        with contextlib.suppress(run_moves.Overtaken), job.session() as session:
            now = job.witnessed_now(session)
            return opening.open_run(session, run_id, now=now, wait=job.wait_until, progress=job.progress)


@job_handler("replay_round")
def replay_round(job: JobRun) -> None:
    """Start a run, which is a job of its own."""
    with job.final_transaction() as (session, result):
        by, now = requesting_official(session, job), job.now(session)
        result["run"] = str(replay.start(session, uuid.UUID(job.args["round"]), by=by, now=now).id)
