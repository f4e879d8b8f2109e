"""Children whom the season has left without a place: listed by area, with their wishes and the vacancies around them."""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, false, func, select, true
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.run_rows import Placement, Run
from enrollment.eligibility.home_points import HomePoint, HomePoints
from enrollment.eligibility.households import Household
from enrollment.ground.accounts import Actor
from enrollment.ground.classifications import Nature
from enrollment.offers.offers import LIVE, Offer
from enrollment.places import scope
from enrollment.places.areas import Area
from enrollment.places.distances import metres
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.season.rounds import Round

MOST_VACANCIES = 3


@dataclass(frozen=True)
class Vacancy:
    """A kindergarten with a free place; `metres` from the home, None where the home or the kindergarten is not on the map."""

    name: str
    area_code: str
    metres: int | None


@dataclass(frozen=True)
class UnplacedChild:
    """`gave_up` says that the child held a place and left it.

    `outside` says that the family lives outside the city; `area_code` is then that of its first wish.
    """

    application_id: uuid.UUID
    registration_code: str
    level: str
    area_code: str
    agrees_to_central: bool
    gave_up: bool
    wishes: tuple[str, ...]
    vacancies: tuple[Vacancy, ...]
    outside: bool = False


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
                tuple(wishes.get(row.id, ())), vacancies.for_child(row), row.outside,
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
            Household,
            func.coalesce(Household.home_outside, false()).label("outside"),
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
        self._points = HomePoints(session)

    def for_child(self, child: Row) -> tuple[Vacancy, ...]:
        """Those of the child's own area, the nearest first; then others, of which the distance is known."""
        home = self._points.of(child.Household)
        found = [Vacancy(row.name, row.area_code, _metres(home, row)) for row in self._free if row.level == child.level]
        told = [one for one in found if one.area_code == child.home or one.metres is not None]
        told.sort(key=lambda one: (one.area_code != child.home, one.metres is None, one.metres or 0))
        return tuple(told[:MOST_VACANCIES])


def _metres(home: HomePoint | None, site: Row) -> int | None:
    if home is None or site.longitude is None or site.latitude is None:
        return None
    return metres(home.longitude, home.latitude, site.longitude, site.latitude)
