"""Random kindergartens of a believable city: values only; no rows are written here.

Each area gets as many public and inclusive places as children apply there, in the shares of `nature_shares`: kindergartens
of the education bureau, streets and towns, offices, universities, companies and estates, sites 办园点 under a main
kindergarten, classes attached to primary schools, private ones, one that opens in September and one that closes.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from enrollment.ground.classifications import Level, Nature
from enrollment.places.areas import CLASS_NORM, Area
from enrollment.places.class_plan import LevelPlan
from enrollment.places.pools import PoolPlan
from enrollment.season.facts import Ground
from portal.demo import geography, names, nature_shares
from portal.demo.nature_shares import RollClassPlan, RollPlan
from portal.demo.neighbourhoods import COUNTIES, DEMO_AREA, ESTATE_OF_DEMO, Neighbourhood, Neighbourhoods

PLACES_FOR_A_CHILD = 1.0
"""Public and inclusive places for each applicant."""

SIZE = {Nature.PUBLIC: 28, Nature.INCLUSIVE: 21, Nature.PRIVATE: 18}
"""Places of a lower class level in a small city; up to twice as many in a large one."""

PLACES_OF_AN_AREA = 130
FEWEST, FEWEST_PRIVATE, MOST = 12, 6, 95
"""Places of a lower class level: of a village's class, of a small private one, and of one that stays within 360 children."""

NAMED = (
    ("锦江区机关第一幼儿园", Nature.PUBLIC, "部门办"),
    ("锦官新城幼儿园", Nature.PUBLIC, "教办"),
    ("小蜜蜂普惠幼儿园", Nature.INCLUSIVE, "民办"),
)
"""The kindergartens of the sign-in page, the first ones of its area."""

IN_TOWN = ("branch", "street", "office", "estate", "education", "street", "university", "branch", "company")
IN_COUNTY = ("street", "branch", "office", "street", "estate", "street", "education", "street", "company")
"""The kinds of public kindergartens of an area after its first one; each area begins at another one."""

RUN_BY = {
    "education": "教办", "branch": "教办", "estate": "教办", "street": "集体办", "office": "部门办", "university": "部门办", "company": "国企办",
    "attached": "教办",
}  # fmt: skip

OPENS_WITH = 25
OPENING = {"510104", "GXQ", "TFXQ"}
CLOSING = {"510106", "510114", "510185"}
CLOSED_ON = dt.date(2026, 8, 31)
NURSERY, NURSERY_CHILDREN = 0.3, (12, 19)
"""Share of kindergartens with a nursery class 托班, and how many children it has."""

FREE_IN_MIDDLE = 2
"""Places of a middle class that children left."""

FEE = {Nature.PUBLIC: (400, 800), Nature.INCLUSIVE: (900, 1600), Nature.PRIVATE: (2200, 4200)}


