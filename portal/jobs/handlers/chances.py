"""Daily: estimate the chances of the families who have applied, and after the result the movement of the waiting lines."""

from collections.abc import Callable

from enrollment.chances import estimate_market, estimates, movement, movement_market
from portal.jobs import bulk_priority
from portal.jobs.runner import JobRun, job_handler


@job_handler("estimate_chances", queue="bulk")
def estimate_chances(job: JobRun) -> dict:
    """Build the market, simulate outside a transaction, save.  A second run saves the same result."""
    with job.session() as session:
        rounds = estimates.due_rounds(session, now=job.now(session))
    result = []
    for round_id in rounds:
        with job.session() as session:
            made = estimate_market.read(session, round_id, now=job.now(session))
        if made is None:
            continue
        drawn = estimates.simulate(made.market, progress=_unhurried(job))
        with job.session() as session:
            result.append(estimates.save(session, made, drawn))
    return {"estimates": [one for one in result if one is not None]}


@job_handler("estimate_movement", queue="bulk")
def estimate_movement(job: JobRun) -> dict:
    """Read the waiting line of each published round, replay outside a transaction, save.  A second run saves the same.

    An estimate that cannot be made anew is deleted, so that no page shows an old one.
    """
    with job.session() as session:
        rounds = movement_market.due_rounds(session, now=job.now(session))
    children = []
    for round_id in rounds:
        with job.session() as session:
            made = movement_market.read(session, round_id, now=job.now(session))
            if made is None:
                movement.forget(session, round_id)
        if made is None:
            continue
        counted = movement.replay(made, progress=_unhurried(job))
        with job.session() as session:
            children.append(movement.save(session, made, counted))
    return {"children": [each for each in children if each is not None]}


def _unhurried(job: JobRun) -> Callable[[int, int], None]:
    """The progress of a job that nobody waits for: it rests after each report."""

    def progress(done: int, of: int) -> None:
        job.progress(done, of)
        bulk_priority.rest()

    return progress
