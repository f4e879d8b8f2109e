"""The outbox is emptied here, in batches, each in a transaction of its own."""

from portal.gateways import messages
from portal.jobs.runner import Work, handles
from portal.web.unit_of_work import house


@handles("send_texts", queue="quick", timeout=60)
def send_texts(work: Work) -> dict:
    with work.session() as session:
        now = work.now(session)
        return {"sent": messages.send_texts(session, messages.messenger(house().config, session, now), now=now)}


@handles("send_notices", queue="quick", timeout=600)
def send_notices(work: Work) -> dict:
    """Until nothing waits; a batch that came back smaller than it could be was the last."""
    sent, batch = 0, messages.BATCH
    while batch == messages.BATCH:
        with work.session() as session:
            now = work.now(session)
            config = house().config
            batch = messages.send_notices(session, messages.messenger(config, session, now), config, now=now)
        sent += batch
    return {"sent": sent}
