"""Delete uploaded import files that nobody confirmed."""

from enrollment.places.imports import importer
from portal.jobs.runner import JobRun, job_handler


@job_handler("forget_import_files", queue="bulk")
def forget_import_files(job: JobRun) -> dict:
    with job.session() as session:
        return {"forgotten": importer.delete_expired_uploads(session, now=job.now(session))}
