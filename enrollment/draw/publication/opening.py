"""The opening of a result at its hour: the placements of a run become offers, in one transaction.

Everything was prepared before (`preparation`); the time in the run's row of `publication` opens it, for everybody at once.
The transaction begins a little earlier (`hours.lead`), writes everything that nobody else waits for, and is committed in the
announced second.  Programmes, and the applications of children without a place, are locked only for its last two seconds, so
that families can act meanwhile.  Locked from the beginning are the families whose bond ends because one child is placed alone.
A supplementary run or a replay also moves children who hold a place: their old offer is superseded in the same
transaction, and the table refuses a second live offer.  Everybody in such a run who holds a place is locked from the beginning
too; therefore it begins at most `hours.LONGEST_LEAD_WITH_OFFERS` before the hour.
"""

import datetime as dt
import uuid
from collections.abc import Callable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from enrollment.draw import draw_jobs
from enrollment.draw.draw_jobs import Progress
from enrollment.draw.draws import Snapshot
from enrollment.draw.publication import hours, preparation, result_contents, run_moves
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground import audit, outbox
from enrollment.ground.accounts import SYSTEM, Account, Actor, Role, RoleGrant
from enrollment.ground.city_time import CHENGDU, format_time
from enrollment.ground.errors import Refused
from enrollment.season import round_rows as rounds
from enrollment.season.calendar import refuse_closed
from enrollment.season.round_rows import Round, RoundKind, RoundStage

TO_ANSWER = dt.timedelta(days=3)
"""The shortest time to answer.  It leaves time for a reminder on the day before, and ends at 17:00."""

STEPS = ("comparing", "offering", "telling")
"""The steps of an opening, as its progress reports them."""

NOT_YET = ("before_the_hour", "not_prepared_yet", "run_is_over")
"""Refusals that only say that there is nothing to open now."""

Wait = Callable[[dt.datetime], dt.datetime]
"""A function that returns at this moment, or later, and gives the time."""

LAST_SECONDS = dt.timedelta(seconds=2)
"""How long before the hour the rows that families may need are locked: long enough for a city, and well below the ten
seconds that they wait for a lock (`ground.db`)."""


def open_run(
    session: Session,
    run_id: uuid.UUID,
    *,
    now: dt.datetime,
    wait: Wait | None = None,
    progress: Progress = draw_jobs.no_progress,
) -> int:
    """Open the result of a signed and prepared run.  Returns how many offers were made.

    With `wait` it may begin a little before the hour, and returns at the hour; the caller commits at once.

    Refuses `run_is_over` for a run that does not wait (any more), `season_is_closed`, `not_prepared_yet`, `before_the_hour`,
    `snapshot_was_replaced`, `snapshot_outdated`, `places_changed` when a programme has too few places left for the run, and
    `answers_changed` when families answered or withdrew since its snapshot; then a new run is needed.  Raises Overtaken.
    """
    round_ = draw_jobs.lock_round(session, session.get_one(Run, run_id).round_id)
    run = session.get_one(Run, run_id, with_for_update=True, populate_existing=True)
    waiting = hours.publication_of(session, run_id, lock=True)
    if run.state != RunState.SIGNED or waiting is None:
        raise Refused("run_is_over", state=run.state)
    refuse_closed(session, round_.year)
    if waiting.prepared_at is None:
        raise Refused("not_prepared_yet")
    early = hours.lead(session, run) if wait else dt.timedelta()
    if now < waiting.hour - early:
        raise Refused("before_the_hour", hour=format_time(waiting.hour))
    refuse_old_list(session, run)
    return _publish(session, run, round_, waiting, now, wait or (lambda _moment: now), progress)


def refuse_old_list(session: Session, run: Run) -> None:
    """Refuse `snapshot_was_replaced` and `snapshot_outdated`."""
    frozen = session.get_one(Snapshot, run.snapshot_id, populate_existing=True)
    if frozen.replaced_at is not None:
        raise Refused("snapshot_was_replaced")
    if frozen.outdated_at is not None:
        raise Refused("snapshot_outdated")


