"""The wishes of a plain draft in one statement, without a read before it: the statement asks everything itself."""

import datetime as dt
import uuid
from collections.abc import Sequence

from enrollment.applications import lifecycle
from enrollment.applications.statements.draft_changes import IN_CARE, TAKES_WISHES
from enrollment.applications.statements.keyed_write import DONE, SAVED, Change
from enrollment.ground.accounts import Actor

STATEMENT = f"""
    WITH taking AS (
        SELECT round.id, round.max_wishes FROM application
        JOIN round ON round.year = application.year JOIN season ON season.year = round.year
        WHERE application.id = %(application)s AND {TAKES_WISHES} ORDER BY round.number LIMIT 1),
    kept AS (
        {lifecycle.NEXT_VERSION} FROM taking
        WHERE application.id = %(application)s AND version = %(version)s AND stage = 'draft' AND unit IS NULL
          AND NOT on_hold AND {IN_CARE} AND cardinality(%(programmes)s::uuid[]) <= taking.max_wishes
          AND cardinality(%(programmes)s::uuid[]) = (SELECT count(*) FROM programme
                WHERE programme.id = ANY(%(programmes)s::uuid[]) AND programme.level = application.level
                  AND EXISTS (SELECT FROM round_programme
                    WHERE round_programme.round_id = taking.id AND round_programme.programme_id = programme.id))
        RETURNING application.id, taking.id AS round_id),
    gone AS (
        DELETE FROM wish USING kept WHERE wish.application_id = kept.id AND wish.round_id = kept.round_id
        RETURNING wish.rank),
    wished AS (
        INSERT INTO wish (application_id, round_id, rank, programme_id)
        SELECT kept.id, kept.round_id, place, programme FROM kept
        CROSS JOIN unnest(%(programmes)s::uuid[]) WITH ORDINALITY AS listed (programme, place)
        WHERE (SELECT count(*) FROM gone) >= 0),
    entry AS (
        INSERT INTO audit_entry (at, account_id, act, subject, subject_id, details)
        SELECT %(now)s, %(account)s, 'wish', 'application', id,
            jsonb_build_object('wishes', cardinality(%(programmes)s::uuid[]))
        FROM kept),
    {DONE}
    SELECT id, {SAVED} FROM kept
    UNION ALL
    SELECT NULL, 0 FROM application WHERE id = %(application)s
        AND (version <> %(version)s OR stage <> 'draft' OR unit IS NOT NULL OR on_hold)
"""  # noqa: S608 (constants)
"""`gone` is counted before the first new wish is written, so that a programme may take another's place in the list.

NULL back for an application that was no plain draft before the statement: it then has locked nothing."""


def change(
    application_id: uuid.UUID, programme_ids: Sequence[uuid.UUID], *, version: int, by: Actor, now: dt.datetime
) -> Change | None:
    """What `wishes.set_wishes` does in the round that is open; None for a list that it refuses, or for a helper."""
    if by.on_behalf is not None or len(set(programme_ids)) < len(programme_ids):
        return None
    values = {
        "application": application_id,
        "version": version,
        "account": by.account_id,
        "now": now,
        "programmes": list(programme_ids),
    }
    return Change(STATEMENT, values)
