"""The first confirmation of an offered place by a guardian, in one statement.

The plain case: a separate child that is not on hold, its offer is unanswered and not due, its result is published,
no joint decision waits, and no pause of the family moves the date.  Any other case is left to `offers.confirm`.
"""

import datetime as dt
import uuid
from typing import Any

from enrollment.applications.notifications import messages_query, messages_text
from enrollment.applications.statements.draft_changes import IN_CARE
from enrollment.applications.statements.keyed_write import DONE, SAVED, Change
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import CHENGDU, format_time
from enrollment.offers import offer_lifecycle
from enrollment.offers.arrivals import days
from enrollment.offers.deadline_pauses import AFTER_PAUSE
from enrollment.offers.joint_decision_rows import DecisionState
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import OfferState

ABOUT = """
    SELECT kept.child_id, kept.application_id, :move || ':' || made.number AS event,
           jsonb_strip_nulls(jsonb_build_object('at', CAST(:at AS text), 'arrive_by', CASE WHEN arrival.year IS NOT NULL THEN to_char(
               greatest(arrival.ends_at, kept.answer_by + CAST(:after_answer AS interval)) AT TIME ZONE CAST(:zone AS text),
               :date_format) END)) AS params
    FROM made, kept LEFT JOIN season_date AS arrival ON arrival.year = kept.year AND arrival.step = 'arrival'
"""
"""`arrive_by` is `days.due_at`."""


_CHANGE, _HISTORY = offer_lifecycle.sql_of(["confirm", "confirm_and_wait"])

STATEMENT = f"""
    WITH seen AS MATERIALIZED (
        SELECT id, xmin AS written_by FROM application WHERE id = %(application)s),
    held AS (
        SELECT application.id, application.child_id FROM application
        JOIN seen ON seen.id = application.id AND seen.written_by = application.xmin
        WHERE application.id = %(application)s AND unit IS NULL AND NOT on_hold AND {IN_CARE}
          AND EXISTS (SELECT FROM placement JOIN run ON run.id = placement.run_id
                WHERE placement.application_id = application.id AND run.published_at IS NOT NULL)
          AND NOT EXISTS (SELECT FROM joint_decision
                WHERE joint_decision.application_id = application.id AND state = '{DecisionState.WAITING}')
          AND NOT EXISTS (SELECT FROM case_file
                WHERE case_file.application_id = application.id AND hold_ended_at > %(paused_since)s)
          AND NOT EXISTS (SELECT FROM phone_change JOIN guardian ON guardian.account_id = phone_change.account_id
                JOIN guardianship ON guardianship.guardian_id = guardian.id
                WHERE guardianship.child_id = application.child_id AND effective_at > %(paused_since)s)
        FOR NO KEY UPDATE OF application),
    kept AS (
        {_CHANGE} FROM held
        WHERE offer.id = %(offer)s AND offer.application_id = held.id AND offer.state = '{OfferState.OFFERED}'
          AND offer.answer_by > %(now)s AND (NOT %(waits)s OR offer.rank > 1)
        RETURNING offer.id, offer.child_id, offer.application_id, offer.year, offer.answer_by),
    made AS (
        {_HISTORY}),
    entry AS (
        INSERT INTO audit_entry (at, account_id, act, subject, subject_id, details)
        SELECT %(now)s, %(account)s, %(state)s, 'offer', id, '{{"before": "{OfferState.OFFERED}"}}' FROM kept),
    message AS (
        INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at)
        SELECT gen_random_uuid(), key, kind, account_id, child_id, application_id, params, %(now)s
        FROM ({messages_text(ABOUT)}) AS told
        ON CONFLICT (key) DO NOTHING),
    {DONE}
    SELECT id, {SAVED} FROM kept
    UNION ALL
    SELECT NULL, 0 FROM offer WHERE id = %(offer)s AND state <> '{OfferState.OFFERED}'
"""  # noqa: S608 (constants)
"""The application is locked before the offer, as everywhere.  NULL back for an offer that was answered before.

The other tables are read as they were before the statement waited for its lock.  `seen` compares the row that it locks with
the row that it read: whoever proposes a joint decision writes the row (`joint_decisions.propose`), and then nothing is written
here, because this confirmation is an objection.
"""


def change(application_id: uuid.UUID, seen: str, *, wait: bool, by: Actor, now: dt.datetime) -> Change | None:
    """What `offers.confirm` does for the offer of `seen`, the text of `joint_decisions.state_seen`; None for another state or actor."""
    offer_id, _, state = seen.partition(":")
    move = "confirm_and_wait" if wait else "confirm"
    if state != f"{OfferState.OFFERED}:" or by.on_behalf is not None or not OFFER_MOVES[move].admits(by):
        return None
    try:
        offer = uuid.UUID(offer_id)
    except ValueError:
        return None
    values: dict[str, Any] = {
        "application": application_id,
        "offer": offer,
        "account": by.account_id,
        "now": now,
        "move": move,
        "state": OFFER_MOVES[move].to,
        "waits": wait,
        "at": format_time(now),
        "after_answer": days.AFTER_THE_ANSWER,
        "zone": CHENGDU.key,
        "date_format": "YYYY-MM-DD HH24:MI",
        "paused_since": now - AFTER_PAUSE,
    }
    _selected, who = messages_query(f"answer_{move}", "", by)
    return Change(STATEMENT, values | who)
