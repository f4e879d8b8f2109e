"""Random kindergartens: about as many places as applicants, and a public share near the targets.

Kindergartens, service areas, class plans that the area approved, and a roll whose public share lies a little below the
year's target.  Values only; no rows are written here.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from numpy.random import Generator

from enrollment.ground.classifications import NATURES, Nature
from enrollment.places.areas import CLASS_NORM, Area
from enrollment.places.class_plan import LevelPlan
from portal.demo import geography, names

SHARES = (0.49, 0.35, 0.16)
CHILDREN_OF_A_KINDERGARTEN = 42
"""Applicants for each kindergarten of the city, about what 110,000 children are to 2,600 kindergartens."""
PLACES_FOR_A_CHILD = 0.97
"""Public and inclusive places for each applicant: a little fewer than are wanted, as in a real year."""

NAMED = (
    ("锦江区机关第一幼儿园", "510104", Nature.PUBLIC),
    ("锦官新城幼儿园", "510104", Nature.PUBLIC),
    ("小蜜蜂普惠幼儿园", "510104", Nature.INCLUSIVE),
)
"""The three kindergartens that the people of the demo use."""


@dataclass(frozen=True)
class Plan:
    """A kindergarten to build: class counts by level, places in the first class level."""

    name: str
    area: str
    nature: str
    street: str
    lower_classes: int
    older_classes: int


def plans(random: Generator, areas: Sequence[Area], children: int) -> list[Plan]:
    """At least four kindergartens in each area, more where more children live."""
    weight = sum(area.weight for area in areas)
    number = {area.code: max(4, round(children / CHILDREN_OF_A_KINDERGARTEN * area.weight / weight)) for area in areas}
    open_to_wishes = sum(number.values()) * (SHARES[0] + SHARES[1])
    classes = PLACES_FOR_A_CHILD * children / (open_to_wishes * CLASS_NORM["lower"])
    made = [Plan(name, area, nature, f"{names.STREETS[0]}街道", 2, 4) for name, area, nature in NAMED]
    for area in areas:
        mine = number[area.code] - sum(plan.area == area.code for plan in made)
        made += [_plan(random, area, each, classes) for each in range(max(mine, 1))]
    return made


def _plan(random: Generator, area: Area, number: int, classes: float) -> Plan:
    nature = NATURES[random.choice(3, p=SHARES)]
    stem = names.KINDERGARTENS[number % len(names.KINDERGARTENS)]
    place = names.COMMUNITIES[(number // len(names.KINDERGARTENS)) % len(names.COMMUNITIES)]
    more = f"第{number // (len(names.KINDERGARTENS) * len(names.COMMUNITIES)) + 1}" if number >= 300 else ""
    short = area.name.removeprefix("成都").removeprefix("四川").rstrip("区县市")
    end = "公立幼儿园" if nature == Nature.PUBLIC else "幼儿园"
    street = names.STREETS[int(random.integers(8))]
    lower = min(max(int(classes + random.random()), 1), 4)
    return Plan(
        f"{short}{stem}{place if number >= len(names.KINDERGARTENS) else ''}{more}{end}",
        area.code,
        nature,
        f"{street}街道",
        lower,
        2 * lower,
    )


@dataclass(frozen=True)
class Built:
    """A planned kindergarten with all its random values."""

    plan: Plan
    number: int
    point: tuple[float, float]
    fee: int
    communities: tuple[str, ...]
    withheld: int
    classes: tuple[tuple[str, str, int], ...]

    @property
    def places(self) -> int:
        """Places in the first class level."""
        classes = self.plan.lower_classes
        return LevelPlan(classes, classes, CLASS_NORM["lower"], withheld=self.withheld).places


def layout(random: Generator, areas: Sequence[Area], children: int) -> Iterator[Built]:
    """All the kindergartens of a city, one after the other."""
    wanted = plans(random, areas, children)
    of_area = Counter(plan.area for plan in wanted)
    points = {area.code: iter(geography.points_in(random, area.code, of_area[area.code]).tolist()) for area in areas}
    for number, plan in enumerate(wanted):
        fee = {"public": 600, "inclusive": 1100, "private": 2800}[plan.nature] + 50 * int(random.integers(-4, 9))
        communities = sorted({names.COMMUNITIES[int(random.integers(12))] for _ in range(3)})
        yield Built(
            plan=plan,
            number=number,
            point=tuple(next(points[plan.area])),
            fee=fee,
            communities=tuple(f"{community}社区" for community in communities),
            withheld=int(random.choice([0, 0, 0, 1, 2])),
            classes=tuple(_classes(random, plan)),
        )


def _classes(random: Generator, plan: Plan) -> Iterator[tuple[str, str, int]]:
    """Name, level and children of each class of the year before the intake; private ones are a little emptier."""
    fullest = {"public": 1.0, "inclusive": 0.93, "private": 0.9}[plan.nature]
    for level, chinese, classes in (
        ("lower", "小", plan.lower_classes),
        ("middle", "中", plan.older_classes // 2),
        ("upper", "大", plan.older_classes // 2),
    ):
        for number in range(classes):
            children = int(CLASS_NORM[level] * fullest * random.uniform(0.86, 1.0))
            yield f"{chinese}{'一二三四五六'[number]}班", level, children
