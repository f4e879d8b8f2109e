"""What a plan is made for: areas, years, children, places, measures, and what is asked of the plan.

Everything is a whole number: children, places, and money in units of 10,000 yuan.  A year is an index; its figures are
those of its September.  Kinds of kindergarten stand in the order public, inclusive, other.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

PUBLIC, INCLUSIVE, OTHER = range(3)
ALL = 10_000
"""A share is in hundredths of a percent."""


FULL = (100,)
"""The ramp of a measure whose places all count at once."""

BY_LEVEL = (34, 67, 100)
"""The ramp of a kindergarten that takes one class level more each September."""


class Lock(StrEnum):
    """Whether officials have decided about a measure already."""

    FREE = "free"
    MUST = "must"
    NEVER = "never"


class Pull(NamedTuple):
    """Children by whom a measure raises the most that would take a place: a public one, a public or inclusive one, and a
    public one although the area's families do not wish for more."""

    public: int
    covered: int
    turned: int


@dataclass(frozen=True)
class Measure:
    """`places` are added (or taken away) by kind.  It costs `cost` in the year it begins and `yearly` in each year in force,
    from `lead` years later.  Of measures with the same `site` at most one is taken.  `ramp` says how many per cent of the
    places count in its first, second ... year in force; the last number holds for all later ones.  `decided`: its work has
    begun, so it opens `lead` years after the first one, whatever a plan would choose."""

    code: str
    kind: str
    area: int
    places: tuple[int, int, int]
    cost: int
    yearly: int
    earliest: int
    lead: int
    site: str = ""
    lock: Lock = Lock.FREE
    ramp: tuple[int, ...] = field(default=FULL, repr=False)
    decided: bool = field(default=False, repr=False)

    def places_in(self, age: int) -> tuple[int, int, int]:
        """How the places are changed in the first (0), second (1) ... year in force, towards zero in whole places."""
        part = self.ramp[min(age, len(self.ramp) - 1)]
        public, inclusive, other = (_part(number, part) for number in self.places)
        return public, inclusive, other


def _part(number: int, per_cent: int) -> int:
    return number * per_cent // 100 if number >= 0 else -(-number * per_cent // 100)


@dataclass(frozen=True)
class AreaYear:
    """An area in one September, without any measure: the children expected by kind of kindergarten, the least `room`
    that must stay for more children than expected, and the two targets (0 where nothing is asked)."""

    children: tuple[int, int, int]
    room: int
    public_target: int
    covered_target: int

    @property
    def all(self) -> int:
        return sum(self.children)


@dataclass(frozen=True)
class Limits:
    """How far the families of one area go along in one year.

    `public` and `covered`: the most children who would take a public place, a public or inclusive one.  `willing`: the most
    who wish for a public place as far as families have said.  `keep`: children of other private kindergartens who stay.
    """

    public: int
    covered: int
    willing: int
    keep: int


@dataclass(frozen=True)
class Problem:
    """`years[area][year]`, `places[area]` by kind as they are today, `budget` by year and `most` measures of a kind (None
    and absent: no limit).  `willing[area]` is the part of families, in hundredths of a percent, who wish for a public
    place, None where it is not known.  `fill` and `stay` are per cent: of new places that are wanted, and of families in
    other private kindergartens who want no other."""

    areas: tuple[str, ...]
    first_year: int
    years: tuple[tuple[AreaYear, ...], ...]
    places: tuple[tuple[int, int, int], ...]
    measures: tuple[Measure, ...]
    city_targets: tuple[tuple[int, int], ...]
    budget: tuple[int, ...] | None = None
    most: Mapping[str, int] = field(default_factory=dict)
    willing: tuple[int | None, ...] = ()
    fill: int = 85
    stay: int = 20

    @property
    def horizon(self) -> int:
        """The number of years."""
        return len(self.city_targets)

    @property
    def digest(self) -> str:
        """The SHA-256 of every number that a plan depends on.  Plans from before ramps, or before decided measures, were told
        keep theirs."""
        told: tuple[object, ...] = (self, sorted(self.most.items()))
        ramps = [(each.code, each.ramp) for each in self.measures if each.ramp != FULL]
        decided = [each.code for each in self.measures if each.decided]
        return hashlib.sha256(repr((*told, *filter(None, (ramps, decided)))).encode()).hexdigest()

    def starts(self, measure: Measure) -> range:
        """The years in which a measure may begin so that it is in force within the horizon."""
        if measure.decided:
            return range(int(measure.lead < self.horizon))
        return range(max(measure.earliest, 0), max(self.horizon - measure.lead, 0))

    def pull(self, measure: Measure, age: int) -> Pull:
        """How many more children a measure moves at most in the first (0), second (1) ... year in force.  Those in new places
        come from the other kinds in proportion to today's children, children of a turned kindergarten stay in it, and those
        of one that ends take what is free."""
        places = measure.places_in(age)
        public, inclusive, other = places
        ended = max(-sum(places), 0)
        if ended:
            moved = max(-inclusive, 0) + max(-other, 0)
            return Pull(moved, max(-other, 0), moved)
        to_public = max(public, 0) * self.fill // 100
        if not sum(places):
            return Pull(to_public, max(public + inclusive, 0) * self.fill // 100, to_public)
        now = self.years[measure.area][0].children
        rest = now[INCLUSIVE if public > 0 else PUBLIC] + now[OTHER]
        added = (max(public, 0) + max(inclusive, 0)) * self.fill
        return Pull(to_public, added * now[OTHER] // max(100 * rest, 1), 0)

    def limits(self, area: int, year: int) -> Limits:
        """The limits of an area in a year without any measure."""
        now, places = self.years[area][year], self.places[area]
        public, inclusive, other = now.children
        no_private_place = max(other - places[OTHER], 0)
        no_inclusive_place = max(inclusive - places[INCLUSIVE], 0)
        wish = self.willing[area] if self.willing else None
        wanted = public + no_private_place + no_inclusive_place
        return Limits(
            public=wanted,
            covered=public + inclusive + no_private_place,
            willing=now.all if wish is None else max(wish * now.all // ALL, wanted),
            keep=min(other * self.stay // 100, places[OTHER]),
        )
