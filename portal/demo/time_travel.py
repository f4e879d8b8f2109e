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
from enrollment.ground.jobs import Job, JobState
from enrollment.season.calendar import Season, SeasonDate
from portal.web.clock import real_now

HOUR = dt.timedelta(hours=1)
KIND = "demo_people_act"


@dataclass(frozen=True)
class Stop:
    """A place where the demo's clock may go: an hour into a step of the calendar, or an hour before answers are due."""

    step: str
    at: dt.datetime
    passed: bool
    next: bool


@dataclass(frozen=True)
class Acting:
    """How far the simulated people are; `over` when nobody is acting."""

    over: bool
    failed: bool
    done: int
    of: int


def stop_of(date: SeasonDate) -> dt.datetime:
    return date.ends_at - HOUR if date.step == "confirmation" else date.begins_at + HOUR


def steps(session: Session, now: dt.datetime) -> list[Stop]:
    season = session.scalar(select(Season).order_by(Season.year.desc()).limit(1))
    if season is None:
        return []
    stops, coming = [], True
    for date in sorted(season.dates, key=stop_of):
        ahead = stop_of(date) > now
        stops.append(Stop(date.step, stop_of(date), passed=not ahead, next=ahead and coming))
        coming = coming and not ahead
    return stops


def acting(session: Session) -> Acting:
    newest = select(Job).where(Job.kind == KIND).order_by(Job.created_at.desc()).limit(1)
    job = session.scalars(newest).first()
    if job is None:
        return Acting(over=True, failed=False, done=0, of=0)
    return Acting(
        job.state in (JobState.DONE, JobState.FAILED), job.state == JobState.FAILED, job.done_units, job.all_units
    )


def set_clock(session: Session, at: dt.datetime) -> None:
    """Let the demo city live at `at` from this moment on."""
    session.merge(DemoClock(single=True, ahead=at - real_now()))
    session.flush()


def pass_until(session: Session, step: str, *, now: dt.datetime) -> None:
    """Move the clock to a later step; the simulated people act in a job.  Refuses to go back."""
    date = session.scalar(select(SeasonDate).where(SeasonDate.step == step).order_by(SeasonDate.year.desc()))
    if date is None:
        raise Refused("no_such_step")
    if not acting(session).over:
        raise Refused("people_still_act")
    at = stop_of(date)
    if at <= now:
        raise Refused("clock_goes_forward")
    set_clock(session, at)
    jobs.enqueue(session, KIND, {"step": step}, key=f"{KIND}:{step}:{at.isoformat()}", now=at)
