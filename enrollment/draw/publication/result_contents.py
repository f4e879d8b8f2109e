"""What the page of a family tells of a first run, as one sealed JSON object for each application.

The keys: `application`, `ticket`, `bound` (whether this run, or the last receipt, has the child together with others of its family),
`place` (None, or `programme`, `rank`, `level`, `name`, `code`, `phone`) and `wishes`, each with `rank`, `name`, `reason`, `tier`,
`ticket`, `cutoff_tier`, `cutoff_ticket`, `has_pools`, `reserved_for`, `line_outside` and `in_line`: the place in line at the hour,
from 1, where the family waits for the wish.
"""

import datetime as dt
import json
import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import func, literal, select, text, union
from sqlalchemy.orm import Session, aliased

from enrollment.applications import receipts
from enrollment.applications.application_rows import Application
from enrollment.applications.lifecycle import GONE_STAGES
from enrollment.draw import participants
from enrollment.draw.publication.rows import RESULT
from enrollment.draw.run_rows import REFUSED, Placement, Run
from enrollment.ground import bulk_copy
from enrollment.ground.vault import row_name, seal
from enrollment.offers import line_membership
from enrollment.offers.offer_rows import Offer
from enrollment.season.round_rows import Round

_CHILDREN = text("""
    SELECT CAST(placement.application_id AS text), CAST(placement.programme_id AS text), placement.rank, (
        SELECT number FROM ticket WHERE ticket.child_id = application.child_id AND ticket.year = application.year) AS ticket,
        EXISTS (SELECT FROM application AS sibling WHERE sibling.family_code = application.family_code
            AND sibling.year = application.year AND sibling.id <> application.id) AS has_siblings
    FROM placement JOIN application ON application.id = placement.application_id
    WHERE placement.run_id = :run AND placement.application_id = ANY(:ids)
""")
_SHARE_A_TICKET = text("""
    SELECT mine.application_id
    FROM wish_reason AS mine JOIN application ON application.id = mine.application_id
    WHERE mine.run_id = :run AND mine.rank = 1 AND mine.application_id = ANY(:ids) AND EXISTS (
        SELECT FROM application AS sibling JOIN wish_reason AS theirs ON theirs.application_id = sibling.id
        WHERE sibling.family_code = application.family_code AND sibling.year = application.year AND sibling.id <> application.id
          AND theirs.run_id = mine.run_id AND theirs.rank = 1 AND theirs.ticket = mine.ticket)
""")
_WISHES = text("""
    SELECT CAST(why.application_id AS text), CAST(why.programme_id AS text), why.rank, why.pool, why.reason, why.tier,
        why.ticket, why.cutoff_tier, why.cutoff_ticket, CASE WHEN why.reason = ANY(:refused) THEN coalesce(why.refused_before, (
            SELECT count(*) FROM wish_reason AS ahead
            WHERE ahead.run_id = :run AND ahead.programme_id = why.programme_id AND ahead.reason = ANY(:refused)
              AND (ahead.tier, ahead.ticket) < (why.tier, why.ticket))) END
    FROM wish_reason AS why
    WHERE why.run_id = :run AND why.application_id = ANY(:ids)
    ORDER BY why.application_id, why.rank
""")
_PROGRAMMES = text("""
    SELECT CAST(programme.id AS text) AS id, programme.level, kindergarten.name, kindergarten.code, kindergarten.phone,
        (SELECT jsonb_object_agg(pool.code, pool.name) FROM pool WHERE pool.programme_id = programme.id) AS pools,
        (SELECT array_agg(cut_off.pool) FROM cut_off
         WHERE cut_off.run_id = :run AND cut_off.programme_id = programme.id AND cut_off.eligible = 0) AS without_line
    FROM programme JOIN kindergarten ON kindergarten.id = programme.kindergarten_id
    WHERE programme.id = ANY(CAST(:programmes AS uuid[]))
""")
_LEFT_LINE = text("""
    SELECT CAST(why.programme_id AS text), why.tier, why.ticket
    FROM unnest(CAST(:out AS uuid[])) AS gone(application_id)
    JOIN wish_reason AS why ON why.application_id = gone.application_id
    WHERE why.run_id = :run AND why.reason = ANY(:refused)
""")


_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _Told:
    """What is told of programmes, as pieces of JSON that are made once: a batch has some hundred programmes and sixteen thousand wishes."""

    def __init__(self, session: Session, run: Run, ids: set[str]):
        found = session.execute(_PROGRAMMES, {"run": run.id, "programmes": list(ids)})
        self._programmes = {each.id: each for each in found}
        self._wishes: dict[tuple[str, str | None], str] = {}
        self._places: dict[str, str] = {}

    def wish(self, programme: str, pool: str | None) -> str:
        """The name, and what the last pool of the wish is."""
        piece = self._wishes.get((programme, pool))
        if piece is None:
            there = self._programmes[programme]
            values = {
                "name": there.name,
                "has_pools": there.pools is not None,
                "reserved_for": (there.pools or {}).get(pool),
                "line_outside": pool in (there.without_line or ()),
            }
            piece = self._wishes[programme, pool] = _as_json(values)[1:-1]
        return piece

    def place(self, programme: str) -> str:
        piece = self._places.get(programme)
        if piece is None:
            there = self._programmes[programme]
            values = {
                "programme": there.id,
                "level": there.level,
                "name": there.name,
                "code": there.code,
                "phone": there.phone,
            }
            piece = self._places[programme] = _as_json(values)[1:-1]
        return piece


