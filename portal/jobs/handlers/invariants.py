"""Hourly: check the invariants of the data; report violations in the log and in the job's result."""

import structlog

from enrollment.maintenance import invariants
from portal.jobs.runner import JobRun, job_handler

log = structlog.get_logger()


@job_handler("check_invariants", queue="bulk")
def check_invariants(job: JobRun) -> dict:
    with job.session() as session:
        found = list(invariants.find_violations(session))
    for each in found:
        log.error("impossible", code=each.code, subject=each.subject)
    return {"found": len(found), "codes": sorted({each.code for each in found})}
