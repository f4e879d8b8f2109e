"""When the next child in line is offered a place that became free, as the page of the kindergarten tells it."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from enrollment.draw import freed_places, replay, runs
from enrollment.draw.freed_places import GIVEN_UP
from enrollment.draw.publication import hours
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import Offer
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten, admits_in
from enrollment.places.programmes import Programme
from enrollment.season.round_rows import Round, RoundStage

SETTLING = dt.timedelta(minutes=10)
"""How long a place that was given up can be had back before it goes on; places of these minutes go on together."""


class VacancyState(StrEnum):
    """`SETTLING` until it goes on, `DRAWING` while the next child is computed, `COMING` until the announced time,
    `UNSIGNED` without a standing approval, `NOBODY` if no child waits for it."""

    SETTLING = "settling"
    DRAWING = "drawing"
    COMING = "coming"
    UNSIGNED = "unsigned"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Vacancy:
    """Free places of a programme; `at` is the time of the next step, if there is one."""

    programme: Programme
    places: int
    freed_at: dt.datetime
    state: VacancyState
    at: dt.datetime | None


def vacancies(session: Session, year: int, *, by: Actor, now: dt.datetime) -> list[Vacancy]:
    """The places of the actor's kindergartens that were given up since the last run and are free."""
    found: list[Vacancy] = []
    for round_ in _published(session, year):
        latest = runs.published(session, round_.id)
        if latest is None:
            continue
        freed = _freed_since(session, latest, by)
        if freed:
            state, at = _next_step(session, round_, latest, min(each[1] for each in freed), now)
            found += [Vacancy(programme, programme.free, freed_at, state, at) for programme, freed_at in freed]
    return found


def _published(session: Session, year: int) -> Sequence[Round]:
    rounds = select(Round).where(Round.stage == RoundStage.PUBLISHED, Round.year == year).order_by(Round.number)
    return session.scalars(rounds).all()


def _freed_since(session: Session, run: Run, by: Actor) -> list[tuple[Programme, dt.datetime]]:
    """The programmes with free places, and since when the first of these places is free."""
    newest_first = func.array_agg(aggregate_order_by(Offer.ended_at, Offer.ended_at.desc()))
    rows = session.execute(
        select(Programme, newest_first)
        .join(Offer, Offer.programme_id == Programme.id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.state.in_(GIVEN_UP), Offer.ended_at >= run.started_at, Offer.round_id == run.round_id)
        .where(Programme.taken < Programme.places, admits_in(Programme.year), scope.scope_condition(by))
        .group_by(Programme.id, Kindergarten.id)
        .order_by(Kindergarten.sort_key, Programme.level)
    )
    freed = []
    for programme, ended in rows:
        moments = [at for at in ended if at is not None]
        freed.append((programme, moments[: programme.free][-1]))
    return freed


def _next_step(
    session: Session, round_: Round, latest: Run, freed_at: dt.datetime, now: dt.datetime
) -> tuple[VacancyState, dt.datetime | None]:
    if any(each.state in (RunState.WAITING, RunState.RUNNING) for each in runs.of_round(session, round_.id)):
        return VacancyState.DRAWING, None
    if hours.signed_run(session, round_.id) is not None:
        return VacancyState.COMING, hours.hour_of(session, round_)
    if not freed_places.replay_is_due(session, latest, now=now):
        return VacancyState.NOBODY, None
    if not replay.is_approved(session, round_.id):
        return VacancyState.UNSIGNED, None
    return VacancyState.SETTLING, max(freed_at + SETTLING, now)


def start_due(session: Session, *, now: dt.datetime) -> list[uuid.UUID]:
    """Start a replay of each round under a standing approval in which a place was given up `SETTLING` ago and somebody waits."""
    started = []
    rounds = select(Round.id).where(Round.stage == RoundStage.PUBLISHED).order_by(Round.year, Round.number)
    for round_id in session.scalars(rounds).all():
        latest = runs.published(session, round_id)
        if latest is None or not _is_due(session, latest, now):
            continue
        try:
            with session.begin_nested():
                started.append(replay.start(session, round_id, by=SYSTEM, now=now).id)
        except Refused as refused:
            if refused.code not in replay.NOTHING_TO_START:
                raise
    return started


def _is_due(session: Session, latest: Run, now: dt.datetime) -> bool:
    freed = _freed_since(session, latest, SYSTEM)
    return (
        bool(freed)
        and min(at for _, at in freed) <= now - SETTLING
        and replay.may_start_now(session, latest.round_id)
        and freed_places.replay_is_due(session, latest, now=now)
    )
