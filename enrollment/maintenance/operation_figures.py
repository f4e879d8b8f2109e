"""The figures by which an operator sees whether background work keeps up: one statement, for metrics and for alarms."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

_QUERY = text("""
    WITH due_job AS (SELECT due_at FROM job WHERE state IN ('waiting','queued') AND due_at <= :now),
    -- a message has waited since it was due: not while it waits for the next try, nor for the end of the quiet hours
    message AS (
        SELECT 'notices' AS lane, greatest(created_at, next_try_at) AS since FROM notice WHERE state IN ('waiting','sending') AND next_try_at <= :now
        UNION ALL
        SELECT CASE WHEN expires_at IS NULL THEN 'notices' ELSE 'codes' END, greatest(written_at, next_try_at) FROM text_message
        WHERE state IN ('waiting','sending') AND next_try_at <= :now),
    -- numbers that got a code of late and had time to enter it
    code AS (SELECT phone_index, used_at FROM one_time_code
        WHERE sent_at BETWEEN :now - interval '2 hours' AND :now - interval '5 minutes' ORDER BY sent_at DESC LIMIT 100),
    -- what a clock that was ahead has dated must not look alive for as long
    alive AS (SELECT serves, seen_at FROM background_process WHERE seen_at <= clock_timestamp() + interval '1 minute')
    SELECT
        (SELECT count(*) FROM due_job) AS jobs,
        (SELECT extract(epoch FROM :now - min(due_at)) FROM due_job) AS oldest_job,
        (SELECT count(*) FROM message WHERE lane = 'codes') AS codes,
        (SELECT extract(epoch FROM :now - min(since)) FROM message WHERE lane = 'codes') AS oldest_code,
        (SELECT count(*) FROM message WHERE lane = 'notices') AS notices,
        (SELECT extract(epoch FROM :now - min(since)) FROM message WHERE lane = 'notices') AS oldest_notice,
        (SELECT count(DISTINCT phone_index) FROM code) AS numbers_with_code,
        (SELECT count(DISTINCT phone_index) FROM code WHERE used_at IS NOT NULL) AS numbers_with_entered_code,
        (SELECT count(*) FROM notice WHERE state IN ('undeliverable','given_up')) AS failed_notices,
        (SELECT extract(epoch FROM clock_timestamp() - min(down_since)) FROM sender_status) AS gateway_down,
        (SELECT extract(epoch FROM clock_timestamp() - min(down_since)) FROM sender_status WHERE lane IN ('codes','notices')) AS texts_down,
        (SELECT extract(epoch FROM clock_timestamp() - min(seen_at)) FROM sender_status) AS sender_silent,
        (SELECT extract(epoch FROM clock_timestamp() - max(seen_at)) FROM alive WHERE 'clock' = ANY (serves))
            AS scheduler_silent,
        (SELECT extract(epoch FROM clock_timestamp() - max(seen_at)) FROM alive WHERE 'bulk' = ANY (serves))
            AS worker_silent,
        (SELECT extract(epoch FROM clock_timestamp() - min(written_at)) FROM audit_entry WHERE link IS NULL) AS seal_lag,
        (EXISTS (SELECT FROM audit_entry WHERE at < :now - interval '8 days')
            AND NOT EXISTS (SELECT FROM audit_entry WHERE at BETWEEN :now - interval '8 days' AND :now - interval '1 day'))
            AS days_are_missing,
        (SELECT extract(epoch FROM clock_timestamp() - max(taken_at)) FROM backup WHERE taken_at <= clock_timestamp() + interval '1 hour')
            AS backup_age
""")


@dataclass(frozen=True)
class OperationFigures:
    """Numbers of rows, and ages in seconds; an age is None where there is nothing to be old.

    `jobs` and `oldest_job` count due jobs that no worker has begun, `codes` and `notices` due messages of each lane, whose age is since
    when they are due.  `gateway_down` is of the gateway and of WeChat, `texts_down` of the gateway alone.
    `numbers_with_code` got one of the last hundred codes, five minutes to two hours ago, and `numbers_with_entered_code` are those of
    them that entered one.  `failed_notices` are those that nobody will try again.  `days_are_missing`: the audit trail has entries that are
    older than eight days and none of the week before yesterday, so the clock has jumped, or the portal was switched off.
    """

    jobs: int
    oldest_job: float | None
    codes: int
    oldest_code: float | None
    notices: int
    oldest_notice: float | None
    numbers_with_code: int
    numbers_with_entered_code: int
    failed_notices: int
    gateway_down: float | None
    texts_down: float | None
    sender_silent: float | None
    scheduler_silent: float | None
    worker_silent: float | None
    seal_lag: float | None
    days_are_missing: bool
    backup_age: float | None


def read(session: Session, *, now: dt.datetime) -> OperationFigures:
    row = session.execute(_QUERY, {"now": now}).mappings().one()
    figures: dict[str, Any] = {
        name: value if value is None or isinstance(value, int) else float(value) for name, value in row.items()
    }
    return OperationFigures(**figures)
