"""Jobs that the draw room requests.  The transaction of each job also marks it as finished, so none runs twice."""

import uuid

from sqlalchemy.orm import Session

from enrollment.draw import draws, replay, runs, snapshot
from enrollment.ground.accounts import Account, Actor, actor_of
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
            beacon_name=job.args["beacon_name"],
            reason=job.args.get("reason", ""),
            progress=job.progress,
        )
        result |= {"number": frozen.number, "commitment": frozen.commitment}


@job_handler("enter_seed")
def enter_seed(job: JobRun) -> None:
    with job.final_transaction() as (session, result):
        draw = draws.set_seed(
            session,
            rounds.get_round(session, uuid.UUID(job.args["round"])).year,
            beacon=job.args["beacon"],
            ceremony=job.args["ceremony"],
            by=requesting_official(session, job),
            now=job.now(session),
            progress=job.progress,
        )
        result |= {"seed": draw.seed}


@job_handler("publish_run")
def publish_run(job: JobRun) -> None:
    with job.final_transaction() as (session, result):
        run_id, now = uuid.UUID(job.args["run"]), job.now(session)
        result["offers"] = runs.publish_signed(
            session, run_id, by=requesting_official(session, job), now=now, progress=job.progress
        )


@job_handler("replay_round")
def replay_round(job: JobRun) -> None:
    """Start a run, which is a job of its own."""
    with job.final_transaction() as (session, result):
        by, now = requesting_official(session, job), job.now(session)
        result["run"] = str(replay.start(session, uuid.UUID(job.args["round"]), by=by, now=now).id)
