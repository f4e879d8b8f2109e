"""Runs 派位运行: started, checked, signed by two people, and opened at the announced hour, or set aside.  No run is ever
deleted."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.draw import draw_jobs, snapshot
from enrollment.draw.publication import hours, opening, preparation, run_moves
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import STATES, CutOff, Placement, Run, RunState, WishReason
from enrollment.ground import audit, jobs, signatures
from enrollment.ground.accounts import CITY, Account, Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.season import round_rows
from enrollment.season.calendar import refuse_closed, require_city_official
from enrollment.season.round_rows import RoundStage

__all__ = ["STATES", "CutOff", "Placement", "Run", "WishReason"]

SIGNATURES_NEEDED = 2


def one(session: Session, run_id: uuid.UUID, *, lock: bool = False) -> Run:
    """The run; NotFound otherwise."""
    run = session.get(Run, run_id, with_for_update=lock or None, populate_existing=lock)
    if run is None:
        raise NotFound
    return run


def of_round(session: Session, round_id: uuid.UUID) -> list[Run]:
    """All runs of a round, the newest first."""
    return list(session.scalars(select(Run).where(Run.round_id == round_id).order_by(Run.number.desc())))


def published(session: Session, round_id: uuid.UUID) -> Run | None:
    return session.scalars(select(Run).where(Run.round_id == round_id, Run.state == RunState.PUBLISHED)).one_or_none()


def first_published(session: Session, round_id: uuid.UUID) -> Run | None:
    """The run that made the round's result, before any replay."""
    found = select(Run).where(Run.round_id == round_id, Run.replays.is_(None), Run.published_at.is_not(None))
    return session.scalars(found).one_or_none()


def start(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Run:
    """Start a run in the background.  Only one run of a round is in progress at a time; it may be repeated later.

    Refuses `round_not_drawn` before the seed, `snapshot_outdated`, `run_in_progress`, `run_is_published`, `draw_at_work`.
    """
    require_city_official(by)
    draw_jobs.refuse_while_busy(session, round_id)
    round_ = draw_jobs.lock_round(session, round_id)
    frozen = snapshot.current(session, round_id)
    if round_.stage != RoundStage.DRAWN or frozen is None:
        raise Refused(
            "run_is_published" if round_.stage == RoundStage.PUBLISHED else "round_not_drawn", stage=round_.stage
        )
    snapshot.refuse_outdated(frozen)
    return add(session, round_id, frozen.id, by=by, now=now)


def refuse_while_one_runs(session: Session, round_id: uuid.UUID) -> None:
    """Refuses `run_in_progress`, and `run_waits_for_its_hour` while a signed run is not opened."""
    if any(run.state in (RunState.WAITING, RunState.RUNNING) for run in of_round(session, round_id)):
        raise Refused("run_in_progress")
    if hours.signed_run(session, round_id) is not None:
        raise Refused("run_waits_for_its_hour")


def add(
    session: Session,
    round_id: uuid.UUID,
    snapshot_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    replays: uuid.UUID | None = None,
) -> Run:
    """Add a run and its job in the same transaction, and announce an hour if there is none.  The caller holds the round's lock.

    Refuses `season_is_closed`, `run_in_progress` and `run_waits_for_its_hour`.
    """
    round_ = round_rows.get_round(session, round_id)
    refuse_closed(session, round_.year)
    refuse_while_one_runs(session, round_id)
    hours.announce_if_none(session, round_, now=now)
    run = Run(
        id=uuid.uuid4(), round_id=round_id, number=len(of_round(session, round_id)) + 1, snapshot_id=snapshot_id, state=RunState.WAITING,
        replays=replays, started_at=now, started_by=by.account_id,
    )  # fmt: skip
    run.job_id = jobs.enqueue(session, "run_round", {"run": str(run.id)}, key=f"run_round:{run.id}", now=now)
    session.add(run)
    session.flush()
    audit.record(session, "start_run", "run", run.id, by=by, now=now, number=run.number)
    return run


def sign(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime, note: str = "") -> int:
    """Sign the digest of a checked run, with a note for the other signer.  With the second of two different people it waits
    for its hour.

    The caller then prepares it (`publication.preparation`).  Returns how many signed.  Refuses `only_the_city`,
    `run_cannot_be_signed`, `season_is_closed`, `snapshot_was_replaced`, `snapshot_outdated`, `signed_already`,
    `run_waits_for_its_hour`, and with the second signature `places_changed`.
    """
    require_city_official(by)
    draw_jobs.lock_round(session, one(session, run_id).round_id)
    run = _signable(session, run_id)
    people = signatures.sign(session, "run", run.id, run.digest or "", office=CITY, by=by, now=now, note=note)
    if people >= SIGNATURES_NEEDED:
        run_moves.refuse_if_full(session, run)
        let_wait(session, run, by=by, now=now)
    return people


def let_wait(session: Session, run: Run, *, by: Actor, now: dt.datetime) -> None:
    """The run is decided, and waits for its hour.  The caller holds the locks of the round and of the run."""
    hour = hours.announce_if_none(session, round_rows.get_round(session, run.round_id), now=now)
    session.add(Publication(run_id=run.id, hour=hour, signed_at=now))
    run.state = RunState.SIGNED
    audit.record(session, "sign_run", "run", run.id, by=by, now=now, hour=hour.isoformat())
    session.flush()


def _signable(session: Session, run_id: uuid.UUID) -> Run:
    run = one(session, run_id, lock=True)
    if run.state != RunState.CHECKED or run.digest is None:
        raise Refused("run_cannot_be_signed", state=run.state)
    refuse_closed(session, round_rows.get_round(session, run.round_id).year)
    if hours.signed_run(session, run.round_id) is not None:
        raise Refused("run_waits_for_its_hour")
    opening.refuse_old_list(session, run)
    return run


def signed_by(session: Session, run: Run) -> list[signatures.Signature]:
    return signatures.signatures_of(session, "run", run.id, run.digest, office=CITY) if run.digest else []


def signers(session: Session, run: Run) -> list[tuple[str, dt.datetime]]:
    """Who signed the run, and when."""
    return [(session.get_one(Account, one.account_id).name, one.signed_at) for one in signed_by(session, run)]


def notes(session: Session, run: Run) -> list[tuple[str, str]]:
    """What the signers wrote about the run, with their names."""
    return [(session.get_one(Account, one.account_id).name, one.note) for one in signed_by(session, run) if one.note]


def set_aside(session: Session, run_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Run:
    """Set an unpublished run aside, with the reason; one that waits for its hour too.  The run stays readable, and what was
    prepared is deleted.

    Refuses `run_is_published`, `run_is_over`, `say_why`, `draw_at_work` while it is being prepared, and `hour_has_passed` in
    the seconds of its opening.
    """
    require_city_official(by)
    run = one(session, run_id)
    draw_jobs.refuse_while_busy(session, run.round_id)
    if run.state == RunState.SIGNED:
        hours.refuse_while_opening(session, run, now=now)
    draw_jobs.lock_round(session, run.round_id)
    run = one(session, run_id, lock=True)
    if run.state in (RunState.PUBLISHED, RunState.SUPERSEDED):
        raise Refused("run_is_published")
    if run.state in (RunState.FAILED, RunState.SET_ASIDE):
        raise Refused("run_is_over", state=run.state)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    run.state, run.error = RunState.SET_ASIDE, reason.strip()[:500]
    preparation.clear(session, run.id)
    audit.record(session, "set_aside", "run", run.id, by=by, now=now, reason=run.error)
    session.flush()
    return run
