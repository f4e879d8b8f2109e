"""The two shares: one function from numbers of children to the figures, for pages, files, print and forecast.

`share(children, definition, targets)` is the only place where a definition decides who counts.  The arithmetic, which
compares in whole children, is `allocation/coverage.py`.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from allocation.coverage import Coverage
from enrollment.coverage.targets import Targets
from enrollment.ground.classifications import Level, Nature
from enrollment.places.roll import school_year_of

NO_TARGETS = Targets()


@dataclass(frozen=True)
class Definition:
    """What is counted at the reference date `on`.

    `nursery`: nursery classes 托班 count too.  `attached`: attached classes 附设班 are in the numerator and not only in the
    denominator.  `education`: public are only the kindergartens that the education department runs 教办.  `at_parent`: the
    children of a site count in the area of its parent and not where the site is.
    """

    on: dt.date
    nursery: bool = False
    attached: bool = False
    education: bool = False
    at_parent: bool = False

    @property
    def school_year(self) -> int:
        return school_year_of(self.on)

    def counts(self, level: str) -> bool:
        return self.nursery or level != Level.NURSERY

    def turned(self, switch: str) -> "Definition":
        """The same with one of `SWITCHES` the other way round."""
        changed: dict[str, Any] = {switch: not getattr(self, switch)}
        return replace(self, **changed)


SWITCHES = ("nursery", "attached", "education", "at_parent")


@dataclass(frozen=True)
class Children:
    """A number of children of one nature and class level; `education` and `attached` are of their kindergarten."""

    number: int
    nature: str
    level: str
    attached: bool = False
    education: bool = False


def share(children: Iterable[Children], definition: Definition, targets: Targets = NO_TARGETS) -> Coverage:
    """The children that the definition counts, in whole children, beside the targets."""
    everybody = public = inclusive = 0
    for some in children:
        if not definition.counts(some.level):
            continue
        everybody += some.number
        if some.attached and not definition.attached:
            continue
        if some.nature == Nature.PUBLIC:
            public += some.number if some.education or not definition.education else 0
        elif some.nature == Nature.INCLUSIVE:
            inclusive += some.number
    return Coverage(everybody, public, inclusive, targets.public, targets.inclusive)
