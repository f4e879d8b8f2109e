"""Until when a family may change its application.  Each service function checks it in the transaction that saves."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.season import ages, openings
from enrollment.season.openings import Window
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

BEFORE_THE_FREEZE = (RoundStage.OPEN, RoundStage.CLOSED)


def of(session: Session, application: Application, *, now: dt.datetime) -> Window:
    return openings.window(session, application.year, application.level, now=now)


def before_the_freeze(session: Session, times: Window) -> bool:
    """Whether the newest round is not frozen, and stays so until the end of this transaction.

    Only call it when registration is over: while it is open, all families would wait for the lock of one row.
    """
    if times.last is None:
        return True
    stage = select(Round.stage).where(Round.id == times.last.id)
    if session.scalar(stage) not in BEFORE_THE_FREEZE:
        return False  # a stage never goes back, and the lock would wait for a run that is being opened
    return session.scalar(stage.with_for_update(read=True)) in BEFORE_THE_FREEZE


def looks_editable(application: Application, times: Window) -> bool:
    """Whether a page offers changes: `require_editable` without its lock."""
    if application.on_hold or application.stage not in LIVE_STAGES:
        return False
    if times.open is not None:
        return True
    if application.stage == Stage.DRAFT:
        return times.coming is not None
    return application.stage == Stage.RETURNED and times.returned_may_be_answered


def require_editable(session: Session, application: Application, *, now: dt.datetime) -> Window:
    """Refuse unless the family may change this application now.  The caller holds its lock."""
    times = of(session, application, now=now)
    if application.on_hold:
        raise Refused("on_hold")
    if application.stage not in LIVE_STAGES:
        raise Refused("application_is_over")
    if times.open is not None:
        return times
    if application.stage == Stage.DRAFT and times.coming is not None:
        return times
    if application.stage == Stage.RETURNED and times.returned_may_be_answered and before_the_freeze(session, times):
        return times
    raise closed(times)


def level_to_register(session: Session, born: dt.date, year: int, *, now: dt.datetime) -> str:
    """The class level for a birth date, if the year still takes registrations for it: a draft can then be handed in.

    Refuses `no_level_for_age`, `too_young` (with the date when the child can register, if it is known),
    `no_registration_for_level`, or, after the deadline, `registration_over` with the next date.
    """
    level = ages.level_for(born, year)
    if level is not None and openings.window(session, year, level, now=now).takes_drafts:
        return level
    raise _no_registration(session, born, year, level, now)


def _no_registration(session: Session, born: dt.date, year: int, level: str | None, now: dt.datetime) -> Refused:
    field, lower = "id_number", ages.year_for(Level.LOWER, born)
    chance = openings.next_chance(session, year, level, now=now) if level else None
    last = openings.window(session, year, level, now=now).last if level else None
    if chance is not None and last is not None:
        closed_at = last.closes_at.astimezone(CHENGDU)
        if chance.begins_at is None:
            return Refused("registration_over", field=field, year=year, level=level, closed=closed_at)
        opens = chance.begins_at.astimezone(CHENGDU)
        code = f"registration_over_{chance.opening}"
        return Refused(code, field=field, year=year, level=level, closed=closed_at, opens=opens)
    if lower > year:
        begins = openings.registration_begins(session, lower)
        if begins is None:
            return Refused("too_young", field=field, born=born, year=year, first_year=lower)
        return Refused("too_young_until", field=field, born=born, year=year, opens=begins.astimezone(CHENGDU))
    if level is None:
        return Refused("no_level_for_age", field=field, born=born, year=year)
    return Refused("no_registration_for_level", field=field, born=born, year=year, level=level)


def closed(times: Window) -> Refused:
    """The refusal to return when nothing can be handed in now: registration has not begun, or has ended."""
    if times.last is None and times.coming is not None:
        return Refused("registration_not_open_yet", opens=times.coming.opens_at.astimezone(CHENGDU))
    if times.last is None:
        return Refused("no_registration")
    return Refused("registration_closed", closed=times.last.closes_at.astimezone(CHENGDU))
