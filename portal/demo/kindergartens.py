"""The demo's kindergartens: places for about as many children as apply, public ones enough to stand near the targets.

Everything is written through the verbs of the places wing: kindergartens, service areas, class plans that the area
approves, and a roll whose public share lies a little below the year's target.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from numpy.random import Generator
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import SYSTEM
from enrollment.places import kindergartens, ledger, programmes, roll, service_areas
from enrollment.places.areas import CLASS_NORM, Area
from enrollment.places.kindergartens import Kindergarten
from portal.demo import geography, names

NATURES = ("public", "inclusive", "private")
SHARES = (0.49, 0.35, 0.16)
CHILDREN_OF_A_KINDERGARTEN = 42
"""Applicants for each kindergarten of the city, about what 110,000 children are to 2,600 kindergartens."""
PLACES_FOR_A_CHILD = 0.97
"""Public and inclusive places for each applicant: a little fewer than are wanted, as in a real year."""
RUN_BY = ("教办", "部门办", "集体办")
REASON = "模拟数据：按办学许可和师资编制"

NAMED = (
    ("锦江区机关第一幼儿园", "510104", "public"),
    ("锦官新城幼儿园", "510104", "public"),
    ("小蜜蜂普惠幼儿园", "510104", "inclusive"),
)
"""The three that the demo's people speak of."""


@dataclass(frozen=True)
class Plan:
    """What a kindergarten shall be: class counts by level, places in the first class level."""

    name: str
    area: str
    nature: str
    street: str
    lower_classes: int
    older_classes: int


def plans(random: Generator, areas: list[Area], children: int) -> list[Plan]:
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
    end = "公立幼儿园" if nature == "public" else "幼儿园"
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


def build(
    session: Session,
    random: Generator,
    year: int,
    children: int,
    now: dt.datetime,
    progress: Callable[[int, int], None],
) -> None:
    """Write them all.  `progress` is told how many of how many are done."""
    areas = list(session.scalars(select(Area).order_by(Area.position)))
    wanted = plans(random, areas, children)
    points = {
        area.code: iter(geography.points_in(random, area.code, sum(plan.area == area.code for plan in wanted)))
        for area in areas
    }
    for number, plan in enumerate(wanted):
        built = _build_one(session, random, plan, number, next(points[plan.area]))
        _offer_places(session, random, built, plan, year, now)
        _fill_roll(session, random, built, plan, year, now)
        if number % 50 == 49 or number == len(wanted) - 1:
            session.flush()
            progress(number + 1, len(wanted))


def _build_one(session: Session, random: Generator, plan: Plan, number: int, point) -> Kindergarten:
    fee = {"public": 600, "inclusive": 1100, "private": 2800}[plan.nature] + 50 * int(random.integers(-4, 9))
    built = kindergartens.add(
        session,
        code=f"51{900000000 + number}",
        name=plan.name,
        nature=plan.nature,
        area_code=plan.area,
        run_by=RUN_BY[number % 3] if plan.nature == "public" else "民办",
        street=plan.street,
        address=f"{plan.street}{names.COMMUNITIES[number % 12]}路 {number % 180 + 1} 号（模拟数据）",
        longitude=Decimal(str(point[0])),
        latitude=Decimal(str(point[1])),
        phone=f"028-8{number % 10_000_000:07d}",
        fee=fee,
        licensed_classes=plan.lower_classes + plan.older_classes,
    )
    for community in {names.COMMUNITIES[int(random.integers(12))] for _ in range(3)}:
        service_areas.add(session, built.id, "community", f"{community}社区")
    return built


def _offer_places(
    session: Session, random: Generator, built: Kindergarten, plan: Plan, year: int, now: dt.datetime
) -> None:
    programme = programmes.ensure(session, built.id, "lower", year)
    withheld = int(random.choice([0, 0, 0, 1, 2]))
    numbers = {"planned_classes": plan.lower_classes, "staffed_classes": plan.lower_classes, "withheld": withheld}
    ledger.change_plan(session, programme.id, by=SYSTEM, now=now, reason=REASON, **numbers)
    ledger.approve(session, programme.id, by=SYSTEM, now=now)


def _fill_roll(
    session: Session, random: Generator, built: Kindergarten, plan: Plan, year: int, now: dt.datetime
) -> None:
    """Classes of the school year before the intake, as counts; private ones are a little emptier."""
    fullest = {"public": 1.0, "inclusive": 0.93, "private": 0.9}[plan.nature]
    for level, chinese, classes in (
        ("lower", "小", plan.lower_classes),
        ("middle", "中", plan.older_classes // 2),
        ("upper", "大", plan.older_classes // 2),
    ):
        for number in range(classes):
            children = int(CLASS_NORM[level] * fullest * random.uniform(0.86, 1.0))
            roll.count_class(
                session,
                built.id,
                name=f"{chinese}{'一二三四五六'[number]}班",
                level=level,
                school_year=year - 1,
                children=children,
                by=SYSTEM,
                now=now,
            )
