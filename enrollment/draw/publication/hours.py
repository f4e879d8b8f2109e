"""The announced hour of a result: what is announced, the hour of a replay, and how an hour is changed.

The first main round of a year follows the calendar's step `result` (`calendar_dates` moves it).  Any other result has the hour in
`round.results_at`; where nobody announced one, it is the next morning at nine.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.applications.notifications import notify_guardians_of
from enrollment.draw import draw_jobs
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import Placement, Run, RunState
from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import CHENGDU, format_time
from enrollment.ground.errors import Refused, Stale
from enrollment.season import seasons
from enrollment.season.calendar import (
    SeasonDate,
    conflicts_of,
    refuse_closed,
    refuse_sudden_result,
    require_city_official,
)
from enrollment.season.round_rows import Round, RoundKind, RoundStage

MORNING = dt.time(9, 0)
EVENING = dt.time(20, 0)
AHEAD = dt.timedelta(minutes=4)
"""Families hear of a place between nine and eight in the evening, and its page is prepared some minutes ahead."""

RESULT = "result"
AFTERWARDS = ("supplementary", "arrival")
"""The steps of the calendar that follow the answers to a result."""

OPENS_WITHIN = dt.timedelta(minutes=10)
"""How long after its hour a prepared run counts as being opened."""

PUBLISH = "publish_run"
"""The job that opens a result; it is due at the hour."""


SHORTEST_LEAD, LONGEST_LEAD = dt.timedelta(seconds=4), dt.timedelta(seconds=60)
LONGEST_LEAD_WITH_OFFERS = dt.timedelta(seconds=8)
"""For a run whose children can hold a place: it locks their offers from its beginning, and a family waits ten seconds for a
lock (`ground.db`)."""

CHILDREN_PER_SECOND = 2500
"""How many children of a run are opened in a second on a machine with other work; `bench/city.py` measures it."""


@dataclass(frozen=True)
class Announcement:
    """What is announced about the next result of a round.

    `state` is `coming` before the hour, `opening` from the hour until everything is open, `delayed` when the opening was
    refused and a new hour is needed, and `unannounced` without an hour, or when the hour has passed and nothing is signed.
    """

    hour: dt.datetime | None
    state: str


def follows_calendar(session: Session, round_: Round) -> bool:
    """Whether the calendar announces the result: that of a main round, as long as no main round of the year is published."""
    if round_.results_at is not None or round_.kind != RoundKind.MAIN or round_.stage == RoundStage.PUBLISHED:
        return False
    if round_.number == 1:  # as nearly every main round, without a statement
        return True
    published = select(Round.id).where(
        Round.year == round_.year, Round.kind == RoundKind.MAIN, Round.stage == RoundStage.PUBLISHED
    )
    return session.scalar(published.limit(1)) is None


def hour_of(session: Session, round_: Round) -> dt.datetime | None:
    """The announced hour of the round's next result; None if none is announced."""
    if round_.results_at is not None:
        return round_.results_at
    if not follows_calendar(session, round_):
        return None
    season = seasons.of_year(session, round_.year)
    return next((date.begins_at for date in season.dates if date.step == RESULT), None) if season else None


def as_text(hour: dt.datetime | None) -> str:
    """An announced hour as a form carries it, so that a signature is of the hour that the signer read."""
    return hour.astimezone(dt.UTC).isoformat() if hour is not None else ""


def next_morning(now: dt.datetime) -> dt.datetime:
    """The next nine o'clock in Chengdu."""
    local = now.astimezone(CHENGDU)
    day = local.date() if local.time() < MORNING else local.date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, MORNING, tzinfo=CHENGDU)


def announce_if_none(session: Session, round_: Round, *, now: dt.datetime) -> dt.datetime:
    """The hour of the round's next result.  A replay, and a round without an hour, get the next morning."""
    known = hour_of(session, round_)
    is_replay = round_.stage == RoundStage.PUBLISHED
    if known is None or (is_replay and known < now):
        known = round_.results_at = next_morning(now)
        session.flush()
    return known


def soon(now: dt.datetime) -> dt.datetime:
    """The hour of a place that goes on by itself: in a few minutes by day, else at nine in the morning."""
    local = now.astimezone(CHENGDU)
    in_minutes = (local + AHEAD).replace(second=0, microsecond=0)
    return in_minutes if local.time() >= MORNING and in_minutes.time() < EVENING else next_morning(now)


