"""The kindergartens that a family can wish for in a round: what serves its home first, then the nearest."""

import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.eligibility import households
from enrollment.eligibility.households import Household
from enrollment.eligibility.tiers import TierTable, claimed_facts
from enrollment.places import finder
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import service_area_index
from enrollment.season.facts import home_of
from enrollment.season.rounds import Round, RoundProgramme
from enrollment.season.rules import TierResult

EARTH = 6_371_000  # metres


@dataclass(frozen=True)
class Candidate:
    """A programme with the tier that the family's claims would give, if they are verified.

    `metres` as the crow flies, None when home or kindergarten has no place on the map.  `grounds` are those of the
    programme's reserved places that the family claims to hold.
    """

    programme: Programme
    tiered: TierResult
    serves: bool
    metres: int | None
    grounds: frozenset[str] = frozenset()

    @property
    def kindergarten(self) -> Kindergarten:
        return self.programme.kindergarten


@dataclass(frozen=True)
class Candidates:
    """One page of candidates; `number` counts from 1."""

    items: list[Candidate]
    number: int
    last: int
    total: int


class Finder:
    """The finder of one application in one round; made once for a page."""

    def __init__(self, session: Session, application: Application, round_id: uuid.UUID):
        self._session = session
        self._application = application
        self._round = session.get_one(Round, round_id)
        self._facts = claimed_facts(session, application.id)
        self._home = households.household_of(session, application.id)
        areas = service_area_index(session)
        self._serving = areas.serving(home_of(self._facts))
        self._tiers = TierTable(session, self._round, areas)

    def seen(self, programmes: Iterable[Programme]) -> list[Candidate]:
        """These programmes as candidates, in the same order."""
        listed = list(programmes)
        priorities = self._tiers.priorities(self._facts, self._tiers.entries(listed))
        return [
            Candidate(
                programme,
                priority.tiered,
                programme.kindergarten_id in self._serving,
                metres(self._home, programme),
                priority.grounds,
            )
            for programme, priority in zip(listed, priorities, strict=True)
        ]

    def nearby(self, but: Iterable[uuid.UUID], most: int) -> list[Programme]:
        """What could be wished for besides these programmes: what serves the home, then the nearest."""
        found = self._offered().where(Programme.id.not_in(list(but))).order_by(*self._order()).limit(most)
        return list(self._session.scalars(found).unique())

    def search(
        self,
        words: str | None = None,
        area: str | None = None,
        nature: str | None = None,
        page: int = 1,
        per_page: int = 15,
    ) -> Candidates:
        """What the round offers at the child's level and all conditions fit."""
        query = self._offered()
        for word in (words or "").split():
            query = query.where(finder.word_condition(word))
        if area:
            query = query.where(Kindergarten.area_code == area)
        if nature:
            query = query.where(Kindergarten.nature == nature)
        total = self._session.scalar(select(func.count()).select_from(query.subquery())) or 0
        last = max(1, -(-total // per_page))
        number = min(max(page, 1), last)
        found = query.order_by(*self._order()).limit(per_page).offset((number - 1) * per_page)
        return Candidates(self.seen(self._session.scalars(found).unique()), number, last, total)

    def _offered(self) -> Select:
        return (
            select(Programme)
            .join(RoundProgramme, RoundProgramme.programme_id == Programme.id)
            .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
            .where(RoundProgramme.round_id == self._round.id, Programme.level == self._application.level)
        )

    def _order(self) -> list:
        order: list = []
        if self._serving:
            order.append(case((Kindergarten.id.in_(self._serving), 0), else_=1))
        home = self._home
        if home is None:
            return [*order, Kindergarten.sort_key, Kindergarten.code]
        if home.home_latitude is not None and home.home_longitude is not None:
            shrink = math.cos(math.radians(float(home.home_latitude)))
            east = (Kindergarten.longitude - home.home_longitude) * shrink
            north = Kindergarten.latitude - home.home_latitude
            order.append((east * east + north * north).nulls_last())
        here = Kindergarten.area_code == home.home_area
        near = and_(here, Kindergarten.street == home.home_street) if home.home_street else here
        order.append(case((near, 0), (here, 1), else_=2))
        return [*order, Kindergarten.sort_key, Kindergarten.code]


def metres(home: Household | None, programme: Programme) -> int | None:
    """The distance from a home to a kindergarten as the crow flies, in metres."""
    there = programme.kindergarten
    if home is None or None in (home.home_latitude, home.home_longitude, there.latitude, there.longitude):
        return None
    ends = (home.home_latitude, there.latitude, home.home_longitude, there.longitude)
    south, north, west, east = (math.radians(float(value or 0)) for value in ends)
    half = math.sin((north - south) / 2) ** 2
    half += math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return round(2 * EARTH * math.asin(math.sqrt(half)))
