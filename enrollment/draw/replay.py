"""Replays give free places to the next children on the waiting list: the market is solved again, with the same tickets.

Families who gave up do not take part.  Whoever holds a place keeps it or gets a better wish, so nobody is worse off.
The first replay after the confirmation deadline is signed like a run; later ones run daily under a standing approval of
two people.
"""

import datetime as dt
import hashlib
import uuid

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.application_rows import Application
from enrollment.draw import draw_jobs, draws, market_builder, market_files, replay_market, runs, snapshot
from enrollment.draw.draws import Snapshot
from enrollment.draw.publication import hours
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import CITY, SYSTEM, Actor, Role
from enrollment.ground.errors import Refused
from enrollment.ground.signatures import Signature
from enrollment.offers import answer_deadlines, irrevocable_acts, joint_decisions
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.season import rounds
from enrollment.season.calendar import Season, refuse_closed, require_city_official
from enrollment.season.round_rows import RoundKind, RoundStage
from enrollment.season.rounds import Round

NOTHING_TO_START = (
    "nothing_to_hand_on",
    "run_in_progress",
    "run_waits_for_its_hour",
    "answers_still_due",
    "season_is_closed",
)
"""Why no replay starts by itself at the moment."""

STANDING, WITHDRAWN_STANDING = "standing_replay", "standing_replay_withdrawn"


