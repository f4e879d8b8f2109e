"""Kindergartens of high quality: those that hold a grade which counts as such, with their children and places, beside the
year's target.

A target of high-quality kindergartens is a number that two people set (`target_decisions`).
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from enrollment.coverage import counts
from enrollment.coverage.counts import PARENT
from enrollment.coverage.targets import YearTargets, targets_on
from enrollment.ground.classifications import Level
from enrollment.places.grades.rows import Grade, HeldGrade
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState


@dataclass(frozen=True)
class QualityKindergarten:
    """A kindergarten of high quality: its grades, its children on roll without nursery classes, its places of the year.

    `since` is the day from which it holds the oldest of its grades of high quality.
    """

    id: uuid.UUID
    code: str
    name: str
    area: str
    nature: str
    grades: tuple[Grade, ...]
    since: dt.date
    children: int
    places: int


@dataclass(frozen=True)
class QualityCount:
    """How many kindergartens, their children and their places; `target` is None where nobody has set one."""

    kindergartens: int
    children: int
    places: int
    target: int | None = None

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.kindergartens >= self.target

    @property
    def short(self) -> int:
        return max((self.target or 0) - self.kindergartens, 0)


@dataclass(frozen=True)
class QualityFigures:
    """The city's kindergartens of high quality on a day, with the places of a `year`."""

    on: dt.date
    year: int
    targets: YearTargets
    rows: tuple[QualityKindergarten, ...]

    @property
    def city(self) -> QualityCount:
        return _count(self.rows, self.targets.city.high_quality)

    def of_area(self, code: str) -> QualityCount:
        return _count([row for row in self.rows if row.area == code], self.targets.of_area(code).high_quality)

    def of_nature(self, nature: str, area: str | None = None) -> QualityCount:
        return _count([row for row in self.rows if row.nature == nature and area in (None, row.area)], None)

    def of_grade(self, code: str) -> QualityCount:
        return _count([row for row in self.rows if code in {grade.code for grade in row.grades}], None)


def figures(session: Session, on: dt.date, year: int, *, areas: Collection[str] | None = None) -> QualityFigures:
    """The kindergartens of these areas, or of all, that hold a grade of high quality on a day."""
    held = _held(session, on, areas)
    children = _children(session, on, year, held)
    places = (
        select(Programme.kindergarten_id, func.sum(Programme.places).label("places"))
        .where(Programme.year == year, Programme.state == ProgrammeState.APPROVED)
        .group_by(Programme.kindergarten_id)
        .subquery()
    )
    found = (
        select(
            Kindergarten.id, Kindergarten.code, Kindergarten.name, Kindergarten.area_code.label("area"),
            counts.nature_column().label("nature"), func.coalesce(places.c.places, 0).label("places"),
        )
        .outerjoin(PARENT, PARENT.id == Kindergarten.parent_id)
        .outerjoin(places, places.c.kindergarten_id == Kindergarten.id)
        .where(Kindergarten.id.in_(held), counts.open_condition(on))
        .order_by(Kindergarten.sort_key)
    )  # fmt: skip
    rows = tuple(
        QualityKindergarten(
            row.id, row.code, row.name, row.area, row.nature, tuple(each.grade for each in held[row.id]),
            min(each.since for each in held[row.id] if each.grade.high_quality), children.get(row.code, 0), row.places,
        )
        for row in session.execute(found)
    )  # fmt: skip
    return QualityFigures(on, year, targets_on(session, on), rows)


def _held(session: Session, on: dt.date, areas: Collection[str] | None) -> Mapping[uuid.UUID, list[HeldGrade]]:
    """The grades on a day of each kindergarten that holds one of high quality, in the order of the list."""
    found = (
        select(HeldGrade)
        .join(Grade)
        .where(HeldGrade.since <= on, or_(HeldGrade.until.is_(None), HeldGrade.until > on))
        .order_by(Grade.position)
    )
    if areas is not None:
        found = found.where(
            HeldGrade.kindergarten_id.in_(select(Kindergarten.id).where(Kindergarten.area_code.in_(areas)))
        )
    held: dict[uuid.UUID, list[HeldGrade]] = defaultdict(list)
    for each in session.scalars(found):
        held[each.kindergarten_id].append(each)
    return {key: grades for key, grades in held.items() if any(each.grade.high_quality for each in grades)}


def _children(session: Session, on: dt.date, year: int, held: Collection[uuid.UUID]) -> Mapping[str, int]:
    snapshot = counts.count(session, on, year, by_kindergarten=True, within=Kindergarten.id.in_(held))
    children: dict[str, int] = defaultdict(int)
    for each in snapshot.now:
        if each.children.level != Level.NURSERY:
            children[each.place] += each.children.number
    return children


def _count(rows: Sequence[QualityKindergarten], target: int | None) -> QualityCount:
    return QualityCount(len(rows), sum(row.children for row in rows), sum(row.places for row in rows), target)
