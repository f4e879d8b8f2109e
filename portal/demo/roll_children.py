"""Random children of classes that are kept by name: among them the elder siblings of families that apply."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from numpy.random import Generator

from enrollment.season import ages
from portal.demo import names
from portal.demo.identity_numbers import Numbers
from portal.demo.nature_shares import RollClassPlan


@dataclass(frozen=True)
class ChildOnRoll:
    surname: str
    name: str
    born: dt.date
    id_number: str
    entered_on: dt.date


def draw(
    random: Generator, area: str, of_class: RollClassPlan, school_year: int, numbers: Numbers
) -> Iterator[ChildOnRoll]:
    """The children of a class; a middle or upper class entered a year or two earlier."""
    first, last = ages.born_between(of_class.level, school_year)
    before = {"middle": 1, "upper": 2}.get(of_class.level, 0)
    entered = dt.date(school_year - before, 9, 1)
    days = random.integers(0, (last - first).days + 1, size=of_class.children)
    for day, luck in zip(days.tolist(), random.random(of_class.children).tolist(), strict=True):
        surname, born, sex = names.surname(random), first + dt.timedelta(days=day), "f" if luck < 0.48 else "m"
        yield ChildOnRoll(surname, names.child(random, surname), born, numbers.of(area, born, sex), entered)