def announce_soon(session: Session, round_: Round, *, now: dt.datetime) -> None:
    """Bring the hour of a replay under a standing approval forward; an earlier hour that was announced stays."""
    known, earliest = hour_of(session, round_), soon(now)
    if known is None or known < now or known > earliest:
        round_.results_at = earliest
        session.flush()


def signed_run(session: Session, round_id: uuid.UUID) -> Run | None:
    """The run of the round that two people signed and that waits for its hour."""
    return session.scalars(select(Run).where(Run.round_id == round_id, Run.state == RunState.SIGNED)).one_or_none()


def publication_of(session: Session, run_id: uuid.UUID, *, lock: bool = False) -> Publication | None:
    return session.get(Publication, run_id, with_for_update=lock or None, populate_existing=lock)


def announcement(session: Session, round_: Round, *, now: dt.datetime) -> Announcement:
    """What families are told about the next result of the round."""
    hour = hour_of(session, round_)
    run = signed_run(session, round_.id)
    waiting = publication_of(session, run.id) if run else None
    if waiting is not None and waiting.refused_at is not None:
        return Announcement(hour, "delayed")
    if (
        hour is None and waiting is not None
    ):  # it was signed under the calendar, and another main round was opened first
        hour = waiting.hour
    if hour is None:
        return Announcement(None, "unannounced")
    if now < hour:
        return Announcement(hour, "coming")
    return Announcement(hour, "opening" if waiting is not None else "unannounced")


def announced_to(session: Session, round_: Round | None, *, now: dt.datetime) -> Announcement | None:
    """The same for a family that waits for the first result of this round; None while it may still apply, and afterwards."""
    if round_ is None or round_.stage not in (RoundStage.CLOSED, RoundStage.FROZEN, RoundStage.DRAWN):
        return None
    return announcement(session, round_, now=now)


def lead(session: Session, run: Run) -> dt.timedelta:
    """How long before the hour the opening begins, so that its transaction is ready to be committed in that second."""
    children = session.scalar(select(func.count()).where(Placement.run_id == run.id)) or 0
    longest = LONGEST_LEAD_WITH_OFFERS if _moves_offers(session, run) else LONGEST_LEAD
    return min(SHORTEST_LEAD + dt.timedelta(seconds=children / CHILDREN_PER_SECOND), longest)


def _moves_offers(session: Session, run: Run) -> bool:
    """Whether a child of the run can hold a place: of a replay, and of any round after the first, except central placement, which is
    for children without one.  The same before and during the opening, whatever families do meanwhile."""
    round_ = session.get_one(Round, run.round_id)
    is_first = round_.kind == RoundKind.MAIN and round_.number == 1
    return run.replays is not None or not (is_first or round_.kind == RoundKind.CENTRAL)


def enqueue_opening(session: Session, run_id: uuid.UUID, hour: dt.datetime, *, now: dt.datetime) -> None:
    """Enqueue the opening for a little before the hour, or for now.  One job for each hour that was announced."""
    key = f"{PUBLISH}:{run_id}:{hour.astimezone(dt.UTC).isoformat()}"
    begins = hour - lead(session, session.get_one(Run, run_id))
    jobs.enqueue(session, PUBLISH, {"run": str(run_id)}, key=key, now=now, due=max(begins, now))


def refuse_while_opening(session: Session, run: Run, *, now: dt.datetime) -> None:
    """Refuse `hour_has_passed` while the worker opens the run, or is about to: nobody waits for its locks.

    A worker that has not opened it `OPENS_WITHIN` after the hour does not run; then the run can be changed again.
    """
    waiting = publication_of(session, run.id)
    if waiting is None or waiting.refused_at is not None or waiting.prepared_at is None:
        return
    if waiting.opened_at is None and waiting.hour - lead(session, run) <= now < waiting.hour + OPENS_WITHIN:
        raise Refused("hour_has_passed")


def lock_waiting(session: Session, round_id: uuid.UUID, *, now: dt.datetime) -> tuple[Round, Publication | None]:
    """The round, locked, with the row of its signed run that waits for its hour.  Refuses `hour_has_passed` as above."""
    signed = signed_run(session, round_id)
    if signed is not None:
        refuse_while_opening(session, signed, now=now)
    round_ = draw_jobs.lock_round(session, round_id)
    run = signed_run(session, round_id)
    waiting = publication_of(session, run.id, lock=True) if run else None
    if waiting is not None and waiting.refused_at is None and waiting.hour <= now < waiting.hour + OPENS_WITHIN:
        raise Refused("hour_has_passed")
    return round_, waiting


