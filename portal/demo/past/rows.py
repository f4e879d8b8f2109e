"""Rows of the simulated past, drawn back from the roll that the demo city has."""

import datetime as dt
from collections.abc import Iterable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sqlalchemy import insert
from sqlalchemy.orm import Session

from enrollment.coverage import counts
from enrollment.coverage.counts import Counted
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.classifications import Level, Nature
from enrollment.places import areas
from enrollment.places.population.rows import COUNTED_LEVELS, AreaBirths, AreaHistory, Estate
from portal.demo.past import simulated_years
from portal.demo.past.simulated_years import TO_ENTRY, PastYears

Numbers = NDArray[np.float64]

PER_HUNDRED, SMALLEST, TO_COME = 12, 5, 5
"""Children in a hundred dwellings, the fewest children that make an estate of its own, and estates that are being built."""

KINDS = ((Nature.PUBLIC, False), (Nature.INCLUSIVE, False), (Nature.PRIVATE, False), (Nature.PUBLIC, True))
"""Nature, and whether the class is one of a primary school."""


def write(session: Session, random: Generator, year: int, on: dt.date) -> None:
    """Births and the children of the school years before the roll of `on`."""
    codes = [row["code"] for row in areas.rows_of_file()]
    snapshot = counts.count(session, on, year)
    now = _cells(codes, snapshot.now)
    three = now[..., :3].copy()
    three[..., 2] += now[..., 3]
    past = simulated_years.draw(random, three, year - 1)
    attached = np.divide(now[..., 3], three[..., 2], out=np.zeros(three.shape[:2]), where=three[..., 2] > 0)
    write_rows(session, insert(AreaHistory), list(_history(codes, past, attached)))
    write_rows(session, insert(AreaBirths), list(_births(codes, past, dt.date(on.year, 4, 30))))
    write_rows(session, insert(Estate), list(_estates(codes, past, year)))


def _cells(codes: list[str], rows: Iterable[Counted]) -> Numbers:
    """Children by [area, level, kind]; those of mixed classes stand a third in each level."""
    cells = np.zeros((len(codes), len(COUNTED_LEVELS), len(KINDS)))
    for row in rows:
        some = row.children
        kind = KINDS.index((Nature.PUBLIC, True) if some.attached else (Nature(some.nature), False))
        levels = COUNTED_LEVELS if some.level == Level.MIXED else (some.level,)
        for level in levels:
            if level in COUNTED_LEVELS:
                cells[codes.index(row.area), COUNTED_LEVELS.index(Level(level)), kind] += some.number / len(levels)
    return cells


def _history(codes: list[str], past: PastYears, attached: Numbers) -> Iterable[dict[str, object]]:
    for (place, year, level), others in np.ndenumerate(past.children[:, :-1, :, 2]):
        of_schools = round(float(attached[place, level]) * int(others))
        numbers = (*past.children[place, year, level, :2].tolist(), int(others) - of_schools, of_schools)
        for (nature, is_attached), number in zip(KINDS, numbers, strict=True):
            if number:
                yield {
                    "area_code": codes[place],
                    "school_year": past.first_year + year,
                    "level": COUNTED_LEVELS[level],
                    "nature": nature,
                    "attached": is_attached,
                    "children": number,
                }


def _births(codes: list[str], past: PastYears, vintage: dt.date) -> Iterable[dict[str, object]]:
    for (place, year), number in np.ndenumerate(past.births):
        yield {
            "area_code": codes[place],
            "school_year": past.first_year - TO_ENTRY + year,
            "vintage": vintage,
            "children": int(number),
        }


def _estates(codes: list[str], past: PastYears, year: int) -> Iterable[dict[str, object]]:
    """The estates that brought children in past years, and some that will be handed over in the next three."""
    for (place, index), children in np.ndenumerate(past.estates):
        if children >= SMALLEST:
            yield _estate(codes[place], past.first_year + int(index), int(children))
    for number in range(TO_COME):
        area = number * len(codes) // TO_COME
        expected = int(past.children[area, -1].sum()) // 40
        if expected >= SMALLEST:
            yield _estate(codes[area], year + number % 3, expected)


def _estate(code: str, first_september: int, children: int) -> dict[str, object]:
    return {
        "area_code": code,
        "name": f"{first_september} 年新居苑（模拟数据）",
        "first_september": first_september,
        "dwellings": max(children * 100 // PER_HUNDRED, 1),
        "per_hundred": PER_HUNDRED,
    }