def _contents(session: Session, run: Run, ids: list[uuid.UUID]) -> Iterator[tuple[str, str]]:
    """Each of these applications (its id as text) with what its family's page tells.

    The values are put together here: PostgreSQL takes ten times as long to look up a name for each wish and to write it as JSON.
    """
    values = {"run": run.id, "ids": ids, "refused": list(REFUSED)}
    found = session.execute(_WISHES, values).all()
    children = session.execute(_CHILDREN, values).all()
    programmes = {programme for _, programme, *_ in found} | {programme for _, programme, *_ in children if programme}
    told = _Told(session, run, programmes)
    left: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for programme, tier, ticket in session.execute(_LEFT_LINE, values | {"out": _out_of_line(session, run)}):
        left[programme].append((tier, ticket))
    for standings in left.values():
        standings.sort()
    wishes: dict[str, list[str]] = defaultdict(list)
    for application, programme, rank, pool, reason, tier, ticket, cutoff_tier, cutoff_ticket, before in found:
        in_line = None if before is None else 1 + before - bisect_left(left.get(programme, ()), (tier, ticket))
        wishes[application].append(
            f'{{"rank":{rank},"reason":"{reason}","tier":{tier},"ticket":{ticket},"cutoff_tier":{_number(cutoff_tier)},'
            f'"cutoff_ticket":{_number(cutoff_ticket)},"in_line":{_number(in_line)},{told.wish(programme, pool)}}}'
        )
    bound = _bound(session, run, [uuid.UUID(application) for application, *_, has_siblings in children if has_siblings])
    for application, programme, rank, ticket, _ in children:
        place = f'{{"rank":{rank},{told.place(programme)}}}' if programme else "null"
        listed = ",".join(wishes[application])
        yield (
            application,
            f'{{"application":"{application}","ticket":{_number(ticket)},"bound":{_as_json(uuid.UUID(application) in bound)},'
            f'"place":{place},"wishes":[{listed}]}}',
        )


def _bound(session: Session, run: Run, siblings: list[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these children of families with several the run has placed together with others, or the last receipt says so."""
    if not siblings:
        return set()
    shared = session.scalars(_SHARE_A_TICKET, {"run": run.id, "ids": siblings})
    return {*shared, *receipts.bound_when_handed_in(session, siblings)}


def _number(value: int | None) -> int | str:
    """A number of JSON, or null."""
    return "null" if value is None else value


def _out_of_line(session: Session, run: Run, since: dt.datetime | None = None) -> list[uuid.UUID]:
    """The children of a first run who stand in no line of its round, as `line_membership` says; with `since` those who left it
    since then.  In parts, each of which reads few rows of a city."""
    round_ = session.get_one(Round, run.round_id)
    made_in, better = aliased(Round), literal(True)  # no result is so late that waiting for a better wish is over
    of_run = (
        select(Placement.application_id)
        .join(Round, Round.id == round_.id)
        .join(Application, Application.id == Placement.application_id)
        .where(Placement.run_id == run.id)
    )
    left = of_run.where(Application.year == round_.year, Application.stage.in_(GONE_STAGES))
    content = (
        of_run.join(Offer, Offer.application_id == Placement.application_id)
        .join(made_in, made_in.id == Offer.round_id)
        .where(line_membership.takes_out(Offer, made_in, Round, better))
    )
    came_back = of_run.where(line_membership.came_back(Application, Round.closes_at))
    if since is not None:
        left = left.where(Application.changed_at >= since)
        content = content.where(func.coalesce(Offer.ended_at, Offer.answered_at) >= since)
        came_back = came_back.where(Application.submitted_at >= since)
    parts = [left, content]
    if not participants.is_only_round(session, round_):
        parts.append(came_back)
    return list(session.scalars(union(*parts)))


def prepare_results(session: Session, run: Run, ids: list[uuid.UUID]) -> None:
    """Write the sealed results of these applications; what is prepared already stays."""
    sealed = (
        (uuid.UUID(application), seal(content, RESULT, row_name(run.id, application)))
        for application, content in _contents(session, run, ids)
    )
    bulk_copy.copy_to_temporary_table(
        session, "result_content", {"application_id": "uuid", "content": "bytea"}, list(sealed)
    )
    written = text("""
        INSERT INTO prepared_result (run_id, application_id, content)
        SELECT :run, application_id, content FROM result_content ON CONFLICT (run_id, application_id) DO NOTHING
    """)
    session.execute(written, {"run": run.id})


_LEFT_SINCE = text("""
    SELECT DISTINCT ON (why.programme_id) why.programme_id, why.tier, why.ticket
    FROM unnest(CAST(:out AS uuid[])) AS gone(id) JOIN wish_reason AS why ON why.application_id = gone.id AND why.run_id = :run
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


def drop_outdated(session: Session, run: Run, *, since: dt.datetime) -> None:
    """Delete the results of children who stand behind one that has left the line since then, when the preparation began.

    Their places in line are smaller by now: their pages are made from the rows.
    """
    out = _out_of_line(session, run, since)
    if not out:
        return
    first_left = session.execute(_LEFT_SINCE, {"run": run.id, "out": out, "refused": list(REFUSED)}).all()
    if first_left:
        names = ("programmes", "tiers", "tickets")
        behind = dict(zip(names, map(list, zip(*first_left, strict=True)), strict=True))
        session.execute(_DROP_BEHIND, {"run": run.id, "refused": list(REFUSED), **behind})
