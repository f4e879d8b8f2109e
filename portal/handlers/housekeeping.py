"""What keeps the tables small."""

import datetime as dt

from enrollment.ground import jobs
from portal.background import Work, handles

KEPT = dt.timedelta(days=30)


@handles("forget_old_jobs", queue="bulk")
def forget_old_jobs(work: Work) -> dict:
    """Rows of finished jobs stay a month, for whoever asks what ran; then they go."""
    with work.session() as session:
        return {"forgotten": jobs.forget_finished(session, before=work.now(session) - KEPT)}
