"""What the page of a family tells of a first run, as one sealed JSON object for each application.

The keys: `application`, `ticket`, `place` (None, or `programme`, `rank`, `level`, `name`, `code`, `phone`) and `wishes`, each with
`rank`, `name`, `reason`, `tier`, `ticket`, `cutoff_tier`, `cutoff_ticket`, `has_pools`, `reserved_for`, `line_outside` and
`in_line`: the place in line at the hour, from 1, where the family waits for the wish.
"""

import datetime as dt
import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.publication.rows import RESULT
from enrollment.draw.run_rows import REFUSED
from enrollment.ground import bulk_copy
from enrollment.ground.vault import row_name, seal
from enrollment.offers.offer_rows import OfferState

# The cut-off is looked up for each wish: the rows of a new run have no statistics yet, and a join would read all of them for each.
_CONTENTS = text("""
    WITH gone AS MATERIALIZED (
        SELECT placement.application_id FROM placement JOIN application ON application.id = placement.application_id
        WHERE placement.run_id = :run AND application.stage = ANY(:gone)
        UNION
        SELECT placement.application_id FROM placement JOIN offer ON offer.application_id = placement.application_id
        WHERE placement.run_id = :run AND offer.state = ANY(:settled)
    ), left_line AS MATERIALIZED (
        SELECT why.programme_id, array_agg(why.tier) AS tiers, array_agg(why.ticket) AS tickets
        FROM gone JOIN wish_reason AS why ON why.application_id = gone.application_id
        WHERE why.run_id = :run AND why.reason = ANY(:refused)
        GROUP BY why.programme_id
    )
    SELECT placement.application_id, json_build_object(
        'application', placement.application_id,
        'ticket', (SELECT number FROM ticket WHERE ticket.child_id = application.child_id AND ticket.year = application.year),
        'place', CASE WHEN placed.id IS NOT NULL THEN json_build_object(
            'programme', placed.id, 'rank', placement.rank, 'level', placed.level,
            'name', there.name, 'code', there.code, 'phone', there.phone) END,
        'wishes', wishes.listed)::text
    FROM placement
    JOIN application ON application.id = placement.application_id
    LEFT JOIN programme AS placed ON placed.id = placement.programme_id
    LEFT JOIN kindergarten AS there ON there.id = placed.kindergarten_id
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object(
            'rank', why.rank, 'name', kindergarten.name, 'reason', why.reason, 'tier', why.tier, 'ticket', why.ticket,
            'cutoff_tier', why.cutoff_tier, 'cutoff_ticket', why.cutoff_ticket,
            'has_pools', EXISTS (SELECT FROM pool WHERE pool.programme_id = why.programme_id),
            'reserved_for', (SELECT pool.name FROM pool WHERE pool.programme_id = why.programme_id AND pool.code = why.pool),
            'line_outside', coalesce((
                SELECT cut_off.eligible = 0 FROM cut_off
                WHERE cut_off.run_id = why.run_id AND cut_off.programme_id = why.programme_id AND cut_off.pool = why.pool), false),
            'in_line', CASE WHEN why.reason = ANY(:refused) THEN 1 + coalesce(why.refused_before, (
                SELECT count(*) FROM wish_reason AS ahead
                WHERE ahead.run_id = :run AND ahead.programme_id = why.programme_id AND ahead.reason = ANY(:refused)
                  AND (ahead.tier, ahead.ticket) < (why.tier, why.ticket))) - (
                SELECT count(*) FROM unnest(left_line.tiers, left_line.tickets) AS ahead(tier, ticket)
                WHERE (ahead.tier, ahead.ticket) < (why.tier, why.ticket)) END
            ) ORDER BY why.rank) AS listed
        FROM wish_reason AS why
        JOIN programme ON programme.id = why.programme_id
        JOIN kindergarten ON kindergarten.id = programme.kindergarten_id
        LEFT JOIN left_line ON left_line.programme_id = why.programme_id
        WHERE why.run_id = :run AND why.application_id = placement.application_id) AS wishes
    WHERE placement.run_id = :run AND placement.application_id = ANY(:ids)
""")


def prepare_results(session: Session, run_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
    """Write the sealed results of these applications; what is prepared already stays."""
    values = {"run": run_id, "ids": ids, "refused": list(REFUSED), "gone": list(DEAD_STAGES)}
    values["settled"] = [OfferState.CONFIRMED, OfferState.ARRIVED]
    sealed = (
        (application_id, seal(content, RESULT, row_name(run_id, application_id)))
        for application_id, content in session.execute(_CONTENTS, values).all()
    )
    bulk_copy.copy_to_temporary_table(
        session, "result_content", {"application_id": "uuid", "content": "bytea"}, list(sealed)
    )
    written = text("""
        INSERT INTO prepared_result (run_id, application_id, content)
        SELECT :run, application_id, content FROM result_content ON CONFLICT (run_id, application_id) DO NOTHING
    """)
    session.execute(written, {"run": run_id})


_LEFT_SINCE = text("""
    WITH gone AS MATERIALIZED (
        SELECT application.id FROM application JOIN placement ON placement.application_id = application.id
        WHERE application.year = :year AND application.stage = ANY(:gone) AND application.changed_at >= :since
          AND placement.run_id = :run
        UNION
        SELECT offer.application_id FROM offer JOIN placement ON placement.application_id = offer.application_id
        WHERE offer.state = ANY(:settled) AND offer.answered_at >= :since AND placement.run_id = :run
    )
    SELECT DISTINCT ON (why.programme_id) why.programme_id, why.tier, why.ticket
    FROM gone JOIN wish_reason AS why ON why.application_id = gone.id AND why.run_id = :run
    WHERE why.reason = ANY(:refused)
    ORDER BY why.programme_id, why.tier, why.ticket
""")
_DROP_BEHIND = text("""
    DELETE FROM prepared_result WHERE run_id = :run AND application_id IN (
        SELECT why.application_id
        FROM unnest(CAST(:programmes AS uuid[]), CAST(:tiers AS int[]), CAST(:tickets AS int[]))
            AS first_left(programme_id, tier, ticket)
        JOIN wish_reason AS why ON why.run_id = :run AND why.programme_id = first_left.programme_id
        WHERE why.reason = ANY(:refused) AND (why.tier, why.ticket) > (first_left.tier, first_left.ticket))
""")


def drop_outdated(session: Session, run_id: uuid.UUID, *, year: int, since: dt.datetime) -> None:
    """Delete the results of children who stand behind one that has left the line since then, when the preparation began.

    Their places in line are smaller by now: their pages are made from the rows.
    """
    values = {"run": run_id, "year": year, "since": since, "refused": list(REFUSED), "gone": list(DEAD_STAGES)}
    values["settled"] = [OfferState.CONFIRMED, OfferState.ARRIVED]
    first_left = session.execute(_LEFT_SINCE, values).all()
    if first_left:
        names = ("programmes", "tiers", "tickets")
        behind = dict(zip(names, map(list, zip(*first_left, strict=True)), strict=True))
        session.execute(_DROP_BEHIND, {"run": run_id, "refused": list(REFUSED), **behind})
