"""Jobs of the calendar: close a round at its deadline, notify families of a new date and of a round that opens."""

import datetime as dt
import uuid

from enrollment.applications import date_notices
from enrollment.applications.bonds import bond_notices
from enrollment.chances import estimates
from enrollment.corrections import escalation
from enrollment.draw.unserved import kept_entries
from enrollment.eligibility import deadline_reminders
from enrollment.ground.accounts import SYSTEM
from enrollment.offers import arrival_reminders, registration_reminders, round_notices, tally
from enrollment.season import rounds
from portal.jobs.runner import JobRun, job_handler


@job_handler("close_round")
def close_round(job: JobRun) -> dict:
    """Close the round if it is due.  An extended round is not due; its new deadline has its own job.

    After closing, estimate the chances once more from all submitted applications.
    """
    with job.session() as session:
        round_id = uuid.UUID(job.args["round_id"])
        closed = rounds.close_if_due(session, round_id, by=SYSTEM, now=job.now(session))
        if closed:
            estimates.request(session, why=f"closed:{job.job_id}", now=job.now(session))
        return {"closed": closed}


@job_handler("tell_new_date", queue="bulk")
def tell_new_date(job: JobRun) -> dict:
    """Notify in batches, each in its own transaction.  A second run notifies nobody twice."""
    begins_at, ends_at = (dt.datetime.fromisoformat(job.args[name]) for name in ("begins_at", "ends_at"))
    after, batches = None, 0
    while batches == 0 or after is not None:
        with job.session() as session:
            after = date_notices.tell_new_date(
                session,
                job.args["year"],
                job.args["step"],
                begins_at,
                ends_at,
                key=f"new_date:{job.job_id}",
                now=job.now(session),
                after=after,
            )
        batches += 1
    return {"batches": batches}


@job_handler("tell_round_open", queue="bulk")
def tell_round_open(job: JobRun) -> dict:
    """Tell in batches, each in its own transaction.  A second run tells nobody twice."""
    after, batches = None, 0
    while batches == 0 or after is not None:
        with job.session() as session:
            round_id = uuid.UUID(job.args["round_id"])
            after = round_notices.tell_round_open(session, round_id, now=job.now(session), after=after)
        batches += 1
    return {"batches": batches}


@job_handler("corrections_due")
def hand_on_overdue_corrections(job: JobRun) -> dict:
    """Hand overdue corrections to the next office, in batches, each in its own transaction.  A second run hands on none."""
    handed_on, batch = 0, escalation.BATCH
    while batch == escalation.BATCH:
        with job.session() as session:
            batch = escalation.hand_on_overdue(session, now=job.now(session))
        handed_on += batch
    return {"handed_on": handed_on}


@job_handler("bonds_incomplete")
def remind_of_incomplete_bonds(job: JobRun) -> dict:
    """Remind families a day before registration ends that a bound child is not handed in."""
    with job.session() as session:
        return {"incomplete": bond_notices.remind_due(session, now=job.now(session))}


@job_handler("deadline_reminders", queue="bulk")
def remind_before_the_deadline(job: JobRun) -> dict:
    """Remind families in batches, each in its own transaction, of an application not handed in, of missing papers and
    of a supplementary round without their wishes; then of returned items before the review ends, and of the arrival days."""
    with job.session() as session:
        closing = [round_.id for round_ in registration_reminders.rounds_closing_soon(session, now=job.now(session))]
    batches = 0
    for round_id in closing:
        after, more = None, True
        while more:
            with job.session() as session:
                round_ = rounds.get_round(session, round_id)
                after = registration_reminders.remind(session, round_, now=job.now(session), after=after)
            batches, more = batches + 1, after is not None
        after, more = None, True
        while more:
            with job.session() as session:
                after = round_notices.remind_without_wishes(session, round_id, now=job.now(session), after=after)
            more = after is not None
    with job.session() as session:
        returned = deadline_reminders.remind_returned(session, now=job.now(session))
    with job.session() as session:
        arriving = arrival_reminders.remind_due(session, now=job.now(session))
    return {"batches": batches, "returned": returned, "arriving": arriving}


@job_handler("returns_over", queue="bulk")
def tell_returns_over(job: JobRun) -> dict:
    """Tell families that the time to complete what was sent back has passed.  A second run tells nobody twice."""
    with job.session() as session:
        return {"told": deadline_reminders.tell_returns_over(session, now=job.now(session))}


@job_handler("fold_season_tally", queue="steady")
def fold_season_tally(job: JobRun) -> dict:
    """Add up what triggers wrote about applications and offers, so that the page of the season reads few rows."""
    with job.session() as session:
        return {"folded": tally.fold(session)}


@job_handler("count_unserved", queue="steady")
def count_unserved(job: JobRun) -> dict:
    """Count the board of children without a place again where something changed, so that its page reads few rows."""
    with job.session() as session:
        return {"counted": kept_entries.refresh(session)}
