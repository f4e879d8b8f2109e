"""Kindergartens with a free place near the home of one family, for the page after the draw."""

import datetime as dt
import math
import uuid
from dataclasses import dataclass

from sqlalchemy import case, select
from sqlalchemy.orm import Session, lazyload

from enrollment.applications.applications import Application
from enrollment.eligibility import home_points, households
from enrollment.ground.classifications import Nature
from enrollment.places.distances import metres, minutes_on_foot
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.season.rounds import RoundProgramme

MOST = 3


@dataclass(frozen=True)
class NearVacancy:
    """A kindergarten with `free` places.  `metres` is None where the home or the kindergarten is not on the map;
    `measured_from` names the estate, community or street used for a home without its own point."""

    programme: Programme
    free: int
    metres: int | None
    measured_from: str | None

    @property
    def kindergarten(self) -> Kindergarten:
        return self.programme.kindergarten

    @property
    def minutes(self) -> int | None:
        return None if self.metres is None else minutes_on_foot(self.metres)


@dataclass(frozen=True)
class NearVacancies:
    """The nearest first; without a point on the map those of the area, by name.  `counted_at` is when they were free."""

    items: tuple[NearVacancy, ...]
    counted_at: dt.datetime


def near_home(
    session: Session, application: Application, *, round_id: uuid.UUID | None, now: dt.datetime
) -> NearVacancies:
    """At most `MOST` kindergartens of the application's class level; with `round_id` only those that take part in it.

    The home is unsealed for this: the caller has looked the application up in its family's scope.
    """
    home = households.household_of(session, application.id)
    point = home_points.point_of(session, home)
    found = (
        select(Programme)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(
            Programme.year == application.year,
            Programme.level == application.level,
            Programme.state == ProgrammeState.APPROVED,
            Programme.taken < Programme.places,
            Kindergarten.nature != Nature.PRIVATE,
            Kindergarten.closed_on.is_(None),
        )
    )
    if round_id is not None:
        taking_part = select(RoundProgramme.programme_id).where(RoundProgramme.round_id == round_id)
        found = found.where(Programme.id.in_(taking_part))
    order: list = []
    if point is not None:
        east = (Kindergarten.longitude - point.longitude) * math.cos(math.radians(point.latitude))
        north = Kindergarten.latitude - point.latitude
        order = [(east * east + north * north).nulls_last()]
    elif home is not None:
        area = home.home_area or home.work_area or home.hukou_area
        order = [case((Kindergarten.area_code == area, 0), else_=1)]
    found = found.options(lazyload(Programme.pools))  # no page shows them
    rows = session.scalars(found.order_by(*order, Kindergarten.sort_key, Kindergarten.code).limit(MOST)).all()
    return NearVacancies(tuple(_seen(each, point) for each in rows), now)


def _seen(programme: Programme, point: home_points.HomePoint | None) -> NearVacancy:
    there = programme.kindergarten
    far = None
    if point is not None and there.longitude is not None and there.latitude is not None:
        far = metres(point.longitude, point.latitude, there.longitude, there.latitude)
    return NearVacancy(
        programme, programme.places - programme.taken, far, point.measured_from if point and far is not None else None
    )
