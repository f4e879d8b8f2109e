"""Measures of the demo city: invented costs over its own kindergartens, four to six in every area."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from numpy.random import Generator
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from enrollment.coverage import counts
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.classifications import Nature
from enrollment.places.areas import all_areas
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.measures.rows import LEAD, Measure, MeasureKind, MeasureStage

CLASS = 30
NAMES = {
    MeasureKind.BUILD: "{area}新建公办园",
    MeasureKind.ENLARGE: "{area}公办园增 {classes} 个班",
    MeasureKind.AFFILIATED: "{area}小学附属办园点",
    MeasureKind.ESTATE: "{area}小区配套园移交",
    MeasureKind.TO_PUBLIC: "{place}转公办",
    MeasureKind.TO_INCLUSIVE: "{place}认定普惠",
    MeasureKind.CLOSE: "{place}停办",
}
COSTS = {
    MeasureKind.BUILD: (9.0, 16.0, 0.6),
    MeasureKind.ENLARGE: (2.0, 4.0, 0.6),
    MeasureKind.AFFILIATED: (1.5, 3.0, 0.5),
    MeasureKind.ESTATE: (1.0, 3.0, 0.6),
    MeasureKind.TO_PUBLIC: (0.3, 0.9, 0.9),
    MeasureKind.TO_INCLUSIVE: (0.1, 0.3, 0.25),
    MeasureKind.CLOSE: (0.1, 0.3, -0.05),
}
"""Least and most once, and each year, in 10,000 yuan a place."""

STAGES = {MeasureKind.ENLARGE: MeasureStage.UNDERWAY, MeasureKind.BUILD: MeasureStage.APPROVED}
"""How far the projects have come that may begin this year."""


def write(session: Session, random: Generator, year: int, on: dt.date) -> None:
    """The measures of every area that has children."""
    children: dict[str, int] = defaultdict(int)
    for counted in counts.count(session, on, year, by_kindergarten=True).now:
        children[counted.place] += counted.children.number
    open_ones = select(Kindergarten).where(Kindergarten.closed_on.is_(None), Kindergarten.attached.is_(False))
    of_area: dict[str, list[Kindergarten]] = defaultdict(list)
    for place in session.scalars(open_ones.order_by(Kindergarten.code)).unique():
        of_area[place.area_code].append(place)
    rows = []
    for area in all_areas(session):
        for number, row in enumerate(_of_area(random, area.name, of_area[area.code], children, year), start=1):
            rows.append({**row, "code": f"{area.code}-{number:03d}", "area_code": area.code})
    moment = dt.datetime.combine(on, dt.time(9), dt.UTC)
    write_rows(session, insert(Measure), [{**row, "made_at": moment, "version": 1} for row in rows])


def _of_area(
    random: Generator, area: str, places: list[Kindergarten], children: dict[str, int], year: int
) -> Iterable[dict[str, object]]:
    opens = [MeasureKind.BUILD, MeasureKind.ENLARGE]
    opens.append(MeasureKind.ESTATE if random.random() < 0.5 else MeasureKind.AFFILIATED)
    for kind in opens:
        classes = int(random.integers(2, 5))
        name = NAMES[kind].format(area=area, classes=classes)
        yield _row(random, kind, name, classes * CLASS, None, year)
    others = [place for place in places if place.nature != Nature.PUBLIC and children[place.code]]
    private = [place for place in others if place.nature == Nature.PRIVATE]
    for kind, found in (
        (MeasureKind.TO_PUBLIC, others[:2]),
        (MeasureKind.TO_INCLUSIVE, private[:1]),
        (MeasureKind.CLOSE, private[-1:]),
    ):
        for place in found:
            name = NAMES[kind].format(place=place.name)
            yield _row(random, kind, name, children[place.code], place, year)


def _row(
    random: Generator, kind: MeasureKind, name: str, places: int, place: Kindergarten | None, year: int
) -> dict[str, object]:
    least, most, yearly = COSTS[kind]
    cost, begins = round(places * float(random.uniform(least, most))), year + int(random.integers(0, 2))
    stage = STAGES.get(kind, MeasureStage.IDEA) if begins == year else MeasureStage.IDEA
    return {
        "name": name,
        "kind": kind,
        "kindergarten_id": None if place is None else place.id,
        "nature": Nature.PUBLIC,
        "places": places,
        "cost": cost,
        "yearly": round(places * yearly),
        "earliest_year": begins,
        "lead_years": LEAD[kind],
        "stage": stage,
    }
