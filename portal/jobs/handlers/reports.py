"""Each night, and when an official asks: count the reports of the whole city, area by area."""

from enrollment.reports.tables import area_sums
from enrollment.season import seasons
from portal.jobs.runner import JobRun, job_handler


@job_handler("count_area_sums", queue="bulk", timeout=7200)
def count_area_sums(job: JobRun) -> dict:
    """A transaction for each area.  Without `report` and `year`: all of them, of each year that is under way."""
    with job.session() as session:
        now = job.now(session)
        areas = area_sums.all_area_codes(session)
        under_way = {season.year for season in seasons.visible(session) if not seasons.is_past(season, now)}
    if "report" in job.args:
        asked = [(job.args["report"], job.args["year"])]
    else:
        asked = [(code, year) for code in area_sums.KEPT for year in sorted(under_way or {now.year})]
    steps = [(code, year, area) for code, year in asked for area in areas]
    for done, (code, year, area) in enumerate(steps):
        job.progress(done, len(steps))
        with job.session() as session:
            area_sums.count(session, code, year, area, now=job.now(session))
    return {"counted": len(steps)}
