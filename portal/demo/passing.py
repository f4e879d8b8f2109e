"""How a season passes in the demo: the clock moves to the next step, and the simulated people do their part as jobs.

They act through the same verbs as real ones: the other kindergartens' clerks review, the other families answer.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.demo_clock import DemoClock
from enrollment.ground.errors import Refused
from enrollment.season.calendar import Season, SeasonDate
from portal.clock import real_now


@dataclass(frozen=True)
class Stop:
    """A place where the demo's clock may go: just after the beginning of a step of the calendar."""

    step: str
    at: dt.datetime
    passed: bool
    next: bool


def steps(session: Session, now: dt.datetime) -> list[Stop]:
    season = session.scalar(select(Season).order_by(Season.year.desc()).limit(1))
    if season is None:
        return []
    stops, coming = [], True
    for date in sorted(season.dates, key=lambda date: date.begins_at):
        at = date.begins_at + dt.timedelta(hours=1)
        ahead = at > now
        stops.append(Stop(date.step, at, passed=not ahead, next=ahead and coming))
        coming = coming and not ahead
    return stops


def set_clock(session: Session, at: dt.datetime) -> None:
    """Let the demo city live at `at` from this moment on."""
    session.merge(DemoClock(single=True, ahead=at - real_now()))
    session.flush()


def pass_until(session: Session, step: str, *, now: dt.datetime) -> None:
    """Move the clock to a step that has not begun; the simulated people act in a job.  Refuses to go back."""
    begins = session.scalar(
        select(SeasonDate.begins_at).where(SeasonDate.step == step).order_by(SeasonDate.year.desc())
    )
    if begins is None:
        raise Refused("no_such_step")
    at = begins + dt.timedelta(hours=1)
    if at <= now:
        raise Refused("clock_goes_forward")
    set_clock(session, at)
    jobs.enqueue(session, "demo_people_act", {"step": step}, key=f"demo_people_act:{step}:{begins.isoformat()}", now=at)
