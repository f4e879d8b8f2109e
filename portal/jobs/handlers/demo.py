"""The job of the simulated people after the demo clock was moved."""

import datetime as dt
from typing import Any

from enrollment.chances import estimates, movement
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.season import rounds
from portal.demo import arrivals, season, time_travel
from portal.demo.actors import bulk_acts, simulated_draw
from portal.demo.actors.due_steps import due_step
from portal.demo.rounds.later_rounds import LaterRounds
from portal.jobs.handlers.ask_registers import ask_registers
from portal.jobs.handlers.phone_changes import end_phone_waits
from portal.jobs.handlers.run_round import process_answer_deadlines, process_joint_decisions
from portal.jobs.runner import JobRun, job_handler
from portal.web.unit_of_work import services


def _draw(job: JobRun, late: dt.datetime | None) -> dict[str, Any]:
    """What a visitor has left open (a possible duplicate, a review) keeps the simulated officials from drawing, too."""
    try:
        opened_at = simulated_draw.draw_if_nobody_has(
            services().engine, lambda done, of: job.progress(done, of, "draw"), late
        )
    except Refused as refused:
        return {"drawn": False, "waits": refused.as_row()}
    if opened_at is not None and late is not None:
        time_travel.follow(services().engine, opened_at)
    return {"drawn": opened_at is not None}


def _supplementary(job: JobRun, late: dt.datetime | None, *, finish: bool) -> dict[str, Any]:
    """The season between the answers and the arrivals (ADR 54), as in a city that is built to its end."""
    later = LaterRounds.of_the_city(services().engine, lambda step, done, of: job.progress(done, of, step))
    try:
        found = {"supplementary": later.open_for_visitor(late)}
        return found | ({"supplementary_drawn": later.finish_for_visitor(late)} if finish else {})
    except Refused as refused:
        return {"waits": refused.as_row()}


@job_handler("demo_people_act")  # not among long batches, which step back: a visitor waits for it
def demo_people_act(job: JobRun) -> dict:
    """Finish the reviews before the draw, the answers of the simulated families before their deadline, and the arrivals.

    Where nobody has drawn when the day of the results comes, two simulated officials draw; the same for the supplementary
    round, which opens by itself where a visitor has planned none.

    The clock has skipped scheduled jobs, so this job also closes rounds, queries the registers, puts phone changes and
    acts of guardians into effect whose waiting time is over, and ends offers that nobody answered.

    With `late` they do now what was refused on its day.
    """
    step: str = job.args["step"]
    result: dict[str, Any] = {}
    with job.session() as session:
        now = job.now(session)
        late = now if job.args.get("late") else None
        for found in rounds.rounds_of_year(session, season.YEAR):
            rounds.close_if_due(session, found.id, by=SYSTEM, now=now)
        estimates.request(session, why=f"demo:{job.job_id}", now=now)
    result |= ask_registers(job) | end_phone_waits(job) | process_joint_decisions(job)
    if step in ("draw", "result", "confirmation"):
        # they reviewed while it was time: what they sent back on the day of the draw would keep its list open for a day
        reviewed_at = late or min(now, season.LAST_REVIEWS)
        result["reviewed"] = bulk_acts.finish_reviews(
            services().engine, reviewed_at, lambda done, of: job.progress(done, of, "review")
        )
    if step == "result":
        result |= _draw(job, late)
        with job.session() as session:
            now = job.now(session)
    if step == "confirmation" or (result.get("drawn") and now > season.DATES["confirmation"][1]):
        result["answered"] = bulk_acts.finish_answers(
            services().engine, now, lambda done, of: job.progress(done, of, "answers")
        )
    if step in ("supplementary", "arrival"):
        result |= _supplementary(job, late, finish=step == "arrival")
    if step == "arrival":
        with job.session() as session:
            leave, now = bulk_acts.families_that_answer(session), job.now(session)
        result["arrivals"] = arrivals.finish_arrivals(
            services().engine, season.YEAR, now, lambda done, of: job.progress(done, of, "arrivals"), leave=leave
        )
    result |= process_answer_deadlines(job)
    with job.session() as session:
        movement.request(session, why=f"demo:{job.job_id}", now=job.now(session))
    return result


@job_handler("demo_goes_on", queue="quick")
def demo_goes_on(job: JobRun) -> dict:
    """Every minute of a demo: where a step of the season is due, the simulated clerks review what came since, and the simulated
    people do the step as soon as nothing keeps them from it."""
    with job.session() as session:
        now = job.now(session)
        due = due_step(session, now=now)
        if due is None or due.left_to_visitors or not time_travel.simulation_state(session).over:
            return {}
    reviewed = bulk_acts.finish_reviews(services().engine, now, lambda done, of: None)
    with job.session() as session:
        return {"reviewed": reviewed, "goes_on": time_travel.go_on(session, now=now)}
