"""Nightly: delete data whose retention period is over."""

from collections import Counter

from enrollment.ground.retention import Moment
from enrollment.maintenance import retention
from portal.jobs.runner import JobRun, job_handler
from portal.web.clock import real_now
from portal.web.unit_of_work import services


@job_handler("retention", queue="bulk", timeout=6 * 3600)
def apply_retention(job: JobRun) -> dict:
    """Delete in batches, each in its own transaction, so that locks are short."""
    if not services().config.demo:  # whose visitors move the clock by months
        with job.session() as session:
            retention.refuse_doubtful_clock(session, job.now(session))
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
