"""Daily during registration: estimate the chances of the families who have applied, by simulating the draw many times."""

from enrollment.chances import estimate_market, estimates
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
        drawn = estimates.simulate(made.market, progress=job.progress)
        with job.session() as session:
            result.append(estimates.save(session, made, drawn))
    return {"estimates": [one for one in result if one is not None]}
