"""The clock of the demo: it moves to a later step of the season, and a job lets the simulated people act.

They use the same service functions as real people: the other kindergartens' clerks review, the other families answer.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.demo_clock import DemoClock
from enrollment.ground.errors import Refused
from enrollment.ground.jobs import Job, JobState
from enrollment.season import seasons
from enrollment.season.calendar import SeasonDate
from portal.web.clock import real_now

HOUR = dt.timedelta(hours=1)
KIND = "demo_people_act"
ENDS = ("confirmation", "arrival")
"""Steps in which the simulated people act for days: a visitor sees what they have done, and the last hour to act."""


@dataclass(frozen=True)
class Stop:
    """A time to which the demo clock can move: an hour after a step begins, or an hour before it ends (`ENDS`)."""

    year: int
    step: str
    at: dt.datetime
    passed: bool
    next: bool


@dataclass(frozen=True)
class SimulationState:
    """Progress of the simulated people; `over` if no job is active."""

    over: bool
    failed: bool
    done: int
    of: int


def stop_of(date: SeasonDate) -> dt.datetime:
    return date.ends_at - HOUR if date.step in ENDS else date.begins_at + HOUR


def steps(session: Session, now: dt.datetime) -> list[Stop]:
    """The stops of every announced year in their order; what is in preparation is not public, in the demo neither."""
    stops, coming = [], True
    for date in sorted((date for season in seasons.announced(session) for date in season.dates), key=stop_of):
        ahead = stop_of(date) > now
        stops.append(Stop(date.year, date.step, stop_of(date), passed=not ahead, next=ahead and coming))
        coming = coming and not ahead
    return stops


def simulation_state(session: Session) -> SimulationState:
    newest = select(Job).where(Job.kind == KIND).order_by(Job.created_at.desc()).limit(1)
    job = session.scalars(newest).first()
    if job is None:
        return SimulationState(over=True, failed=False, done=0, of=0)
    return SimulationState(
        job.state in (JobState.DONE, JobState.FAILED), job.state == JobState.FAILED, job.done_units, job.all_units
    )


def set_clock(session: Session, at: dt.datetime) -> None:
    """Set the demo clock to `at`."""
    session.merge(DemoClock(single=True, ahead=at - real_now()))
    session.flush()


def advance_to(session: Session, step: str, *, now: dt.datetime) -> None:
    """Move the clock to the next time of a step; the simulated people act in a job.  Refuses to go back."""
    times = [stop.at for stop in steps(session, now) if stop.step == step]
    if not times:
        raise Refused("no_such_step")
    if not simulation_state(session).over:
        raise Refused("people_still_act")
    at = next((moment for moment in times if moment > now), None)
    if at is None:
        raise Refused("clock_goes_forward")
    set_clock(session, at)
    jobs.enqueue(session, KIND, {"step": step}, key=f"{KIND}:{step}:{at.isoformat()}", now=at)
