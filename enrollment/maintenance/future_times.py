"""Times that a clock has set which was ahead, after it was turned back (ADR 79).

What people did in those hours keeps its time: it is a fact.  But some times say until when nobody else may act, or from when
on something counts, and while they lie ahead nothing of their kind happens: a family's newest code is of tomorrow, so that no
code of today fits; a clerk's second factor was last used tomorrow; the backup of tomorrow night has run already.  Those are set anew.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.delivery.lanes import policy_of_codes
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.jobs import LEASE
from enrollment.ground.sign_in import CODE_LIFETIME, SECOND_FACTOR_STEP
from enrollment.review import leases

LONGEST_RETRY = dt.timedelta(minutes=10)
"""Longer than a job waits after a fault."""

LONGEST_REST = dt.timedelta(hours=13)
"""Longer than a message waits after a fault (an hour and a quarter) or in a family's quiet hours (twelve)."""

_MESSAGES = ("text_message", "notice", "wechat_notice")

STATEMENTS = {
    "job_leases": """
        UPDATE job SET lease_until = clock_timestamp() + :lease
        WHERE state IN ('queued','running') AND lease_until > clock_timestamp() + :lease
    """,
    "jobs": """
        UPDATE job SET due_at = :now
        WHERE state = 'waiting' AND due_at > :now + :longest_retry AND (attempts > 0 OR due_at <= created_at)
    """,
    # the job of a time that comes again: its key would say that it was done
    "scheduled_jobs": """
        UPDATE job SET dedupe_key = dedupe_key || ' ahead ' || id
        WHERE kind = ANY(:scheduled) AND dedupe_key COLLATE "C" > kind || '@' || to_char(
            clock_timestamp() AT TIME ZONE 'UTC' + interval '1 minute', :time_of_key)
            AND dedupe_key COLLATE "C" < kind || '@a' AND dedupe_key NOT LIKE '% ahead %'
    """,
    **{
        f"{table}_claims": f"""
        UPDATE {table} SET lease_until = clock_timestamp() + :claim
        WHERE state = 'sending' AND lease_until > clock_timestamp() + :claim
        """  # noqa: S608 (constants)
        for table in _MESSAGES
    },
    **{
        table: f"UPDATE {table} SET next_try_at = :now WHERE state = 'waiting' AND next_try_at > :now + :longest_rest"  # noqa: S608
        for table in _MESSAGES
    },
    "codes": "DELETE FROM one_time_code WHERE sent_at > :now + :code",
    "second_factors": """
        UPDATE account SET second_factor_used = floor(extract(epoch FROM clock_timestamp()) / :step) - 2
        WHERE second_factor_used > extract(epoch FROM clock_timestamp()) / :step + 2
    """,
    "signs_of_life": "UPDATE background_process SET seen_at = clock_timestamp() WHERE seen_at > clock_timestamp()",
    "lanes": "UPDATE sender_status SET seen_at = clock_timestamp() WHERE seen_at > clock_timestamp()",
}
"""By what they set anew.  `:now` is the city's time, which in a demo is not that of the database."""


def set_anew(session: Session, *, scheduled: Collection[str], now: dt.datetime) -> dict[str, int]:
    """Set such times anew, and say so in the audit trail; how many of which kind.

    `scheduled` are the kinds of jobs whose keys are `kind@time`.
    """
    values = {
        "now": now,
        "scheduled": list(scheduled),
        "lease": LEASE,
        "longest_retry": LONGEST_RETRY,
        "longest_rest": LONGEST_REST,
        "time_of_key": 'YYYY-MM-DD"T"HH24:MI:SS"Z"',
        "claim": policy_of_codes().lease,
        "code": CODE_LIFETIME,
        "step": SECOND_FACTOR_STEP,
    }
    found: dict[str, Any] = {}
    for what, statement in STATEMENTS.items():
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        if count := session.execute(text(statement), used).rowcount:  # type: ignore[attr-defined]
            found[what] = count
    if count := leases.shorten(session, now=now):
        found["review_leases"] = count
    if found:
        audit.record(session, "set_times_anew", "clock", "ahead", by=SYSTEM, now=now, **found)
    return found
