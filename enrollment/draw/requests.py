"""What officials ask for on the page: checked at once as far as it can be, then left to the worker.

The verbs that do the work are `snapshot.freeze`, `draws.set_seed`, `runs.publish_signed` and `replay.start`; what shows only while they
work is kept on the job's row, and `at_work` tells it.
"""

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from enrollment.draw import draw_jobs, draws, publication, replay, runs, snapshot
from enrollment.draw.draws import Draw
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.offers import answer_deadlines
from enrollment.season.calendar import only_the_city


def freeze(
    session: Session,
    round_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    beacon_name: str | None = None,
    after: int | None = None,
) -> None:
    """Let the round be frozen.  `after` is the number of the last snapshot that the page showed, 0 for none.

    Refuses `draw_at_work`, `frozen_meanwhile`, and what `snapshot.refuse_early` refuses.
    """
    only_the_city(by)
    round_ = draw_jobs.take_room(session, round_id)
    last = snapshot.last_number(session, round_id)
    if after is not None and after != last:
        raise Refused("frozen_meanwhile", number=last)
    snapshot.refuse_early(session, round_, now=now)
    draw_jobs.begin(session, round_, "freeze_round", {"beacon_name": beacon_name}, by=by, now=now)


def read_seed_back(
    session: Session,
    round_id: uuid.UUID,
    *,
    beacon: str,
    ceremony: str,
    why_no_beacon: str = "",
    by: Actor,
    now: dt.datetime,
) -> Draw:
    """The draw that would get this seed; nothing is written.

    Refuses `draw_at_work`, what `draws.set_seed` refuses, and `beacon_or_reason`: the public value was named beforehand,
    so whoever leaves it out says why.
    """
    only_the_city(by)
    round_ = draw_jobs.take_room(session, round_id)
    draw = draws.refuse_early(session, round_.year, round_id, beacon=beacon, ceremony=ceremony, now=now)
    if not beacon.strip() and not why_no_beacon.strip():
        raise Refused("beacon_or_reason", field="why_no_beacon")
    return draw


def enter_seed(
    session: Session,
    round_id: uuid.UUID,
    *,
    beacon: str,
    ceremony: str,
    why_no_beacon: str = "",
    by: Actor,
    now: dt.datetime,
) -> None:
    """Let the seed be published and everybody get a ticket.  Refuses what `read_seed_back` refuses."""
    given = {"beacon": beacon, "ceremony": ceremony}
    draw = read_seed_back(session, round_id, **given, why_no_beacon=why_no_beacon, by=by, now=now)
    round_ = draw_jobs.take_room(session, round_id)
    if not beacon.strip():
        audit.record(session, "leave_beacon_out", "draw", draw.id, by=by, now=now, reason=why_no_beacon.strip()[:300])
    draw_jobs.begin(session, round_, "enter_seed", {"beacon": beacon, "ceremony": ceremony}, by=by, now=now)


def sign(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    """Sign a checked run; the second of two different people lets it be published.  Returns how many signed.

    Refuses `draw_at_work`, what `runs.add_signature` refuses, and with the second signature `places_changed`.
    """
    only_the_city(by)
    round_ = draw_jobs.take_room(session, runs.one(session, run_id).round_id)
    people = runs.add_signature(session, run_id, by=by, now=now)
    if people >= runs.SIGNATURES_NEEDED:
        publication.refuse_full(session, runs.one(session, run_id))
        draw_jobs.begin(session, round_, "publish_run", {"run": str(run_id)}, by=by, now=now)
    return people


def publish_again(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Let a run with both signatures be published after the first try came to nothing.

    Refuses `draw_at_work`, `signatures_missing`, `run_cannot_be_signed`, `snapshot_was_replaced`, `places_changed`.
    """
    only_the_city(by)
    round_ = draw_jobs.take_room(session, runs.one(session, run_id).round_id)
    run = runs.to_publish(session, run_id)
    publication.refuse_full(session, run)
    draw_jobs.begin(session, round_, "publish_run", {"run": str(run_id)}, by=by, now=now)


def end_overdue(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Before a replay is asked for: what is overdue is over, whatever becomes of the replay.  The round is locked
    first, as a publication locks it; while the worker is busy with it nothing happens."""
    only_the_city(by)
    try:
        draw_jobs.take_room(session, round_id)
    except Refused:
        return
    answer_deadlines.expire_due(session, now=now)


def start_replay(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Let what the answers left be frozen and a replay begin.  Refuses `draw_at_work` and what `replay.refuse_early` refuses."""
    only_the_city(by)
    round_ = draw_jobs.take_room(session, round_id)
    replay.refuse_early(session, round_id, now=now)
    draw_jobs.begin(session, round_, "replay_round", {}, by=by, now=now)
