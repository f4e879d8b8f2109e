"""The seed is set from what the witnesses entered, and gives each child of the market without a ticket one."""

import datetime as dt
import uuid

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from allocation import lottery
from enrollment.draw import draw_jobs, draws, market_files
from enrollment.draw.draw_jobs import Progress
from enrollment.draw.draws import Draw, Snapshot, Ticket
from enrollment.draw.seed import declared_forms, part_standings
from enrollment.draw.seed.part_standings import PartState
from enrollment.ground import audit, bulk_copy
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.season import round_rows as rounds
from enrollment.season.calendar import require_city_official

STEPS = ("drawing", "numbering")
"""The steps of setting a seed, as their progress reports them."""


def precheck(session: Session, year: int, round_id: uuid.UUID | None, *, now: dt.datetime) -> Draw:
    """The draw that waits for a seed (of `round_id`, if that is given).  Refuses what `set_seed` refuses."""
    draw = draws.waiting_for_seed(session, year)
    if draw is None or (round_id and session.get_one(Snapshot, draw.snapshot_id).round_id != round_id):
        raise Refused("no_draw_is_open")
    if session.get_one(Snapshot, draw.snapshot_id, populate_existing=True).outdated_at is not None:
        raise Refused("snapshot_outdated")
    if now <= draw.committed_at:
        raise Refused("seed_before_commitment")
    declared_forms.of_draw(draw)
    states = {each.state for each in part_standings.of_draw(session, draw, now=now)}
    if PartState.DIFFERENT in states:
        raise Refused("seed_parts_differ")
    if PartState.WAITING in states:
        raise Refused("seed_parts_missing")
    return draw


def set_seed(
    session: Session,
    year: int,
    *,
    by: Actor,
    now: dt.datetime,
    progress: Progress = draw_jobs.no_progress,
) -> Draw:
    """Set the seed from the values on which the witnesses agree, and give tickets.

    Refuses `no_draw_is_open`, `snapshot_outdated`, `seed_before_commitment`, `draw_form_missing`, `seed_parts_missing`
    and `seed_parts_differ`.
    """
    require_city_official(by)
    open_draw = precheck(session, year, None, now=now)
    round_ = draw_jobs.lock_round(session, session.get_one(Snapshot, open_draw.snapshot_id).round_id)
    draw = precheck(session, year, round_.id, now=now)
    progress(0, len(STEPS), "drawing")
    values = {str(each.part): each.value for each in part_standings.of_draw(session, draw, now=now)}
    beacon, ceremony = values.get("beacon", ""), values.get("ceremony", "")
    seed = lottery.seed_bytes_2(draw.commitment, declared_forms.of_draw(draw), beacon, ceremony)
    draw.beacon, draw.ceremony, draw.seed = beacon or None, ceremony or None, seed.hex()
    draw.seeded_at, draw.seeded_by = now, by.account_id
    session.flush()
    given = _give_tickets(session, draw, progress)
    rounds.move(session, round_, "draw", by=by, now=now)
    audit.record(session, "draw", "draw", draw.id, by=by, now=now, seed=draw.seed, tickets=given)
    session.flush()
    return draw


def _give_tickets(session: Session, draw: Draw, progress: Progress) -> int:
    """Give tickets to the children of the market who have none.  Their numbers follow the last number of the season."""
    joining = market_files.without_ticket(session.get_one(Snapshot, draw.snapshot_id).market)
    last = session.scalar(select(func.max(Ticket.number)).where(Ticket.year == draw.year)) or 0
    numbers = lottery.draw(
        bytes.fromhex(draw.seed or ""), [row.family for row in joining], [row.child for row in joining], after=last
    )
    progress(1, len(STEPS), "numbering")
    drawn = zip((row.child for row in joining), numbers.tolist(), strict=True)
    bulk_copy.copy_to_temporary_table(session, "drawn_ticket", {"child": "text", "number": "int"}, drawn)
    given = text("""
        INSERT INTO ticket (child_id, year, number, draw_id)
        SELECT application.child_id, :year, drawn_ticket.number, :draw
        FROM drawn_ticket JOIN application ON application.child_code = drawn_ticket.child
    """)
    written: int = session.execute(given, {"year": draw.year, "draw": draw.id}).rowcount  # type: ignore[attr-defined]
    if written != len(joining):
        raise LookupError(f"{len(joining) - written} children of the market have no application")
    return written
