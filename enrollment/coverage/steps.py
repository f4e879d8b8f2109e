"""Kindergartens that could bring public places to more children: by free seats, or by becoming public."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Subquery, case, cast, func, select
from sqlalchemy.orm import Session

from enrollment.coverage import counts, newest_rolls
from enrollment.coverage.counts import PARENT
from enrollment.coverage.roll_days import RollClassDay
from enrollment.ground.classifications import Level, Nature
from enrollment.places.areas import CLASS_NORM
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollClass
from enrollment.places.roll_change_rows import number_on

MOST_STEPS = 5


class StepKind(StrEnum):
    """`fill`: seats of public classes below the class norm.  `turn`: a private kindergarten becomes public."""

    FILL = "fill"
    TURN = "turn"


@dataclass(frozen=True)
class Step:
    """A kindergarten, and the `gain`: children by whom the public ones would be more."""

    code: str
    name: str
    area: str
    kind: StepKind
    nature: str
    gain: int


def steps_of(session: Session, on: dt.date, area: str) -> list[Step]:
    """Those of an area that bring the most, of each kind."""
    return [*_to_fill(session, on, area), *_to_turn(session, on, area)]


@dataclass(frozen=True)
class ClassSeats:
    """The children of a class, the seats it has by the norm, and those that are free."""

    name: str
    level: str
    children: int
    norm: int

    @property
    def free(self) -> int:
        return max(self.norm - self.children, 0)


def classes_of(session: Session, on: dt.date, kindergarten_id: uuid.UUID) -> list[ClassSeats]:
    """The classes of a kindergarten that are counted for a step; their sums are its gain."""
    area = session.get_one(Kindergarten, kindergarten_id).area_code
    newest = newest_rolls.query(on, [area])
    found = (
        select(
            RollClass.name,
            RollClass.level,
            children_on(on, newest).label("children"),
            newest_rolls.seats_column(newest, _norm()).label("norm"),
        )
        .join(newest, newest_rolls.condition(newest))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(
            counts.open_condition(on), RollClass.kindergarten_id == kindergarten_id, RollClass.level != Level.NURSERY
        )
        .order_by(RollClass.level, RollClass.name)
    )
    return [ClassSeats(*row) for row in session.execute(found)]


def _norm() -> ColumnElement[int]:
    return case(CLASS_NORM, value=RollClass.level, else_=CLASS_NORM[Level.MIDDLE])


def children_on(on: dt.date, newest: Subquery) -> ColumnElement[int]:
    """The children of a row of `RollClass` as of a day, as the two shares count them; the query joins `newest`."""
    there = newest_rolls.children_there(newest, RollClassDay.children, RollClassDay.of_school_age)
    listed = (
        select(func.sum(there))
        .where(RollClassDay.class_id == RollClass.id, RollClassDay.day <= on)
        .correlate(RollClass, newest)
        .scalar_subquery()
    )
    return case((RollClass.kept_as == "count", number_on(on)), else_=func.coalesce(listed, 0))


def _by_kindergarten(on: dt.date, area: str) -> Select[*tuple[Any, ...]]:
    """Kindergartens of an area with their `children` on roll and the `seats` of their classes by the norm."""
    newest = newest_rolls.query(on, [area])
    children = children_on(on, newest)
    free = func.greatest(newest_rolls.seats_column(newest, _norm()) - children, 0)
    return (
        select(
            Kindergarten.code,
            Kindergarten.name,
            Kindergarten.area_code.label("area"),
            counts.nature_column().label("nature"),
            cast(func.sum(children), Integer).label("children"),
            cast(func.sum(free), Integer).label("free"),
        )
        .select_from(RollClass)
        .join(newest, newest_rolls.condition(newest))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .outerjoin(PARENT, PARENT.id == Kindergarten.parent_id)
        .where(
            counts.open_condition(on),
            Kindergarten.area_code == area,
            Kindergarten.attached.is_(False),
            RollClass.level != Level.NURSERY,
        )
        .group_by(Kindergarten.code, Kindergarten.name, Kindergarten.area_code, counts.nature_column())
    )


def _to_fill(session: Session, on: dt.date, area: str) -> Sequence[Step]:
    found = _by_kindergarten(on, area).where(counts.nature_column() == Nature.PUBLIC).subquery()
    query = select(found).where(found.c.free > 0).order_by(found.c.free.desc(), found.c.code).limit(MOST_STEPS)
    return [Step(r.code, r.name, r.area, StepKind.FILL, r.nature, r.free) for r in session.execute(query)]


def _to_turn(session: Session, on: dt.date, area: str) -> Sequence[Step]:
    found = _by_kindergarten(on, area).where(counts.nature_column() != Nature.PUBLIC).subquery()
    query = select(found).where(found.c.children > 0).order_by(found.c.children.desc(), found.c.code).limit(MOST_STEPS)
    return [Step(r.code, r.name, r.area, StepKind.TURN, r.nature, r.children) for r in session.execute(query)]
