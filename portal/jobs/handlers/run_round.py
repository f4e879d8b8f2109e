"""Jobs of the draw: a run in three short transactions, replays, reminders, expired offers and joint decisions."""

import uuid
from typing import Any

from enrollment.draw import execution, replay, run_input
from enrollment.draw.central import central_runs
from enrollment.draw.vacancies import next_child
from enrollment.ground import jobs
from enrollment.ground.errors import Refused
from enrollment.offers import answer_deadlines, irrevocable_acts, joint_decisions
from portal.jobs.runner import JobRun, job_handler


@job_handler("run_round")
def run_round(job: JobRun) -> dict:
    """Read the input, place everybody outside a transaction, complete and save; prepare a replay that two people have approved.

    A transaction is committed only while this worker holds the job, so a delayed worker saves and publishes nothing.
    """
    run_id = uuid.UUID(job.args["run"])
    with job.session() as session:
        is_central = central_runs.is_central(session, run_id)
    if is_central:
        return _central(job, run_id)
    with job.session() as session:
        task = run_input.read(session, run_id)
    with job.session() as session:  # a second look at the families, which the row of the run need not wait for
        task = run_input.with_comparisons(session, task)
    placed = execution.place(task, progress=job.progress)
    with job.session() as session:
        output = execution.complete(session, placed, progress=job.progress)
        run = execution.save(session, run_id, output, now=job.now(session))
        result: dict[str, Any] = {"state": run.state, "digest": run.digest}
    with job.session() as session:
        result["waits"] = replay.let_wait_if_approved(session, run_id, now=job.now(session))
        if result["waits"]:
            now = job.now(session)
            jobs.enqueue(session, "prepare_run", {"run": str(run_id)}, key=f"prepare_run:{run_id}", now=now)
    return result


def _central(job: JobRun, run_id: uuid.UUID) -> dict:
    try:
        with job.session() as session:
            task = central_runs.read(session, run_id)
    except Refused as refused:
        with job.session() as session:
            return {"state": central_runs.set_stale_aside(session, run_id, refused, now=job.now(session)).state}
    computed = central_runs.compute(task, progress=job.progress)
    with job.session() as session:
        run = central_runs.save(session, run_id, computed, now=job.now(session))
        return {"state": run.state, "digest": run.digest}


@job_handler("replay_rounds")
def replay_rounds(job: JobRun) -> dict:
    """Start replays, daily and when a place became free: under a standing approval, free places go to the next children
    on the waiting list."""
    with job.session() as session:
        return {"started": len(replay.start_daily(session, now=job.now(session)))}


@job_handler("replay_vacancies")
def replay_vacancies(job: JobRun) -> dict:
    """Start replays for places that were given up some minutes ago, under a standing approval."""
    with job.session() as session:
        return {"started": len(next_child.start_due(session, now=job.now(session)))}


@job_handler("answers_due")
def process_answer_deadlines(job: JobRun) -> dict:
    """Remind families that have one day left; end offers whose family was reminded and did not answer.

    A place that was given to the next child does not come back, so both clocks must say that the time is over.
    """
    with job.session() as session:
        reminded = answer_deadlines.remind_due(session, now=job.witnessed_now(session))
    with job.session() as session:
        return {"reminded": reminded, "ended": answer_deadlines.expire_due(session, now=job.witnessed_now(session))}


@job_handler("joint_decisions_due")
def process_joint_decisions(job: JobRun) -> dict:
    """Start acts anew after a dispute; remind of acts that take effect soon; carry out those whose waiting time is over,
    each in its own transaction, by both clocks, because an act that took effect is not undone."""
    with job.session() as session:
        irrevocable_acts.renew_after_holds(session, now=job.witnessed_now(session))
        joint_decisions.remind_due(session, now=job.witnessed_now(session))
    with job.session() as session:
        waiting = joint_decisions.due(session, now=job.witnessed_now(session))
    effective = 0
    for act_id in waiting:
        with job.session() as session:
            effective += irrevocable_acts.take_effect(session, act_id, now=job.witnessed_now(session))
    return {"effective": effective}
