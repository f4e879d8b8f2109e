"""Requests of officials from the page: checked as far as possible at once, then enqueued for the worker.

The worker calls `snapshot.freeze`, `draws.set_seed`, `runs.publish_signed` and `replay.start`.  What they refuse is kept
on the job's row, and `draw_jobs.of_round` reads it.
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
from enrollment.season.calendar import require_city_official


def freeze(
    session: Session,
    round_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    beacon_name: str | None = None,
    reason: str = "",
    after: int | None = None,
) -> None:
    """Enqueue a freeze of the round.  `after` is the number of the last snapshot that the page showed, 0 for none;
    `reason` tells the public why a frozen list is replaced.

    Refuses `draw_at_work`, `frozen_meanwhile`, and what `snapshot.precheck` refuses.
    """
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, round_id)
    last = snapshot.last_number(session, round_id)
    if after is not None and after != last:
        raise Refused("frozen_meanwhile", number=last)
    snapshot.precheck(session, round_, reason=reason, now=now)
    args = {"beacon_name": beacon_name, "reason": reason.strip()}
    draw_jobs.enqueue(session, round_, "freeze_round", args, by=by, now=now)


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
    """The draw that would get this seed, for a confirmation page; nothing is written.

    Refuses `draw_at_work`, what `draws.set_seed` refuses, and `beacon_or_reason`: the public value was named before the
    draw, so a reason is needed to leave it out.
    """
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, round_id)
    draw = draws.precheck(session, round_.year, round_id, beacon=beacon, ceremony=ceremony, now=now)
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
    """Enqueue the seed, which gives everybody a ticket.  Refuses what `read_seed_back` refuses."""
    given = {"beacon": beacon, "ceremony": ceremony}
    draw = read_seed_back(session, round_id, **given, why_no_beacon=why_no_beacon, by=by, now=now)
    round_ = draw_jobs.lock_idle_round(session, round_id)
    if not beacon.strip():
        audit.record(session, "leave_beacon_out", "draw", draw.id, by=by, now=now, reason=why_no_beacon.strip()[:300])
    draw_jobs.enqueue(session, round_, "enter_seed", {"beacon": beacon, "ceremony": ceremony}, by=by, now=now)


def sign(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    """Sign a checked run.  The second signature, by another person, enqueues its publication.  Returns how many signed.

    Refuses `draw_at_work`, what `runs.add_signature` refuses, and with the second signature `places_changed`.
    """
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, runs.one(session, run_id).round_id)
    people = runs.add_signature(session, run_id, by=by, now=now)
    if people >= runs.SIGNATURES_NEEDED:
        publication.refuse_if_full(session, runs.one(session, run_id))
        draw_jobs.enqueue(session, round_, "publish_run", {"run": str(run_id)}, by=by, now=now)
    return people


def publish_again(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Enqueue the publication of a run with both signatures again, after the first job failed.

    Refuses `draw_at_work`, `signatures_missing`, `run_cannot_be_signed`, `snapshot_was_replaced`, `places_changed`.
    """
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, runs.one(session, run_id).round_id)
    run = runs.to_publish(session, run_id)
    publication.refuse_if_full(session, run)
    draw_jobs.enqueue(session, round_, "publish_run", {"run": str(run_id)}, by=by, now=now)


def end_overdue(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Expire overdue offers before a replay is requested, even if the replay is refused later.

    The round is locked first, as a publication locks it.  Does nothing while the round has an active job.
    """
    require_city_official(by)
    try:
        draw_jobs.lock_idle_round(session, round_id)
    except Refused:
        return
    answer_deadlines.expire_due(session, now=now)


def start_replay(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Enqueue a replay.  Refuses `draw_at_work` and what `replay.precheck` refuses."""
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, round_id)
    replay.precheck(session, round_id, now=now)
    draw_jobs.enqueue(session, round_, "replay_round", {}, by=by, now=now)
