"""Who takes part in central placement, which places are vacant, and how far each child is from the nearest ones."""

import uuid
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session

from allocation import central
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.draw import unplaced
from enrollment.draw.draws import Ticket
from enrollment.draw.unserved.rows import AcceptedNature, AcceptedPlaces
from enrollment.eligibility.home_points import HomePoint, HomePoints
from enrollment.eligibility.households import Household
from enrollment.ground.classifications import Nature
from enrollment.places.distances import metres_to, minutes_on_foot_of
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState

NEAREST = 40
"""How many of the nearest vacancies are considered for each child."""


@dataclass(frozen=True)
class Child:
    """A child that takes part; `minutes` is the longest walk that its family accepts, None for any."""

    id: uuid.UUID
    code: str
    level: str
    unit: uuid.UUID | None
    number: int
    home: str | None
    point: HomePoint
    minutes: int | None
    public_only: bool


def children_of(session: Session, year: int) -> list[Child]:
    """Who agreed, never held a place, and whose home is on the map, by itself or by its estate or street; in ticket order.

    A family that lives outside the city has no home here from which a distance could be told: it stays on the list of
    children without a place, with its officer.
    """
    base = unplaced.without_place(year).subquery()
    found = (
        select(
            Application.id,
            Application.child_code,
            Application.level,
            Application.unit,
            Ticket.number,
            Household,
            base.c.home,
            AcceptedPlaces.minutes,
            AcceptedPlaces.nature,
        )
        .join(base, and_(base.c.id == Application.id, base.c.gave_up.is_(False)))
        .join(Ticket, and_(Ticket.child_id == Application.child_id, Ticket.year == Application.year))
        .join(Household, Household.application_id == Application.id)
        .outerjoin(AcceptedPlaces, AcceptedPlaces.application_id == Application.id)
        .where(Application.agrees_to_central, Application.stage.in_(HANDED_IN), Household.home_area.is_not(None))
        .order_by(Ticket.number)
    )
    points = HomePoints(session)
    return [
        Child(
            row.id, row.child_code, row.level, row.unit, row.number, row.home, point, row.minutes,
            row.nature == AcceptedNature.PUBLIC,
        )
        for row in session.execute(found)
        if (point := points.of(row.Household)) is not None
    ]  # fmt: skip


def vacancies_of(session: Session, year: int) -> list[Row]:
    code = (Kindergarten.code + "-" + Programme.level).label("code")
    found = (
        select(
            Programme.id,
            code,
            Programme.level,
            Programme.places,
            Programme.taken,
            Kindergarten.nature,
            Kindergarten.longitude,
            Kindergarten.latitude,
        )
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(
            Programme.year == year,
            Programme.state == ProgrammeState.APPROVED,
            Programme.taken < Programme.places,
            Kindergarten.closed_on.is_(None),
            Kindergarten.longitude.is_not(None),
        )
        .order_by(Kindergarten.code, Programme.level)
    )
    return list(session.execute(found))


def ways_between(children: list[Child], places: list[Row]) -> central.Ways:
    """For each child its nearest vacancies of its class level, of those that its family accepts."""
    child, programme, metres = [], [], []
    by_level: dict[str, list[int]] = {}
    for where, place in enumerate(places):
        by_level.setdefault(place.level, []).append(where)
    sites = np.array([(float(place.longitude), float(place.latitude)) for place in places]).reshape(-1, 2)
    public = np.array([place.nature == Nature.PUBLIC for place in places], dtype=bool)
    for at, row in enumerate(children):
        here = np.array(by_level.get(row.level, ()), dtype=np.int64)
        if row.public_only:
            here = here[public[here]]
        distances = metres_to(row.point.longitude, row.point.latitude, sites[here])
        if row.minutes is not None:
            near = minutes_on_foot_of(distances) <= row.minutes
            here, distances = here[near], distances[near]
        for nearest in np.lexsort((here, distances))[:NEAREST].tolist():
            child.append(at)
            programme.append(int(here[nearest]))
            metres.append(int(distances[nearest]))
    return central.Ways(*(np.array(column, dtype=np.int32) for column in (child, programme, metres)))