@dataclass
class Built:
    """A kindergarten with all its random values; `number` is its position in the city, as is `parent`."""

    number: int
    name: str
    area: str
    nature: Nature
    run_by: str
    wanted: int
    point: tuple[float, float]
    home: Neighbourhood
    fee: int
    served: tuple[tuple[str, str], ...]
    withheld: int
    counted_on: dt.timedelta
    parent: int | None = None
    attached: bool = False
    closed_on: dt.date | None = None
    opening: bool = False
    pools: list[PoolPlan] = field(default_factory=list)
    classes: list[RollClassPlan] = field(default_factory=list)

    @property
    def code(self) -> str:
        return f"51{900000000 + self.number}"

    @property
    def street(self) -> str:
        return self.home.street

    @property
    def continuing(self) -> int:
        """Children of the nursery class, who move up to the lower one."""
        return sum(each.children for each in self.classes if each.level == Level.NURSERY)

    @property
    def plan(self) -> LevelPlan:
        """The lower class level of the year: small classes, and what is too much for the wanted places is withheld."""
        children = self.wanted + self.withheld + self.continuing
        classes = -(-children // CLASS_NORM[Level.LOWER])
        norm = -(-children // classes)
        return LevelPlan(classes, classes, norm, self.continuing, classes * norm - self.wanted - self.continuing)

    @property
    def middle_plan(self) -> LevelPlan:
        """The middle class level: the lower classes move up, and the desks of the demo give a few places to others."""
        lower = [each.children for each in self.classes if each.level == Level.LOWER]
        room = len(lower) * CLASS_NORM[Level.MIDDLE] - sum(lower)
        return LevelPlan(len(lower), len(lower), CLASS_NORM[Level.MIDDLE], sum(lower), room - FREE_IN_MIDDLE)

    @property
    def plans(self) -> dict[Level, LevelPlan]:
        """The plans that are proposed, by class level."""
        if not self.admits:
            return {}
        return {Level.LOWER: self.plan} | ({Level.MIDDLE: self.middle_plan} if _is_desk(self) else {})

    @property
    def places(self) -> int:
        return self.plan.places if self.admits else 0

    @property
    def admits(self) -> bool:
        return self.closed_on is None

    @property
    def licensed_classes(self) -> int:
        older = sum(each.level in (Level.MIDDLE, Level.UPPER) for each in self.classes)
        nursery = sum(each.level == Level.NURSERY for each in self.classes)
        return self.plan.classes + (older or 2 * self.plan.classes) + nursery


def children_by_area(areas: Sequence[Area], children: int) -> dict[str, int]:
    """How many of the children apply in each area, by the areas' weights."""
    weight = sum(area.weight for area in areas)
    found = {area.code: round(children * area.weight / weight) for area in areas}
    found[areas[-1].code] += children - sum(found.values())
    return found


def layout(random: Generator, areas: Sequence[Area], children: int) -> "Layout":
    """All the kindergartens of a city."""
    made = Layout(random)
    for area in areas:
        made.add_area(area, children_by_area(areas, children)[area.code])
    return made


class Layout:
    """Kindergartens and neighbourhoods, area by area."""

    def __init__(self, random: Generator):
        self.random = random
        self.kindergartens: list[Built] = []
        self.neighbourhoods: dict[str, Neighbourhoods] = {}
        self.names: set[str] = {name for name, _nature, _run_by in NAMED}

    def __iter__(self) -> Iterator[Built]:
        return iter(self.kindergartens)

    def add_area(self, area: Area, children: int) -> None:
        around = self.neighbourhoods[area.code] = Neighbourhoods.drawn(self.random, area, children)
        first = len(self.kindergartens)
        opens = OPENS_WITH if area.code in OPENING and children >= 3 * OPENS_WITH else 0
        sizes = _sizes(self.random, area.code, round(children * PLACES_FOR_A_CHILD) - opens)
        if area.code == DEMO_AREA:
            sizes["public"] = _evenly(sum(sizes["public"]), max(len(sizes["public"]), 3))
        points = iter(geography.points_in(self.random, area.code, sum(map(len, sizes.values())) + 2))
        for kind, wanted in self._kinds(area, sizes):
            self._add(area, kind, wanted, next(points), around, first)
        if opens:
            self._add(area, "opening", opens, next(points), around, first)
        if area.code in CLOSING:
            self._add(area, "closing", 18, next(points), around, first)
        mine = self.kindergartens[first:]
        for built in mine:
            built.classes = list(_classes(self.random, built))
        nature_shares.fit_to_target(area.code, [RollPlan(b.nature, b.attached, b.classes) for b in mine])

    def _kinds(self, area: Area, sizes: dict[str, list[int]]) -> Iterator[tuple[str, int]]:
        order = IN_COUNTY if area.code in COUNTIES else IN_TOWN
        for each, wanted in enumerate(sizes["public"]):
            yield order[(each + area.position) % len(order)] if each else "education", wanted
        for kind in ("attached", "inclusive", "private"):
            for wanted in sizes[kind]:
                yield kind, wanted

    def _add(self, area: Area, kind: str, wanted: int, point: np.ndarray, around: Neighbourhoods, first: int) -> None:
        [home] = around.of_points(np.array([point]))
        nature = _nature(kind)
        built = Built(
            number=len(self.kindergartens),
            name="",
            area=area.code,
            nature=nature,
            run_by=RUN_BY.get(kind, "教办" if nature == Nature.PUBLIC else "民办"),
            wanted=wanted,
            point=(float(point[0]), float(point[1])),
            home=home,
            fee=int(self.random.integers(*FEE[nature])) // 10 * 10,
            served=tuple(("community", each.community) for each in around.around(point, 3)),
            withheld=int(self.random.choice([0, 0, 0, 1, 2])) if wanted > FEWEST else 0,
            counted_on=dt.timedelta(days=int(self.random.integers(0, 18)), hours=int(self.random.integers(0, 8))),
            attached=kind == "attached",
            closed_on=CLOSED_ON if kind == "closing" else None,
            opening=kind == "opening",
        )
        self._particulars(built, kind, first)
        self._call(built, area, kind, first)
        self.kindergartens.append(built)

    def _particulars(self, built: Built, kind: str, first: int) -> None:
        """Service areas, the main kindergarten and reserved places that go with the kind."""
        if kind in ("estate", "opening"):
            built.served += (("estate", built.home.estate),)
        if kind in ("street", "attached"):
            built.served += (("street", built.home.street),)
        if kind == "branch":
            built.parent = next(each.number for each in self.kindergartens[first:] if each.run_by == "教办")
        if built.number == first:
            built.pools = [PoolPlan("special_need", "融合教育预留学位", 1, [Ground.SPECIAL_NEED])]
        elif kind == "office":
            built.pools = [PoolPlan("policy_care", "政策照顾预留学位", 2, [Ground.POLICY_CARE])]
        elif kind in ("estate", "opening"):
            built.pools = [_for_owners(built.wanted)]

    def _call(self, built: Built, area: Area, kind: str, first: int) -> None:
        if area.code == DEMO_AREA and (named := self._next_named(built.nature, first)):
            built.name, built.run_by = named
            if built.name.startswith(ESTATE_OF_DEMO):
                built.served += (("estate", ESTATE_OF_DEMO),)
                built.pools = [_for_owners(built.wanted)]
            built.parent = None
            return
        for wanted in self._names(built, area, kind):
            if wanted not in self.names:
                self.names.add(wanted)
                built.name = wanted
                return
        raise AssertionError("the names are numbered, so one is free")

    def _next_named(self, nature: Nature, first: int) -> tuple[str, str] | None:
        called = {each.name for each in self.kindergartens[first:]}
        free = (one for one in NAMED if one[1] == nature and one[0] not in called)
        return next(((name, run_by) for name, _nature, run_by in free), None)

    def _names(self, built: Built, area: Area, kind: str) -> Iterator[str]:
        """Names that suit the kind, the most natural first; the last ones are numbered, so that one is free."""
        home, short = built.home, area.name.removeprefix("四川").removeprefix("成都").rstrip("区县市")
        stem, street = home.community.removesuffix("社区"), home.street.removesuffix("街道")
        brand = names.BRANDS[int(self.random.integers(len(names.BRANDS)))]
        if kind == "branch":
            yield f"{self.kindergartens[built.parent or 0].name}（{stem}园区）"
            yield f"{self.kindergartens[built.parent or 0].name}（{home.estate}园区）"
        elif kind == "street":
            yield f"{street}中心幼儿园" if street.endswith("镇") else f"{street}街道幼儿园"
            yield f"{street}{stem}幼儿园"
        elif kind == "office":
            taken = {NAMED[0][0].removesuffix("第一幼儿园") + "幼儿园"}  # beside 机关第一幼儿园
            yield from (f"{area.name}{each}" for each in names.OFFICES if f"{area.name}{each}" not in taken)
        elif kind in ("university", "company"):
            of_kind = names.UNIVERSITIES if kind == "university" else names.COMPANIES
            for each in self.random.permutation(len(of_kind)):
                yield of_kind[each] + ("附属幼儿园" if kind == "university" else "幼儿园")
        elif kind in ("estate", "opening"):
            yield f"{home.estate}幼儿园"
            yield f"{short}{home.estate}幼儿园"
        elif kind == "attached":
            yield f"{street}小学附设幼儿班"
            yield f"{stem}小学附设幼儿班"
            yield f"{street}{stem}小学附设幼儿班"
        elif built.nature == Nature.INCLUSIVE:
            yield (f"{brand}幼儿园", f"{short}{brand}幼儿园", f"{home.estate}{brand}幼儿园")[built.number % 3]
            yield f"{stem}{brand}幼儿园"
            yield f"{brand}{home.estate}幼儿园"
        elif built.nature == Nature.PRIVATE:
            yield (f"{brand}幼儿园（{home.estate.removesuffix('园')}园）", f"{short}{brand}艺术幼儿园")[
                built.number % 2
            ]
            yield f"{stem}{brand}艺术幼儿园"
            yield f"{brand}{home.estate}艺术幼儿园"
        before = "" if built.nature == Nature.PUBLIC else brand
        yield from (f"{area.name}{before}{names.ordinal(number)}幼儿园" for number in range(1, 1000))


def _for_owners(places: int) -> PoolPlan:
    """Some places of a kindergarten of an estate, for those who own a home there."""
    return PoolPlan("estate_owner", "配套小区业主预留学位", max(3, places // 3), [Ground.ESTATE_OWNER])


def _nature(kind: str) -> Nature:
    if kind in ("inclusive", "closing"):
        return Nature.INCLUSIVE
    return Nature.PRIVATE if kind == "private" else Nature.PUBLIC


def _sizes(random: Generator, area: str, places: int) -> dict[str, list[int]]:
    """Places of the lower class level of each kindergarten of an area: public, attached, inclusive and private ones.

    Private ones take no part in rounds: the others have a place for each applicant.
    """
    public, inclusive = (share / 100 for share in nature_shares.SHARES[area])
    attached = nature_shares.ATTACHED if area in nature_shares.WITH_ATTACHED else 0.0
    everybody = places / (public + inclusive + attached)
    of_attached = max(round(everybody * attached), FEWEST) if attached else 0
    of_public = round((places - of_attached) * public / (public + inclusive))
    of_private = round(everybody * (1 - public - inclusive - attached))
    larger = min(max((places / PLACES_OF_AN_AREA) ** 0.5, 0.7), 2.0)

    def split(nature: Nature, total: int, least: int, smallest: int = FEWEST) -> list[int]:
        number = max(min(round(total / (SIZE[nature] * larger)), total // smallest), -(-total // MOST), least)
        return _split(random, total, number, smallest)

    return {
        "public": split(Nature.PUBLIC, of_public, 2),
        "attached": split(Nature.PUBLIC, of_attached, 1) if attached else [],
        "inclusive": split(Nature.INCLUSIVE, places - of_attached - of_public, 1),
        "private": split(Nature.PRIVATE, of_private, 1, FEWEST_PRIVATE),
    }


def _evenly(total: int, number: int) -> list[int]:
    """The desks of the sign-in page are neither the smallest nor the largest kindergartens."""
    return [max(total // number + (each < total % number), FEWEST) for each in range(number)]


def _split(random: Generator, total: int, number: int, smallest: int) -> list[int]:
    """`total` places of `number` kindergartens, some large, some small; more if they would be too small."""
    wanted = max(total, number * smallest)
    weights = random.gamma(5, size=number)
    sizes = np.clip((wanted * weights / weights.sum()).astype(int), smallest, MOST)
    while sizes.sum() < wanted:
        sizes[sizes.argmin()] += 1
    while sizes.sum() > wanted:
        sizes[sizes.argmax()] -= 1
    return sizes.tolist()


def _classes(random: Generator, built: Built) -> Iterator[RollClassPlan]:
    """The classes of the school year before the intake; fewer children are born each year, so the older ones are larger."""
    if built.opening:
        return
    if not built.attached and random.random() < NURSERY and built.wanted <= 75 and built.admits:
        yield RollClassPlan("托一班", Level.NURSERY, int(random.integers(*NURSERY_CHILDREN)))
    levels = ((Level.LOWER, "小", 0.94, 1.0), (Level.MIDDLE, "中", 0.98, 1.06), (Level.UPPER, "大", 1.02, 1.1))
    for level, chinese, low, high in levels:
        children = max(round(built.wanted * random.uniform(low, high)), nature_shares.FEWEST_IN_A_CLASS)
        number = -(-children // CLASS_NORM[level])
        for each in range(number):
            size = children // number + (each < children % number)
            rows = (level == Level.LOWER and each == 0) or _is_desk(built)
            yield RollClassPlan(f"{chinese}{names.DIGITS[each + 1]}班", level, size, rows)


def _is_desk(built: Built) -> bool:
    """Whether somebody of the sign-in page works here: its whole roll is kept by name."""
    return built.name in {name for name, nature, _run_by in NAMED if nature == Nature.PUBLIC}
