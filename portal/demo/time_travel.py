"""The clock of the demo: it moves to a later step of the season, and a job lets the simulated people act.

They use the same service functions as real people: the other kindergartens' clerks review, the other families answer.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.demo_clock import DemoClock
from enrollment.ground.errors import Refused
from enrollment.ground.jobs import Job, JobState
from enrollment.season import seasons
from enrollment.season.calendar import SeasonDate
from portal.demo.actors.due_steps import DueStep, SimulatedStep, due_step
from portal.web.clock import real_now

HOUR, MOMENT = dt.timedelta(hours=1), dt.timedelta(minutes=1)
KIND = "demo_people_act"
ENDS = ("confirmation", "arrival")
"""Steps in which the simulated people act for days: a visitor sees what they have done, and the last hour to act."""

OBSTACLE_OVER = "obstacle_over"
"""A stop that is in no calendar: when time alone has removed what keeps a due step from happening."""

STEP_OF = {
    SimulatedStep.DRAW: "result", SimulatedStep.SUPPLEMENTARY: "supplementary", SimulatedStep.SUPPLEMENTARY_DRAW: "arrival",
}  # fmt: skip
"""The step of the calendar at which the simulated people do what is due."""


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
    """Progress of the simulated people; `over` if no job is active.  `refused` is what kept their last step from happening."""

    over: bool
    failed: bool
    done: int
    of: int
    refused: Refused | None = None


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
    over, failed = job.state in (JobState.DONE, JobState.FAILED), job.state == JobState.FAILED
    return SimulationState(over, failed, job.done_units, job.all_units, refusal_of(job))


def refusal_of(job: Job) -> Refused | None:
    """What a finished job could not do: the whole of it, or one step."""
    return Refused.from_row(job.result) or Refused.from_row((job.result or {}).get("waits"))


def set_clock(session: Session, at: dt.datetime) -> None:
    """Set the demo clock to `at`."""
    session.merge(DemoClock(single=True, ahead=at - real_now()))
    session.flush()


def follow(engine: Engine, moment: dt.datetime) -> dt.datetime:
    """Set the clock to the minute after what happened at this moment, so that nothing is dated ahead of it; its time."""
    with Session(engine) as session, session.begin():
        set_clock(session, moment + MOMENT)
    return moment + MOMENT


def advance_to(session: Session, step: str, *, now: dt.datetime) -> None:
    """Move the clock to the next time of a step; the simulated people act in a job.

    Refuses to go back, and `simulated_step_waits` while something keeps a step from happening on whose result the next ones
    build.  `OBSTACLE_OVER` is the time at which that ends by itself.
    """
    _take_turns(session)
    due = due_step(session, now=now)
    if step == OBSTACLE_OVER:
        times = [due.ends_at + MOMENT] if due is not None and due.ends_at is not None else []
    else:
        times = [stop.at for stop in steps(session, now) if stop.step == step]
    if not times:
        raise Refused("no_such_step")
    people = simulation_state(session)
    if not people.over:
        raise Refused("people_still_act")
    at = next((moment for moment in times if moment > now), None)
    if at is None:
        raise Refused("clock_goes_forward")
    if due is not None and step == OBSTACLE_OVER:
        set_clock(session, at)
        _enqueue_late(session, due, now=at)
        return
    if due is not None and due.holds_the_clock and not people.failed:
        raise Refused("simulated_step_waits")
    set_clock(session, at)
    jobs.enqueue(session, KIND, {"step": step}, key=f"{KIND}:{step}:{at.isoformat()}", now=at)


def go_on(session: Session, *, now: dt.datetime) -> bool:
    """Let the simulated people do what is due and what nothing keeps from happening any more.  Whether they will.

    After a fault of the program they do not try again by themselves.
    """
    _take_turns(session)
    due, people = due_step(session, now=now), simulation_state(session)
    if due is None or due.obstacle is not None or not people.over or people.failed:
        return False
    _enqueue_late(session, due, now=now)
    return True


def _enqueue_late(session: Session, due: DueStep, *, now: dt.datetime) -> None:
    key = f"{KIND}:{due.step}:late:{now.isoformat(timespec='minutes')}"
    jobs.enqueue(session, KIND, {"step": STEP_OF[due.step], "late": True}, key=key, now=now)


def _take_turns(session: Session) -> None:
    """The visitor and the job of every minute never both start the simulated people."""
    session.execute(select(DemoClock).with_for_update())
