"""Children without a place after a published round: listed by area, with their wishes and the vacancies near them."""

import math
import uuid
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from sqlalchemy import ColumnElement, Row, func, select, true
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.run_rows import Placement, Run
from enrollment.eligibility.households import Household
from enrollment.ground.accounts import Actor
from enrollment.ground.classifications import Nature
from enrollment.offers.offers import LIVE, Offer
from enrollment.places import scope
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.season.rounds import Round

MOST_VACANCIES = 3


@dataclass(frozen=True)
class UnplacedChild:
    """`gave_up` says that the child held a place and left it; `metres` of a vacancy is None where no home is known."""

    application_id: uuid.UUID
    registration_code: str
    level: str
    area_code: str
    agrees_to_central: bool
    gave_up: bool
    wishes: tuple[str, ...]
    vacancies: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class UnplacedPage:
    """One page of the list, counted from 1; `by_area` has (code, name, children) of every area, whatever filter is set."""

    rows: tuple[UnplacedChild, ...]
    total: int
    number: int
    last: int
    by_area: tuple[tuple[str, str, int], ...]


def listing(
    session: Session, year: int, *, by: Actor, area: str | None = None, page: int = 1, per_page: int = 25
) -> UnplacedPage:
    """Children of a published round without a live offer, those never placed first.  Officials see their areas."""
    home = func.coalesce(Household.home_area, Kindergarten.area_code)
    base = without_place(year).where(_within(by, home))
    counted = base.with_only_columns(home.label("code"), func.count().label("n")).order_by(None).group_by(home)
    counts = dict(session.execute(counted).all())
    names = session.execute(select(Area.code, Area.name).order_by(Area.position)).all()
    wanted = base.where(home == area) if area else base
    total = counts.get(area, 0) if area else sum(counts.values())
    last = max(1, -(-total // per_page))
    page = min(max(page, 1), last)
    rows = session.execute(wanted.limit(per_page).offset((page - 1) * per_page)).all()
    wishes = _wishes(session, [row.id for row in rows])
    vacancies = _Vacancies(session, year)
    return UnplacedPage(
        rows=tuple(
            UnplacedChild(
                row.id, row.registration_code, row.level, row.home, row.agrees_to_central, row.gave_up,
                tuple(wishes.get(row.id, ())), vacancies.near(row),
            )
            for row in rows
        ),
        total=total,
        number=page,
        last=last,
        by_area=tuple((code, name, counts[code]) for code, name in names if code in counts),
    )  # fmt: skip


def _within(by: Actor, home: ColumnElement[str]) -> ColumnElement[bool]:
    return true() if scope.may_see_all(by) else home.in_(by.areas)


def without_place(year: int):
    """Every application that took part in a published run and whose child holds no place now."""
    live = select(Offer.id).where(Offer.application_id == Application.id, Offer.state.in_(LIVE)).exists()
    held = select(Offer.id).where(Offer.application_id == Application.id).exists()
    took_part = (
        select(Placement.run_id)
        .join(Run, Run.id == Placement.run_id)
        .where(Placement.application_id == Application.id, Run.published_at.is_not(None))
        .exists()
    )
    return (
        select(
            Application.id,
            Application.registration_code,
            Application.level,
            Application.agrees_to_central,
            Household.home_longitude,
            Household.home_latitude,
            func.coalesce(Household.home_area, Kindergarten.area_code).label("home"),
            held.label("gave_up"),
        )
        .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .outerjoin(Household, Household.application_id == Application.id)
        .where(Application.year == year, Application.stage.not_in(DEAD_STAGES), took_part, ~live)
        .order_by(held, Application.registration_code)
    )


def _wishes(session: Session, ids: list[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """The kindergartens wished for, round after round, each once."""
    found = (
        select(Wish.application_id, Kindergarten.name)
        .join(Round, Round.id == Wish.round_id)
        .join(Programme, Programme.id == Wish.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Wish.application_id.in_(ids))
        .order_by(Wish.application_id, Round.number, Wish.rank)
    )
    wished: dict[uuid.UUID, list[str]] = {}
    for application_id, name in session.execute(found):
        mine = wished.setdefault(application_id, [])
        if name not in mine:
            mine.append(name)
    return wished


class _Vacancies:
    """The programmes with a vacancy, read once for a page."""

    def __init__(self, session: Session, year: int):
        found = (
            select(Programme.level, Kindergarten.name, Kindergarten.area_code, Kindergarten.longitude, Kindergarten.latitude)
            .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
            .where(
                Programme.year == year, Programme.state == ProgrammeState.APPROVED, Programme.taken < Programme.places,
                Kindergarten.nature != Nature.PRIVATE, Kindergarten.closed_on.is_(None),
            )
            .order_by(Kindergarten.sort_key)
        )  # fmt: skip
        self._free = list(session.execute(found))

    def near(self, child: Row) -> tuple[tuple[str, int | None], ...]:
        """The nearest vacancies with their distance in metres; for a child without coordinates those of its area."""
        here = [row for row in self._free if row.level == child.level]
        if child.home_longitude is None or child.home_latitude is None:
            return tuple((row.name, None) for row in here if row.area_code == child.home)[:MOST_VACANCIES]
        placed = [row for row in here if row.longitude is not None and row.latitude is not None]
        far = sorted(
            (metres(child.home_longitude, child.home_latitude, r.longitude, r.latitude), r.name) for r in placed
        )
        return tuple((name, distance) for distance, name in far[:MOST_VACANCIES])


def metres_to(longitude: Decimal, latitude: Decimal, sites: np.ndarray) -> np.ndarray:
    """The distances to many sites (longitude, latitude; float64[n, 2]), in whole metres, as `metres` has each."""
    here, there = math.radians(float(latitude)), np.radians(sites[:, 1])
    across = np.radians(sites[:, 0] - float(longitude))
    half = np.sin((there - here) / 2) ** 2 + math.cos(here) * np.cos(there) * np.sin(across / 2) ** 2
    return np.rint(2 * 6_371_000 * np.arcsin(np.sqrt(half))).astype(np.int64)


def metres(longitude: Decimal, latitude: Decimal, other_longitude: Decimal, other_latitude: Decimal) -> int:
    """The distance as the crow flies, on a sphere of 6,371 km."""
    here, there = math.radians(float(latitude)), math.radians(float(other_latitude))
    across = math.radians(float(other_longitude) - float(longitude))
    half = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    return round(2 * 6_371_000 * math.asin(math.sqrt(half)))
