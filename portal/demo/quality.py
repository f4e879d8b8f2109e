"""Grades and staff counts of the demo city.  Nothing is drawn from the city's random numbers: they follow from each
kindergarten's place in the city, so that the families stay the same.
"""

import datetime as dt
import uuid
from collections import Counter

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from enrollment.coverage import counts
from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.classifications import Level, Nature
from enrollment.places.grades import code_list, held
from enrollment.places.grades.code_list import GradeNames
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.staffing.rows import StaffCount

GRADES = (
    GradeNames("四川省示范性幼儿园", "Sichuan model kindergarten", True),
    GradeNames("高品质幼儿园", "Quality kindergarten", True),
    GradeNames("成都市一级园", "Chengdu grade 1", True),
    GradeNames("成都市二级园", "Chengdu grade 2", False),
    GradeNames("成都市三级园", "Chengdu grade 3", False),
)
MODEL, QUALITY, FIRST, SECOND, THIRD = (f"g{number}" for number in range(1, 6))
PUBLIC = ((MODEL, QUALITY), (SECOND,), (), (FIRST,), (THIRD,), (), (SECOND,), (MODEL,), (), (THIRD,))
OTHERS = ((), (), (SECOND,), (), (THIRD,), (), (FIRST,), (), (), ())
"""The grades of every tenth kindergarten, by turns."""

SINCE = {MODEL: dt.date(2016, 12, 20), QUALITY: dt.date(2024, 11, 5), FIRST: dt.date(2019, 6, 12), SECOND: dt.date(2018, 5, 30), THIRD: dt.date(2021, 6, 1)}  # fmt: skip
DOCUMENT = "模拟数据：市教育局评定通知"
BEFORE = dt.date(2015, 9, 1)
"""A model kindergarten was a grade 1 before."""

COUNTED_ON, LONG_AGO = dt.date(2026, 3, 31), dt.date(2025, 3, 31)
CHILDREN_OF_A_TEACHER = (12.6, 13.4, 14.1, 14.8)
CROWDED, CROWDED_AREAS = 1.16, ("GXQ", "510116", "510114")
"""In fast growing areas a teacher has more children than the state asks."""

UNCOUNTED, COUNTED_LONG_AGO = 41, 29
"""Every so many kindergartens nobody has counted the staff, or only a year ago."""


def write(session: Session, by: Actor, year: int, *, now: dt.datetime) -> None:
    """The list of grades, who holds them, and the staff of every kindergarten."""
    for each in GRADES:
        code_list.add(session, each, by=by, now=now)
    found = session.scalars(select(Kindergarten).order_by(Kindergarten.code)).all()
    for number, kindergarten in enumerate(found):
        if kindergarten.parent_id is None and not kindergarten.attached and kindergarten.closed_on is None:
            _grade(session, kindergarten, number, by=by, now=now)
    children: Counter[str] = Counter()
    for counted in counts.count(session, now.date(), year, by_kindergarten=True).now:
        if counted.children.level != Level.NURSERY:
            children[counted.place] += counted.children.number
    rows = [
        _count(kindergarten.id, number, kindergarten.area_code, children[kindergarten.code], now)
        for number, kindergarten in enumerate(found)
        if children[kindergarten.code] and number % UNCOUNTED
    ]
    write_rows(session, insert(StaffCount), rows)


def _grade(session: Session, kindergarten: Kindergarten, number: int, *, by: Actor, now: dt.datetime) -> None:
    turns = PUBLIC if kindergarten.nature == Nature.PUBLIC else OTHERS
    for code in turns[number % len(turns)]:
        if code == MODEL:
            former = held.give(session, kindergarten.id, FIRST, BEFORE, DOCUMENT, by=by, now=now)
            held.end(session, former.id, SINCE[MODEL], by=by, now=now)
        held.give(session, kindergarten.id, code, SINCE[code], DOCUMENT, by=by, now=now)


def _count(kindergarten_id: uuid.UUID, number: int, area: str, children: int, now: dt.datetime) -> dict[str, object]:
    ratio = CHILDREN_OF_A_TEACHER[number % len(CHILDREN_OF_A_TEACHER)] * (CROWDED if area in CROWDED_AREAS else 1)
    teachers = max(round(children / ratio), 1)
    return {
        "kindergarten_id": kindergarten_id,
        "day": COUNTED_ON if number % COUNTED_LONG_AGO else LONG_AGO,
        "teachers": teachers,
        "carers": max(teachers // 2, 1),
        "entered_at": now,
    }
