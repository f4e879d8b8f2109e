"""Send the messages of the outbox in batches, each in its own transaction."""

from portal.gateways import messages
from portal.jobs.runner import JobRun, job_handler
from portal.web.unit_of_work import services


@job_handler("send_texts", queue="quick", timeout=60)
def send_texts(job: JobRun) -> dict:
    with job.session() as session:
        now = job.now(session)
        return {"sent": messages.send_texts(session, messages.messenger(services().config, session, now), now=now)}


@job_handler("send_notices", queue="quick", timeout=600)
def send_notices(job: JobRun) -> dict:
    """Send until no notice waits: a batch that is not full was the last."""
    sent, batch = 0, messages.BATCH
    while batch == messages.BATCH:
        with job.session() as session:
            now = job.now(session)
            config = services().config
            batch = messages.send_notices(session, messages.messenger(config, session, now), config, now=now)
        sent += batch
    return {"sent": sent}