def start(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Run:
    """Freeze the market of those who still take part, and start a replay in the background.

    Refuses `nothing_is_published`, `season_is_closed`, `answers_still_due` (with `n`) before the first batch, `nothing_to_hand_on`,
    `run_in_progress`, and, without a person, `no_standing_approval`.
    """
    if not by.is_any(Role.SYSTEM):
        require_city_official(by)
    elif not is_approved(session, round_id):
        raise Refused("no_standing_approval")
    round_ = draw_jobs.lock_round(session, round_id)
    latest = runs.published(session, round_id)
    first = runs.first_published(session, round_id)
    if latest is None or first is None or round_.kind == RoundKind.CENTRAL:
        raise Refused("nothing_is_published")
    refuse_closed(session, round_.year)
    for act_id in joint_decisions.due(session, now=now):
        irrevocable_acts.take_effect(session, act_id, now=now)
    answer_deadlines.expire_due(session, now=now)
    waiting_for = _unanswered(session, round_id)
    if latest.replays is None and waiting_for:
        raise Refused("answers_still_due", n=waiting_for)
    frozen = market_files.read(market_files.unpack(session.get_one(Snapshot, first.snapshot_id).market))
    market = replay_market.remaining(session, round_, frozen, now=now)
    files = market_builder.encode(market, draws.ticket_numbers(session, round_.year))
    stored = snapshot.store(session, round_id, files.written(), by=by, now=now)
    return runs.add(session, round_id, stored.id, by=by, now=now, replays=latest.id)


def precheck(session: Session, round_id: uuid.UUID, *, now: dt.datetime) -> None:
    """The checks that need no market.  Refuses `nothing_is_published`, `season_is_closed`, `run_in_progress`, `answers_still_due`."""
    latest = runs.published(session, round_id)
    round_ = rounds.get_round(session, round_id)
    if latest is None or round_.kind == RoundKind.CENTRAL:
        raise Refused("nothing_is_published")
    refuse_closed(session, round_.year)
    runs.refuse_while_one_runs(session, round_id)
    waiting_for = _unanswered(session, round_id, Offer.answer_by > now)
    if latest.replays is None and waiting_for:
        raise Refused("answers_still_due", n=waiting_for)


def _unanswered(session: Session, round_id: uuid.UUID, *when: ColumnElement[bool]) -> int:
    """How many offers may still be answered, of those of the conditions `when`.

    One on hold, or of a child bound to one on hold, keeps its place until the dispute is settled, and holds nobody up.
    """
    held = aliased(Application)
    waits = select(held.id).where(held.unit == Application.unit, held.on_hold.is_(True))
    found = select(func.count()).select_from(Offer).join(Application, Application.id == Offer.application_id)
    found = found.where(Offer.round_id == round_id, Offer.state == OfferState.OFFERED, Application.on_hold.is_(False))
    found = found.where(~waits.exists(), *when)
    return session.scalar(found) or 0


def approve_standing(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    """Sign the standing approval: after two signatures, later replays of this round run daily.  Returns how many signed.

    Refuses `first_batch_comes_first`, `signed_already`, `draw_at_work`.
    """
    require_city_official(by)
    draw_jobs.refuse_while_busy(session, round_id)
    draw_jobs.lock_round(session, round_id)
    latest = runs.published(session, round_id)
    if latest is None or latest.replays is None:
        raise Refused("first_batch_comes_first")
    return signatures.sign(
        session, STANDING, round_id, _standing_digest(session, round_id), office=CITY, by=by, now=now
    )


def withdraw_standing(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime, reason: str) -> None:
    """Withdraw the standing approval.  One person can do it; after that two people have to sign again.

    Signatures are never changed, so the withdrawal is a signature too: it makes the digest that was signed invalid.  A
    replay in progress then needs two signatures like any run, and one that waits for its hour under the approval is set
    aside.  Refuses `no_standing_approval`, `say_why`.
    """
    require_city_official(by)
    draw_jobs.lock_round(session, round_id)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    if not approvals(session, round_id):
        raise Refused("no_standing_approval")
    ended = _standing_digest(session, round_id)
    signatures.sign(session, WITHDRAWN_STANDING, round_id, ended, office=CITY, by=by, now=now)
    _set_waiting_aside(session, round_id, by=by, now=now)
    audit.record(session, "withdraw_standing", "round", round_id, by=by, now=now, reason=reason.strip()[:500])
    session.flush()


def _set_waiting_aside(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    run = hours.signed_run(session, round_id)
    if run is not None and run.replays is not None and run.started_by is None:
        runs.set_aside(session, run.id, reason="no_standing_approval", by=by, now=now)


def _standing_digest(session: Session, round_id: uuid.UUID) -> str:
    """The digest that a standing approval signs.  It changes with each withdrawal, so that old signatures do not count."""
    taken_back = select(func.count()).where(Signature.subject == WITHDRAWN_STANDING, Signature.subject_id == round_id)
    turn = session.scalar(taken_back) or 0
    return hashlib.sha256(f"{STANDING} {round_id}{f' {turn}' if turn else ''}".encode()).hexdigest()


def approvals(session: Session, round_id: uuid.UUID) -> list[Signature]:
    """The signatures of the standing approval that is valid now."""
    return signatures.signatures_of(session, STANDING, round_id, _standing_digest(session, round_id), office=CITY)


def is_approved(session: Session, round_id: uuid.UUID) -> bool:
    return len(approvals(session, round_id)) >= runs.SIGNATURES_NEEDED


def may_start_now(session: Session, round_id: uuid.UUID) -> bool:
    """Whether a replay of the round may start by itself: it is approved, and no job of the round is going on."""
    return is_approved(session, round_id) and not draw_jobs.is_going_on(session, round_id)


def start_daily(session: Session, *, now: dt.datetime) -> list[uuid.UUID]:
    """Start a replay of every published round that has a standing approval and a free place that somebody wants."""
    started = []
    published = select(Round.id).join(Season, Season.year == Round.year).where(Round.stage == RoundStage.PUBLISHED)
    published = published.where(Season.closed_at.is_(None)).order_by(Round.year, Round.number)
    for round_id in session.scalars(published).all():
        if not may_start_now(session, round_id):
            continue
        try:
            with session.begin_nested():
                started.append(start(session, round_id, by=SYSTEM, now=now).id)
        except Refused as refused:
            if refused.code not in NOTHING_TO_START:
                raise
    return started


def let_wait_if_approved(session: Session, run_id: uuid.UUID, *, now: dt.datetime) -> bool:
    """Let a checked replay under a standing approval wait for its hour, as if two people had signed it."""
    run = runs.one(session, run_id)
    if run.replays is None or run.started_by is not None or not is_approved(session, run.round_id):
        return False
    round_ = draw_jobs.lock_round(session, run.round_id)
    run = runs.one(session, run_id, lock=True)
    if run.state != RunState.CHECKED or not is_approved(session, run.round_id):  # withdrawn in the meantime
        return False
    refuse_closed(session, round_.year)
    hours.announce_soon(session, round_, now=now)
    runs.let_wait(session, run, by=SYSTEM, now=now)
    return True
