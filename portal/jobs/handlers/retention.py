"""Every night: what the register of data names a time for is deleted when that time is over."""

from collections import Counter

from enrollment.ground.retention import Moment
from enrollment.maintenance import retention
from portal.jobs.runner import Work, handles
from portal.web.clock import real_now


@handles("retention", queue="bulk", timeout=6 * 3600)
def forget_what_is_over(work: Work) -> dict:
    """Batch after batch, each in a transaction of its own, so that nobody waits for the whole."""
    told: dict[str, Counter[str]] = {}
    for done, rule in enumerate(retention.RULES):
        told[rule.code] = Counter()
        for batch in retention.batches(rule):
            gone: Counter[str] | None = None
            while gone is None or gone:
                with work.session() as session:
                    gone = batch(session, Moment(work.now(session), real_now()), retention.BATCH)
                told[rule.code] += gone
        work.progress(done + 1, len(retention.RULES), rule.code)
    return {"forgotten": {code: dict(gone) for code, gone in told.items() if gone}}
