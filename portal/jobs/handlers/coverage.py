"""Every minute: count the areas again whose children changed."""

from enrollment.coverage import rollup
from enrollment.season import seasons
from portal.jobs.runner import JobRun, job_handler


@job_handler("count_coverage", queue="steady")
def count_coverage(job: JobRun) -> dict:
    with job.session() as session:
        now = job.now(session)
        years = {season.year for season in seasons.visible(session)} or {now.year}
        done = rollup.refresh(session, sorted(years), now=now)
    return {"counted": done}
