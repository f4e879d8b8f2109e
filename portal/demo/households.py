"""Random households with the rates of a realistic city.  Values only; no rows are written here.

Rates: multiples 3.3 % of children; an elder sibling at one of the wishes 12–18 %; collective hukou 6 % in the zones and
1.5 % elsewhere; no local hukou 28 % in the centre and 8 % in the counties; policy care 1 %; declared disability 0.6 %.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from enrollment.ground.identity import check_character
from portal.demo import geography, names
from portal.demo.demand import Demand
from portal.demo.programmes import DemoProgramme

MULTIPLES = 0.033
BOUND_OF_MULTIPLES = 0.75
ELDER_SIBLING = 0.15
CENTRE = {"510104", "510105", "510106", "510107", "510108", "GXQ"}
ZONES = set(geography.ZONES)
FIRST_BIRTHDAY = dt.date(2022, 9, 1)


@dataclass
class Child:
    name: str
    born: dt.date
    sex: str
    id_number: str


@dataclass
class Household:
    """One family: where it lives and is registered, what it claims, what it wishes for (indices of offers, best first)."""

    area: str
    point: tuple[float, float]
    surname: str
    guardian: str
    relation: str
    guardian_id: str
    phone: str
    hukou_kind: str
    hukou_area: str | None
    home_owned: bool
    street: str
    community: str
    estate: str
    address: str
    work_area: str | None
    permit_area: str | None
    children: list[Child]
    bound: bool
    wishes: list[int]
    claims: dict[str, dict] = field(default_factory=dict)


class Numbers:
    """Unique identity numbers with the check character of GB 11643."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, dt.date, str], int] = {}

    def of(self, area: str, born: dt.date, sex: str) -> str:
        region = geography.BORN_IN.get(area, area)
        key = (region, born, sex)
        used = self._next.get(key, 0)
        self._next[key] = used + 1
        order = used * 2 + (1 if sex == "m" else 2)
        digits = f"{region}{born:%Y%m%d}{order % 1000:03d}"
        return digits + check_character(digits)


def draw(
    random: Generator,
    area: str,
    number: int,
    offers: Sequence[DemoProgramme],
    demand: Demand,
    numbers: Numbers,
    first_phone: int,
) -> Iterator[Household]:
    """`number` children of an area in their families, each with wishes among the offers near its home."""
    homes = geography.points_in(random, area, number)
    children = 0
    for made, (home, wishes) in enumerate(zip(homes, demand.wishes(homes), strict=True)):
        if children >= number:
            return  # twins need one home
        family = _family(random, area, home, numbers, first_phone + made)
        twins = random.random() < MULTIPLES / 2 and children + 2 <= number
        family.children = _children(random, family, numbers, 2 if twins else 1)
        family.bound = twins and random.random() < BOUND_OF_MULTIPLES
        family.wishes = wishes
        family.claims = _claims(random, family, offers)
        children += len(family.children)
        yield family


def _family(random: Generator, area: str, home: np.ndarray, numbers: Numbers, phone: int) -> Household:
    surname = names.surname(random)
    mother = bool(random.random() < 0.7)
    collective = 0.06 if area in ZONES else 0.015
    elsewhere = 0.28 if area in CENTRE else 0.2 if area in ZONES else 0.08
    draw_ = random.random()
    kind = "collective" if draw_ < collective else "elsewhere" if draw_ < collective + elsewhere else "local"
    born = dt.date(1986, 1, 1) + dt.timedelta(days=int(random.integers(0, 4200)))
    street, community = names.STREETS[int(random.integers(8))], names.COMMUNITIES[int(random.integers(12))]
    estate = names.ESTATES[int(random.integers(len(names.ESTATES)))]
    return Household(
        area=area,
        point=(float(home[0]), float(home[1])),
        surname=surname,
        guardian=names.adult(random, names.surname(random) if mother else surname),
        relation="mother" if mother else "father",
        guardian_id=numbers.of(area, born, "f" if mother else "m"),
        phone=str(phone),
        hukou_kind=kind,
        hukou_area=None if kind == "elsewhere" else area,
        home_owned=bool(random.random() < 0.62),
        street=f"{street}街道",
        community=f"{community}社区",
        estate=estate,
        address=f"{street}路 {int(random.integers(1, 200))} 号 {estate} {int(random.integers(1, 20))} 栋（模拟数据）",
        work_area=area if random.random() < 0.3 else None,
        permit_area=area if kind == "elsewhere" and random.random() < 0.7 else None,
        children=[],
        bound=False,
        wishes=[],
    )


def _children(random: Generator, family: Household, numbers: Numbers, how_many: int) -> list[Child]:
    born = FIRST_BIRTHDAY + dt.timedelta(days=int(random.integers(0, 365)))
    made: list[Child] = []
    while len(made) < how_many:
        sex = "f" if random.random() < 0.48 else "m"
        name = names.child(random, family.surname)
        if name not in {child.name for child in made}:
            made.append(Child(name, born, sex, numbers.of(family.area, born, sex)))
    return made


def _claims(random: Generator, family: Household, offers: Sequence[DemoProgramme]) -> dict[str, dict]:
    """The grounds that the family is asked about; those that its household carries are added when the rows are written."""
    claims: dict[str, dict] = {}
    if random.random() < ELDER_SIBLING:
        claims["elder_sibling"] = {"sibling_at": offers[family.wishes[0]].kindergarten}
    if random.random() < 0.01:
        claims["policy_care"] = {"policy_care": str(random.choice(["soldier", "police", "firefighter", "talent"]))}
    if random.random() < 0.006:
        claims["special_need"] = {"special_need": True}
    if random.random() < 0.004:
        claims["staff_child"] = {"staff_child_at": offers[family.wishes[0]].kindergarten}
    if random.random() < 0.12:
        claims["multi_child"] = {"children_in_family": int(random.integers(2, 4))}
    return claims
