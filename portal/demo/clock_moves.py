"""Moving the demo clock to a later step; a job lets the simulated people act.

They call the same services as real people: clerks of other kindergartens review, other families answer.
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
class ClockStop:
    """A time that the demo clock can move to: one hour after the begin of a step, or before the end of confirmation."""

    step: str
    at: dt.datetime
    passed: bool
    next: bool


@dataclass(frozen=True)
class DemoProgress:
    """The progress of the simulated people's job; `over` if none is running."""

    over: bool
    failed: bool
    done: int
    of: int


def stop_of(date: SeasonDate) -> dt.datetime:
    return date.ends_at - HOUR if date.step == "confirmation" else date.begins_at + HOUR


def steps(session: Session, now: dt.datetime) -> list[ClockStop]:
    season = session.scalar(select(Season).order_by(Season.year.desc()).limit(1))
    if season is None:
        return []
    stops, coming = [], True
    for date in sorted(season.dates, key=stop_of):
        ahead = stop_of(date) > now
        stops.append(ClockStop(date.step, stop_of(date), passed=not ahead, next=ahead and coming))
        coming = coming and not ahead
    return stops


def progress(session: Session) -> DemoProgress:
    newest = select(Job).where(Job.kind == KIND).order_by(Job.created_at.desc()).limit(1)
    job = session.scalars(newest).first()
    if job is None:
        return DemoProgress(over=True, failed=False, done=0, of=0)
    return DemoProgress(
        job.state in (JobState.DONE, JobState.FAILED), job.state == JobState.FAILED, job.done_units, job.all_units
    )


def set_clock(session: Session, at: dt.datetime) -> None:
    """Set the demo clock to `at`."""
    session.merge(DemoClock(single=True, ahead=at - real_now()))
    session.flush()


def move_clock_to(session: Session, step: str, *, now: dt.datetime) -> None:
    """Move the clock to a later step and enqueue the job of the simulated people.  Refuses to move back."""
    date = session.scalar(select(SeasonDate).where(SeasonDate.step == step).order_by(SeasonDate.year.desc()))
    if date is None:
        raise Refused("no_such_step")
    if not progress(session).over:
        raise Refused("people_still_act")
    at = stop_of(date)
    if at <= now:
        raise Refused("clock_goes_forward")
    set_clock(session, at)
    jobs.enqueue(session, KIND, {"step": step}, key=f"{KIND}:{step}:{at.isoformat()}", now=at)
