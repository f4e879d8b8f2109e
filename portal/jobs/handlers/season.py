"""What the calendar does by itself: closing a round at its deadline, telling families of a new date."""

import datetime as dt
import uuid

from enrollment.applications import date_notices
from enrollment.chances import estimates
from enrollment.ground.accounts import SYSTEM
from enrollment.season import rounds
from portal.jobs.runner import Work, handles


@handles("close_round")
def close_round(work: Work) -> dict:
    """Nothing when the round was extended meanwhile: the new deadline has a job of its own.

    When it did close, the chances are estimated once more, from everybody who handed in.
    """
    with work.session() as session:
        round_id = uuid.UUID(work.args["round_id"])
        closed = rounds.close_if_due(session, round_id, by=SYSTEM, now=work.now(session))
        if closed:
            estimates.ask(session, why=f"closed:{work.job_id}", now=work.now(session))
        return {"closed": closed}


@handles("tell_new_date", queue="bulk")
def tell_new_date(work: Work) -> dict:
    """In batches, each in a transaction of its own; a second run tells nobody twice."""
    begins_at, ends_at = (dt.datetime.fromisoformat(work.args[name]) for name in ("begins_at", "ends_at"))
    after, batches = None, 0
    while batches == 0 or after is not None:
        with work.session() as session:
            after = date_notices.tell_new_date(
                session,
                work.args["year"],
                work.args["step"],
                begins_at,
                ends_at,
                key=f"new_date:{work.job_id}",
                now=work.now(session),
                after=after,
            )
        batches += 1
    return {"batches": batches}
