"""Seats of the kindergartens by area and nature: the class norms of the newest roll, at least the children who are there."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Integer, case, cast, func, select
from sqlalchemy.orm import Session

from enrollment.coverage import counts, newest_rolls
from enrollment.coverage.counts import PARENT
from enrollment.coverage.steps import children_on
from enrollment.ground.classifications import Level
from enrollment.places.areas import CLASS_NORM
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollClass


@dataclass(frozen=True)
class Seats:
    """Seats of one area in kindergartens of one nature; `attached`: in classes of schools."""

    area: str
    nature: str
    attached: bool
    number: int


def seats_of(session: Session, on: dt.date) -> list[Seats]:
    """The seats of every area, without nursery classes."""
    newest = newest_rolls.query(on)
    children = children_on(on, newest)
    norm = case(CLASS_NORM, value=RollClass.level, else_=CLASS_NORM[Level.MIDDLE])
    seats = newest_rolls.seats_column(newest, norm)
    found = (
        select(
            Kindergarten.area_code,
            counts.nature_column(),
            Kindergarten.attached,
            cast(func.sum(func.greatest(seats, children)), Integer),
        )
        .select_from(RollClass)
        .join(newest, newest_rolls.condition(newest))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .outerjoin(PARENT, PARENT.id == Kindergarten.parent_id)
        .where(counts.open_condition(on), RollClass.level != Level.NURSERY)
        .group_by(Kindergarten.area_code, counts.nature_column(), Kindergarten.attached)
    )
    return [Seats(*row) for row in session.execute(found)]
