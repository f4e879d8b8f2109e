"""Let the phone changes take effect whose waiting time is over."""

from portal.jobs.runner import JobRun, job_handler
from portal.web import phone_messages


@job_handler("end_phone_waits", queue="quick", timeout=60)
def end_phone_waits(job: JobRun) -> dict:
    with job.session() as session:
        return {"changed": phone_messages.end_waiting_times(session, now=job.now(session))}
