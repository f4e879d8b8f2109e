"""Runs 派位运行: started, checked, signed by two people and published, or set aside.  No run is ever deleted."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.draw import draw_jobs, publication, snapshot
from enrollment.draw.draw_jobs import Progress
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import STATES, CutOff, Placement, Run, RunState, WishReason
from enrollment.ground import audit, jobs, signatures
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.season.calendar import require_city_official
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
    if any(run.state in (RunState.WAITING, RunState.RUNNING) for run in of_round(session, round_id)):
        raise Refused("run_in_progress")


def add(
    session: Session,
    round_id: uuid.UUID,
    snapshot_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    replays: uuid.UUID | None = None,
) -> Run:
    """Add a run and its job in the same transaction.  The caller holds the round's lock.  Refuses `run_in_progress`."""
    refuse_while_one_runs(session, round_id)
    run = Run(
        id=uuid.uuid4(), round_id=round_id, number=len(of_round(session, round_id)) + 1, snapshot_id=snapshot_id, state=RunState.WAITING,
        replays=replays, started_at=now, started_by=by.account_id,
    )  # fmt: skip
    run.job_id = jobs.enqueue(session, "run_round", {"run": str(run.id)}, key=f"run_round:{run.id}", now=now)
    session.add(run)
    session.flush()
    audit.record(session, "start_run", "run", run.id, by=by, now=now, number=run.number)
    return run


def sign(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    """Sign the digest of a checked run; the second of two different people publishes it.  Returns how many signed.

    Refuses what `add_signature` and `publication.publish` refuse.
    """
    require_city_official(by)
    draw_jobs.lock_round(session, one(session, run_id).round_id)
    people = add_signature(session, run_id, by=by, now=now)
    if people >= SIGNATURES_NEEDED:
        publish_signed(session, run_id, by=by, now=now)
    return people


def add_signature(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    """Add the signature without publishing.  The caller holds the round's lock.  Returns how many signed.

    Refuses `run_cannot_be_signed`, `snapshot_was_replaced`, `snapshot_outdated`, `signed_already`.
    """
    run = _signable(session, run_id)
    return signatures.sign(session, "run", run.id, run.digest or "", by=by, now=now)


def publish_signed(
    session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime, progress: Progress = draw_jobs.no_progress
) -> int:
    """Publish a run that two people signed.  Returns how many offers.

    Refuses what `to_publish` and `publication.publish` refuse.
    """
    require_city_official(by)
    draw_jobs.lock_round(session, one(session, run_id).round_id)
    return publication.publish(session, to_publish(session, run_id), by=by, now=now, progress=progress)


def to_publish(session: Session, run_id: uuid.UUID) -> Run:
    """A run that is ready to be published, locked.

    Refuses `run_cannot_be_signed`, `snapshot_was_replaced`, `snapshot_outdated`, `signatures_missing`.
    """
    run = _signable(session, run_id)
    if len(signed_by(session, run)) < SIGNATURES_NEEDED:
        raise Refused("signatures_missing")
    return run


def _signable(session: Session, run_id: uuid.UUID) -> Run:
    run = one(session, run_id, lock=True)
    if run.state != RunState.CHECKED or run.digest is None:
        raise Refused("run_cannot_be_signed", state=run.state)
    frozen = session.get_one(Snapshot, run.snapshot_id, populate_existing=True)
    if frozen.replaced_at is not None:
        raise Refused("snapshot_was_replaced")
    snapshot.refuse_outdated(frozen)
    return run


def signed_by(session: Session, run: Run) -> list[signatures.Signature]:
    return signatures.signatures_of(session, "run", run.id, run.digest) if run.digest else []


def set_aside(session: Session, run_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Run:
    """Set an unpublished run aside, with the reason.  The run stays readable.

    Refuses `run_is_published`, `run_is_over`, `say_why`, and `draw_at_work` while it is being published.
    """
    require_city_official(by)
    draw_jobs.refuse_while_busy(session, one(session, run_id).round_id)
    run = one(session, run_id, lock=True)
    if run.state in (RunState.PUBLISHED, RunState.SUPERSEDED):
        raise Refused("run_is_published")
    if run.state in (RunState.FAILED, RunState.SET_ASIDE):
        raise Refused("run_is_over", state=run.state)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    run.state, run.error = RunState.SET_ASIDE, reason.strip()[:500]
    audit.record(session, "set_aside", "run", run.id, by=by, now=now, reason=run.error)
    session.flush()
    return run
