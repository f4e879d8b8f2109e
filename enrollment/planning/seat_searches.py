"""Where more places help most: a city official asks over the families of a round, and may stop it.  Nothing of the round
changes."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.market import Market
from allocation.planning import more_places
from enrollment.chances import estimate_market
from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.jobs import Job, JobState
from enrollment.laboratory.studies import rounds_to_study
from enrollment.places.programmes import Programme
from enrollment.planning.plan_rows import PlanState
from enrollment.planning.seat_rows import FEWEST, MOST, SeatSearch
from enrollment.season.round_rows import get_round

KIND = "search_places"
STEP, DRAWS = 5, 5


class Stopped(Exception):
    """An official stopped the search."""


@dataclass(frozen=True)
class Task:
    """What is searched over; `about` says of each programme its code, kindergarten, area, level and nature."""

    search_id: uuid.UUID
    market: Market
    about: tuple[tuple[str, str, str, str, str], ...]
    places: int
    step: int
    draws: int
    seed: int


def all_searches(session: Session) -> Sequence[SeatSearch]:
    """Every search, the newest first."""
    return session.scalars(select(SeatSearch).order_by(SeatSearch.made_at.desc(), SeatSearch.id)).all()


def get(session: Session, search_id: uuid.UUID) -> SeatSearch:
    """A search.  Raises NotFound."""
    found = session.get(SeatSearch, search_id, populate_existing=True)
    if found is None:
        raise NotFound(search_id)
    return found


def request(session: Session, round_id: uuid.UUID, places: int, *, by: Actor, now: dt.datetime) -> SeatSearch:
    """Ask for a search in the background.  Refuses `only_the_city`, `study_round` and `seat_search_places`."""
    _require_city(by)
    if get_round(session, round_id) not in rounds_to_study(session):
        raise Refused("study_round", "round_id")
    if not FEWEST <= places <= MOST:
        raise Refused("seat_search_places", "places", fewest=FEWEST, most=MOST)
    made = SeatSearch(
        round_id=round_id,
        places=places,
        step=min(STEP, places),
        draws=DRAWS,
        state=PlanState.RUNNING,
        made_by=by.account_id,
        made_at=now,
    )
    session.add(made)
    session.flush()
    made.job_id = jobs.enqueue(session, KIND, {"search": str(made.id)}, now=now)
    audit.record(session, "ask_search_places", "seat_search", made.id, by=by, now=now, places=places)
    return made


def stop(session: Session, search_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """Stop a search.  False, without effect, if it had ended."""
    _require_city(by)
    seat_search = get(session, search_id)
    if seat_search.state != PlanState.RUNNING:
        return False
    seat_search.state = PlanState.STOPPED
    session.flush()
    audit.record(session, "stop_search_places", "seat_search", seat_search.id, by=by, now=now)
    return True


def job_of(session: Session, seat_search: SeatSearch) -> Job | None:
    """The job of the search."""
    return session.get(Job, seat_search.job_id, populate_existing=True) if seat_search.job_id else None


def is_running(session: Session, seat_search: SeatSearch) -> bool:
    """Whether a worker searches or is about to; not when its job has failed."""
    job = job_of(session, seat_search)
    return seat_search.state == PlanState.RUNNING and job is not None and job.state != JobState.FAILED


def read(session: Session, search_id: uuid.UUID, *, now: dt.datetime) -> Task | None:
    """The market of the families who have handed in; None if the search was stopped.

    Refuses `laboratory_without_families`.
    """
    seat_search = get(session, search_id)
    if seat_search.state != PlanState.RUNNING:
        return None
    made = estimate_market.read(session, seat_search.round_id, now=now)
    if made is None:
        raise Refused("laboratory_without_families")
    rows = {row.id: row for row in session.scalars(select(Programme).where(Programme.id.in_(made.programmes)))}
    year = get_round(session, seat_search.round_id).year
    about = tuple(_about(rows[programme]) for programme in made.programmes)
    return Task(search_id, made.market, about, seat_search.places, seat_search.step, seat_search.draws, year)


def run(task: Task, tell: Callable[[int], None]) -> dict[str, Any]:
    """Search; `tell` gets the places given so far and may raise to stop."""
    found = more_places.search(task.market, task.places, task.step, task.draws, task.seed, tell)
    gained = sum(each.gain for each in found.steps)
    return {
        "children": task.market.children,
        "placed": round(found.placed / found.draws, 1),
        "gained": round(gained / found.draws, 1),
        "bound": found.bound,
        "given": sum(each.places for each in found.steps),
        "steps": [
            [*task.about[each.programme], each.places, round(each.gain / found.draws, 1)] for each in found.steps
        ],
    }


def raise_if_stopped(session: Session, search_id: uuid.UUID) -> None:
    """For the worker, between steps.  Raises Stopped."""
    if get(session, search_id).state != PlanState.RUNNING:
        raise Stopped


def finish(session: Session, search_id: uuid.UUID, result: dict[str, Any], *, now: dt.datetime) -> None:
    """Keep what was found; not if it was stopped meanwhile."""
    seat_search = get(session, search_id)
    if seat_search.state == PlanState.RUNNING:
        seat_search.state, seat_search.result, seat_search.ended_at = PlanState.DONE, result, now


def refuse(session: Session, search_id: uuid.UUID) -> None:
    """There is nothing to search over; the result of the job says why."""
    seat_search = get(session, search_id)
    seat_search.state = PlanState.REFUSED


def _require_city(by: Actor) -> None:
    if not by.is_any(Role.CITY_OFFICIAL):
        raise Refused("only_the_city")


def _about(row: Programme) -> tuple[str, str, str, str, str]:
    place = row.kindergarten
    return row.code, place.name, place.area_code, row.level, place.nature