def _publish(
    session: Session, run: Run, round_: Round, waiting: Publication, now: dt.datetime, wait: Wait, progress: Progress
) -> int:
    by = SYSTEM  # two people signed; the clock opens
    at = max(now, waiting.hour)
    progress(0, len(STEPS), "comparing")
    run_moves.end_bonds_of_those_placed_alone(session, run, by, at)
    run_moves.collect(session, run, round_)
    run_moves.refuse_overtaken(session, run, round_)
    progress(1, len(STEPS), "offering")
    run_moves.supersede_offers(session, by, at)
    answer_by = answer_deadline(round_.confirm_by, at)
    offers = run_moves.make_offers(session, run, round_, answer_by, by, at)
    if round_.kind == RoundKind.CENTRAL:
        run_moves.link_proposals(session, run)
    progress(2, len(STEPS), "telling")
    run_moves.tell_families(session, run, round_, waiting, answer_by, at)
    wait(waiting.hour - LAST_SECONDS)
    run_moves.lock_applications(session, round_)
    run_moves.move_places(session, run)
    refuse_old_list(session, run)
    result_contents.drop_outdated(session, run, since=waiting.signed_at)
    _open(session, run, round_, waiting, offers, by, wait(waiting.hour))
    return offers


def _open(
    session: Session, run: Run, round_: Round, waiting: Publication, offers: int, by: Actor, now: dt.datetime
) -> None:
    """The row of the publication opens the run; the table refuses a time before the hour."""
    if now < waiting.hour:
        raise Refused("before_the_hour", hour=format_time(waiting.hour))
    _supersede_runs(session, run)
    waiting.opened_at, waiting.offers, waiting.refused_at, waiting.refusal = now, offers, None, None
    session.flush()
    run.state, run.published_at = RunState.PUBLISHED, now
    if round_.stage == RoundStage.DRAWN:
        rounds.move(session, round_, "publish", by=by, now=now)
    audit.record(session, "publish", "run", run.id, by=by, now=now, digest=run.digest, offers=offers)
    session.flush()


def refuse(session: Session, run_id: uuid.UUID, refused: Refused, *, now: dt.datetime) -> None:
    """Store why a result was not opened, and tell the officials of the city.

    A daily replay under a standing approval is set aside instead: the next morning makes a new one.
    """
    draw_jobs.lock_round(session, session.get_one(Run, run_id).round_id)
    run = session.get_one(Run, run_id, with_for_update=True, populate_existing=True)
    waiting = hours.publication_of(session, run_id, lock=True)
    if run.state != RunState.SIGNED or waiting is None:
        return
    if run.replays is not None and run.started_by is None:
        run.state, run.error = RunState.SET_ASIDE, refused.code
        preparation.clear(session, run_id)
        session.flush()
        return
    if waiting.refusal == refused.code:
        return
    waiting.refused_at, waiting.refusal = now, refused.code
    audit.record(session, "refuse_publication", "run", run_id, by=SYSTEM, now=now, reason=refused.code)
    _tell_officials(session, run, now)
    session.flush()


def refuse_early(session: Session, run_id: uuid.UUID, *, now: dt.datetime) -> None:
    """Before the hour, store that the run cannot be opened because its list was corrected or replaced meanwhile."""
    try:
        refuse_old_list(session, session.get_one(Run, run_id))
    except Refused as refused:
        refuse(session, run_id, refused, now=now)


def _tell_officials(session: Session, run: Run, now: dt.datetime) -> None:
    city = select(RoleGrant.account_id).where(RoleGrant.role == Role.CITY_OFFICIAL).distinct()
    round_ = session.get_one(Round, run.round_id)
    for account_id in session.scalars(city.join(Account).where(Account.disabled_at.is_(None))).all():
        key = f"publication_refused:{run.id}:{now.isoformat()}:{account_id}"
        outbox.tell(
            session, "publication_refused", account_id=account_id, key=key, now=now,
            round=round_.name, round_kind=round_.kind,
        )  # fmt: skip


def waiting_runs(session: Session) -> list[tuple[Run, Publication]]:
    """The runs that two people signed and that were not opened yet, the earliest hour first."""
    found = select(Run, Publication).join(Publication, Publication.run_id == Run.id).where(Run.state == RunState.SIGNED)
    return [(run, waiting) for run, waiting in session.execute(found.order_by(Publication.hour, Run.id))]


def answer_deadline(confirm_by: dt.datetime, now: dt.datetime) -> dt.datetime:
    """When an answer is due: the round's date, but never sooner than three days from now, at 17:00."""
    if confirm_by - now >= TO_ANSWER - dt.timedelta(days=1):
        return confirm_by
    day = (now + TO_ANSWER).astimezone(CHENGDU)
    return day.replace(hour=17, minute=0, second=0, microsecond=0)


def _supersede_runs(session: Session, run: Run) -> None:
    session.execute(
        update(Run)
        .where(Run.round_id == run.round_id, Run.state == RunState.PUBLISHED)
        .values(state=RunState.SUPERSEDED)
    )
