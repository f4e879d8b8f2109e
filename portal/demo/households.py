"""Random households with the rates of a realistic city.  Values only; no rows are written here.

Rates: multiples 3.3 % of children; an elder sibling at the first wish 12–18 % (`demand.ELDER`); collective hukou 6 % in the zones and
1.5 % elsewhere; no local hukou 28 % in the centre and 8 % in the counties; policy care 1 %; declared disability 0.6 %.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from portal.demo import geography, names
from portal.demo.identity_numbers import Numbers
from portal.demo.neighbourhoods import Neighbourhood, Neighbourhoods
from portal.demo.programmes import DemoProgramme
from portal.demo.roll_children import ChildOnRoll
from portal.demo.trial_draws import WishList

MULTIPLES = 0.033
BOUND_OF_MULTIPLES = 0.75
ABROAD = 0.006
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
    elder: ChildOnRoll | None = None


def draw(
    random: Generator,
    around: Neighbourhoods,
    homes: np.ndarray,
    lists: Sequence[WishList],
    offers: Sequence[DemoProgramme],
    numbers: Numbers,
    on_roll: Mapping[str, list[ChildOnRoll]],
    first_phone: int,
) -> Iterator[Household]:
    """The families of an area with a child for each home (longitude, latitude); twins share one, and leave one empty.

    A family with an elder child takes that child from `on_roll`, by the kindergarten's code.
    """
    children = 0
    for made, (home, near, wishes) in enumerate(zip(homes, around.of_points(homes), lists, strict=True)):
        if children >= len(homes):
            return
        waiting = on_roll.get(offers[wishes.chosen[0]].kindergarten) if wishes.elder else None
        elder = waiting.pop() if waiting else None
        family = _family(random, around.area, home, near, numbers, _phone(random, first_phone + made), elder)
        twins = random.random() < MULTIPLES / 2 and children + 2 <= len(homes)
        family.children = _children(random, family, numbers, 2 if twins else 1)
        family.bound = twins and random.random() < BOUND_OF_MULTIPLES
        family.wishes = wishes.chosen
        family.claims = _claims(random, family, offers)
        children += len(family.children)
        yield family


def _phone(random: Generator, number: int) -> str:
    """Mostly a Chinese number; a few families have one of Hong Kong, Singapore or the United Kingdom."""
    if random.random() >= ABROAD:
        return str(number)
    last = number % 1_000_000
    return (f"+8526{1_000_000 + last}", f"+659{last:07d}", f"+447400{last:06d}")[number % 3]


def _family(
    random: Generator,
    area: str,
    home: np.ndarray,
    near: Neighbourhood,
    numbers: Numbers,
    phone: str,
    elder: ChildOnRoll | None,
) -> Household:
    surname = elder.surname if elder else names.surname(random)
    mother = bool(random.random() < 0.7)
    collective = 0.06 if area in ZONES else 0.015
    elsewhere = 0.28 if area in CENTRE else 0.2 if area in ZONES else 0.08
    draw_ = random.random()
    kind = "collective" if draw_ < collective else "elsewhere" if draw_ < collective + elsewhere else "local"
    born = dt.date(1986, 1, 1) + dt.timedelta(days=int(random.integers(0, 4200)))
    road = near.community.removesuffix("社区")
    return Household(
        area=area,
        point=(float(home[0]), float(home[1])),
        surname=surname,
        guardian=names.adult(random, names.surname(random) if mother else surname),
        relation="mother" if mother else "father",
        guardian_id=numbers.of(area, born, "f" if mother else "m"),
        phone=phone,
        hukou_kind=kind,
        hukou_area=None if kind == "elsewhere" else area,
        home_owned=bool(random.random() < 0.62),
        street=near.street,
        community=near.community,
        estate=near.estate,
        address=f"{road}路 {int(random.integers(1, 200))} 号 {near.estate} {int(random.integers(1, 20))} 栋（模拟数据）",
        work_area=area if random.random() < 0.3 else None,
        permit_area=area if kind == "elsewhere" and random.random() < 0.7 else None,
        children=[],
        bound=False,
        wishes=[],
        elder=elder,
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
    if family.elder is not None:
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
