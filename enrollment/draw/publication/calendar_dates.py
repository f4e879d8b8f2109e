"""Dates of the calendar as officials move them: the hour of a signed result moves with the step `result`, or the date stays."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.draw.publication import hours
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground.accounts import Actor
from enrollment.season import calendar
from enrollment.season.calendar import SeasonDate, Span, require_city_official
from enrollment.season.round_rows import Round


def move_date(
    session: Session,
    year: int,
    step: str,
    *,
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    by: Actor,
    now: dt.datetime,
    was: Span | None = None,
    accept_warnings: bool = False,
) -> SeasonDate:
    """Change the dates of a step as `calendar.move_date`; with another begin of `result`, signed runs get the new hour.

    Refuses what `calendar.move_date` refuses, and `hour_has_passed` while a result that follows the calendar is being opened.
    """
    require_city_official(by)
    date = session.get(SeasonDate, (year, step))
    waiting: list[Publication] = []
    if step == hours.RESULT and date is not None and date.begins_at != begins_at:
        waiting = _lock_followers(session, year, now)
    moved = calendar.move_date(
        session, year, step, begins_at=begins_at, ends_at=ends_at, reason=reason, by=by, now=now, was=was,
        accept_warnings=accept_warnings,
    )  # fmt: skip
    for each in waiting:
        hours.give_hour(session, each, begins_at, now=now)
    return moved


def _lock_followers(session: Session, year: int, now: dt.datetime) -> list[Publication]:
    """The signed runs that follow the calendar, locked.  All their rounds are locked before the year is, as every act of the draw
    locks its round first."""
    signed = select(Run, Round).join(Round, Round.id == Run.round_id)
    signed = signed.where(Round.year == year, Run.state == RunState.SIGNED)
    following: list[uuid.UUID] = []
    for run, round_ in session.execute(signed).all():
        if hours.follows_calendar(session, round_):
            hours.refuse_while_opening(session, run, now=now)  # nobody waits for its locks
            following.append(round_.id)
    if not following:
        return []
    session.execute(select(Round.id).where(Round.id.in_(following)).order_by(Round.id).with_for_update(key_share=True))
    found = [hours.lock_waiting(session, round_id, now=now) for round_id in following]
    return [waiting for round_, waiting in found if waiting is not None and hours.follows_calendar(session, round_)]


def follow(session: Session, *, now: dt.datetime) -> None:
    """Give every signed run that is not opened the hour that is announced now; one that is being opened is locked, and stays."""
    found = select(Publication, Round).join(Run, Run.id == Publication.run_id).join(Round, Round.id == Run.round_id)
    found = found.where(Run.state == RunState.SIGNED, Publication.opened_at.is_(None))
    locked = found.with_for_update(of=Publication, skip_locked=True).execution_options(populate_existing=True)
    for waiting, round_ in session.execute(locked).all():
        hour = hours.hour_of(session, round_)
        if hour is not None and hour != waiting.hour:
            hours.give_hour(session, waiting, hour, now=now)
