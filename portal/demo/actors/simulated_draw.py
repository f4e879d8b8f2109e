"""The draw of the demo city by two simulated officials: freeze, seed, run, two signatures, opening at the announced hour.

Every step calls the service functions that the pages and the jobs call.
"""

import datetime as dt
import functools
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from enrollment.draw import execution, runs, snapshot
from enrollment.draw.publication import hours, opening, preparation
from enrollment.draw.run_rows import Run, RunState
from enrollment.draw.seed import declared_forms, seeding
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.audit import AuditEntry
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round
from portal.demo import people, season
from portal.demo.actors import simulated_witnesses

OFFICIALS = ("city1", "city2")
TO_DRAW = dt.timedelta(minutes=8)
"""How long a simulated draw takes, from the form to the checked run."""


def unfinished(session: Session, round_id: uuid.UUID) -> Run | None:
    """The run that simulated officials have begun and nobody has signed: they were killed in between, and go on with it."""
    theirs = select(AuditEntry.number).where(
        AuditEntry.subject == "round", AuditEntry.subject_id == str(round_id), AuditEntry.act == "simulate_draw"
    )
    if session.scalar(theirs.limit(1)) is None:
        return None
    newest = session.scalars(select(Run).where(Run.round_id == round_id).order_by(Run.number.desc()).limit(1)).first()
    goes_on = newest is not None and newest.state in (RunState.WAITING, RunState.RUNNING, RunState.CHECKED)
    return newest if goes_on and newest is not None and not runs.signed_by(session, newest) else None


def begin(session: Session, *, now: dt.datetime, round_id: uuid.UUID | None = None) -> uuid.UUID:
    """Declare the form, freeze the list, let witnesses enter the seed and start the run of the round, or of the main round;
    its id.  Refuses as each step."""
    first, second = (people.actor(session, login) for login in OFFICIALS)
    found = session.get_one(Round, round_id) if round_id else _main_round(session)
    beacon_at, seeded_at = now + dt.timedelta(minutes=4), now + dt.timedelta(minutes=5)
    audit.record(session, "simulate_draw", "round", found.id, by=SYSTEM, now=now)
    simulated_witnesses.declare(session, found.id, beacon_at, by=first, now=now)
    snapshot.freeze(session, found.id, by=first, now=now)
    simulated_witnesses.enter(session, found.id, (first, second), now=seeded_at)
    seeding.set_seed(session, season.YEAR, by=first, now=seeded_at)
    return runs.start(session, found.id, by=first, now=now + dt.timedelta(minutes=6)).id


def publish(engine: Engine, run_id: uuid.UUID, signed_at: dt.datetime, hour: dt.datetime) -> None:
    """Two officials sign a checked run; it is prepared, and opened at its hour."""
    with _session(engine) as session:
        officials = [people.actor(session, login) for login in OFFICIALS]
        # before the signatures: a draw that is killed here waits for them, and goes on
        prepared = functools.partial(_prepare_part, engine, run_id, officials[-1])
        with ThreadPoolExecutor(preparation.AT_ONCE) as pool:
            for _done in pool.map(prepared, preparation.parts(session, run_id)):
                pass
    with _session(engine) as session, session.begin():
        for official in officials:
            runs.sign(session, run_id, by=official, now=signed_at)
        preparation.finish(session, run_id, now=signed_at)
    with _session(engine) as session, session.begin():
        opening.open_run(session, run_id, now=hour)
        preparation.clear(session, run_id)


def _prepare_part(engine: Engine, run_id: uuid.UUID, by: Actor, part: preparation.Part) -> None:
    with _session(engine) as session, session.begin():
        ids = preparation.children_of(session, run_id, part)
        preparation.prepare_children(session, session.get_one(Run, run_id), ids, by=by)


def draw(
    engine: Engine, now: dt.datetime, progress: Callable[[int, int], None], round_id: uuid.UUID | None = None
) -> uuid.UUID:
    """Everything up to a run that is checked and waits for its signatures; its id.  Without `round_id` the main round's.

    One that was begun and left goes on.
    """
    with _session(engine) as session, session.begin():
        begun = unfinished(session, round_id or _main_round(session).id)
        run_id = begun.id if begun is not None else begin(session, now=now, round_id=round_id)
    progress(0, 1)
    with _session(engine) as session, session.begin():
        run = session.get_one(Run, run_id, with_for_update=True)
        if run.state != RunState.CHECKED:  # by the worker, to whom every run is given
            execution.execute(session, run_id, now=now + dt.timedelta(minutes=7))
    progress(1, 1)
    return run_id


def publish_the_checked_run(engine: Engine, signed_at: dt.datetime, hour: dt.datetime) -> None:
    """Sign and open the one run that is checked."""
    with _session(engine) as session:
        run_id = session.scalars(select(Run.id).where(Run.state == RunState.CHECKED)).one()
    publish(engine, run_id, signed_at, hour)


def draw_if_nobody_has(
    engine: Engine, progress: Callable[[int, int], None], late: dt.datetime | None = None
) -> dt.datetime | None:
    """For a visitor who goes on to the results without drawing: let the simulated officials draw.  When the result was opened;
    None if they left it.

    They act in the last hours before the results, or from `late` on where something kept them from it then.  A draw that a
    visitor has begun stays the visitor's.
    """
    with _session(engine) as session:
        found = _main_round(session)
        begun = found.stage != RoundStage.CLOSED or declared_forms.newest(session, found.id) is not None
        if begun and unfinished(session, found.id) is None:
            return None
    hour = season.DATES["result"][0]
    run_id = draw(engine, late or hour - dt.timedelta(hours=3), progress)
    if late is not None:
        return publish_late(engine, run_id, late)
    publish(engine, run_id, hour - dt.timedelta(hours=2), hour)
    return hour


def publish_late(engine: Engine, run_id: uuid.UUID, drawn_at: dt.datetime) -> dt.datetime:
    """Sign and open a run whose draw began at `drawn_at`, at the next hour that can be announced; returns it."""
    signed_at = drawn_at + TO_DRAW
    with _session(engine) as session, session.begin():
        round_ = session.get_one(Round, runs.one(session, run_id).round_id)
        hours.announce_soon(session, round_, now=signed_at)
        hour = round_.results_at or signed_at
    publish(engine, run_id, signed_at, hour)
    return hour


def _main_round(session: Session) -> Round:
    return session.scalars(select(Round).where(Round.year == season.YEAR).order_by(Round.number).limit(1)).one()


def _session(engine: Engine) -> Session:
    return Session(engine, expire_on_commit=False)
