"""Requests of officials from the page: checked as far as possible at once, then enqueued for the worker.

The worker calls `snapshot.freeze`, `seeding.set_seed`, `preparation.prepare` and `replay.start`.  What they refuse is kept
on the job's row, and `draw_jobs.of_round` reads it.
"""

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from enrollment.draw import draw_jobs, replay, runs, snapshot
from enrollment.draw.publication import hours, opening, run_moves
from enrollment.draw.run_rows import RunState
from enrollment.draw.seed import seeding
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
    args = {"reason": reason.strip()}
    draw_jobs.enqueue(session, round_, "freeze_round", args, by=by, now=now)


def set_seed(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Enqueue the seed, which gives everybody a ticket.  Refuses `draw_at_work` and what `seeding.set_seed` refuses."""
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, round_id)
    seeding.precheck(session, round_.year, round_id, now=now)
    draw_jobs.enqueue(session, round_, "enter_seed", {}, by=by, now=now)


def sign(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime, note: str = "") -> int:
    """Sign a checked run, with a note for the other signer.  The second signature, by another person, enqueues its preparation; it is opened at the announced
    hour.  Returns how many signed.

    Refuses `draw_at_work` and what `runs.sign` refuses.
    """
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, runs.one(session, run_id).round_id)
    people = runs.sign(session, run_id, by=by, now=now, note=note)
    if people >= runs.SIGNATURES_NEEDED:
        draw_jobs.enqueue(session, round_, "prepare_run", {"run": str(run_id)}, by=by, now=now)
    return people


def prepare_again(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Enqueue the preparation of a signed run again, after the first job failed or what stopped its opening was mended.

    Refuses `draw_at_work`, `run_is_over`, `snapshot_was_replaced`, `snapshot_outdated`, `places_changed`.
    """
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, runs.one(session, run_id).round_id)
    run = runs.one(session, run_id, lock=True)
    if run.state != RunState.SIGNED:
        raise Refused("run_is_over", state=run.state)
    opening.refuse_old_list(session, run)
    run_moves.refuse_if_full(session, run)
    hours.try_again(session, run_id)
    draw_jobs.enqueue(session, round_, "prepare_run", {"run": str(run_id)}, by=by, now=now)


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
