"""Every hour: look for what cannot be, and say so loudly in the log and in the job's result."""

import structlog

from enrollment.maintenance import invariants
from portal.jobs.runner import Work, handles

log = structlog.get_logger()


@handles("look_for_the_impossible", queue="bulk")
def look_for_the_impossible(work: Work) -> dict:
    with work.session() as session:
        found = list(invariants.found(session))
    for each in found:
        log.error("impossible", code=each.code, subject=each.subject)
    return {"found": len(found), "codes": sorted({each.code for each in found})}
