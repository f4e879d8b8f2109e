"""Let the phone changes take effect whose waiting time is over."""

from enrollment.applications.guardian_access import phone_change_course
from portal.jobs.runner import JobRun, job_handler
from portal.web import phone_messages


@job_handler("end_phone_waits", queue="quick", timeout=60)
def end_phone_waits(job: JobRun) -> dict:
    with job.session() as session:
        ended = phone_change_course.end_waiting_times(session, now=job.now(session))
        for each in ended:
            phone_messages.tell_old_phone(session, each)
        return {"changed": len(ended)}