def give_hour(session: Session, waiting: Publication, hour: dt.datetime, *, now: dt.datetime) -> None:
    """The hour that is announced now; what stopped the opening at an earlier one is tried again then.  The caller locks the row."""
    waiting.hour, waiting.refused_at, waiting.refusal = hour, None, None
    session.flush()
    if waiting.prepared_at is not None:
        enqueue_opening(session, waiting.run_id, hour, now=now)


def change(
    session: Session,
    round_id: uuid.UUID,
    *,
    hour: dt.datetime,
    reason: str,
    by: Actor,
    now: dt.datetime,
    was: str | None = None,
) -> None:
    """Announce another hour and notify the families who wait for a first result.

    `was` is the hour that the person saw, `as_text`; raises Stale if another was announced since.  Refuses `only_the_city`,
    `reason_needed`, `hour_not_ahead`, `hour_too_soon`, `nothing_changed`, `hour_meets_step` where the calendar has another
    step then, `season_is_closed`, and `hour_has_passed` while the result is being opened.
    """
    require_city_official(by)
    if not reason.strip():
        raise Refused("reason_needed", field="reason")
    if hour < now:
        raise Refused("hour_not_ahead", field="hour")
    round_, waiting = lock_waiting(session, round_id, now=now)
    refuse_closed(session, round_.year)
    before = hour_of(session, round_)
    if was is not None and was != as_text(before):
        raise Stale()
    if before == hour:
        raise Refused("nothing_changed", field="hour")
    refuse_sudden_result(before, hour, now=now, field="hour")
    if follows_calendar(session, round_):
        _move_calendar(session, round_.year, hour)
    else:
        round_.results_at = hour
    if waiting is not None:
        give_hour(session, waiting, hour, now=now)
    session.flush()
    told = {"before": before.isoformat() if before else None, "after": hour.isoformat()}
    audit.record(session, "change_hour", "round", round_id, by=by, now=now, reason=reason.strip()[:500], **told)
    if round_.stage != RoundStage.PUBLISHED:
        _notify(session, round_, hour, now)


def _move_calendar(session: Session, year: int, hour: dt.datetime) -> None:
    """The calendar announces the same hour: its steps `result` and `confirmation` do not begin before it.

    The steps after them stay: whoever moves the result into one of those first moves that one, with a reason of its own.
    """
    dates = {date.step: date for date in session.scalars(select(SeasonDate).where(SeasonDate.year == year))}
    spans = {step: (date.begins_at, date.ends_at) for step, date in dates.items()}
    known = set(conflicts_of(spans))
    for step in (RESULT, "confirmation"):
        begins_at, ends_at = spans[step]
        later = hour if step == RESULT or begins_at < hour else begins_at
        spans[step] = (later, ends_at if ends_at > later else later + (ends_at - begins_at))
    for conflict in conflicts_of(spans):
        met = {conflict.step, conflict.other}.intersection(AFTERWARDS)
        if met and conflict not in known:
            raise Refused("hour_meets_step", field="hour", step=min(met, key=AFTERWARDS.index))
    for step in (RESULT, "confirmation"):
        dates[step].begins_at, dates[step].ends_at = spans[step]


def _notify(session: Session, round_: Round, hour: dt.datetime, now: dt.datetime) -> None:
    selection = """
        SELECT application.child_id, application.id AS application_id, 'new_hour:' || :round || ':' || :at AS event
        FROM application JOIN wish ON wish.application_id = application.id AND wish.round_id = :round AND wish.rank = 1
        WHERE application.stage <> ALL(:gone)
    """
    values = {"round": round_.id, "at": now.isoformat(), "gone": list(DEAD_STAGES)}
    notify_guardians_of(session, "new_hour", selection, values, now=now, params={"hour": format_time(hour)})


def try_again(session: Session, run_id: uuid.UUID) -> None:
    """Forget why the result was not opened, so that the clock opens it once it is prepared, at the hour that is announced now."""
    waiting = publication_of(session, run_id, lock=True)
    if waiting is not None:
        round_ = session.get_one(Round, session.get_one(Run, run_id).round_id)
        waiting.prepared_at = waiting.refused_at = waiting.refusal = None
        waiting.hour = hour_of(session, round_) or waiting.hour
        session.flush()
