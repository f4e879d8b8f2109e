"""Nightly: delete data whose retention period is over."""

from collections import Counter

from enrollment.ground.retention import Moment
from enrollment.maintenance import retention
from portal.jobs.runner import JobRun, job_handler
from portal.web.clock import real_now


@job_handler("retention", queue="bulk", timeout=6 * 3600)
def apply_retention(job: JobRun) -> dict:
    """Delete in batches, each in its own transaction, so that locks are short."""
    result: dict[str, Counter[str]] = {}
    for done, rule in enumerate(retention.RULES):
        result[rule.code] = Counter()
        for batch in retention.batches(rule):
            gone: Counter[str] | None = None
            while gone is None or gone:
                with job.session() as session:
                    gone = batch(session, Moment(job.now(session), real_now()), retention.BATCH)
                result[rule.code] += gone
        job.progress(done + 1, len(retention.RULES), rule.code)
    return {"forgotten": {code: dict(gone) for code, gone in result.items() if gone}}
