"""The kindergartens that a family can choose in a round: first those that serve its home, then its area, nearest first."""

import math
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Select, and_, case, or_, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.eligibility import home_points, households, round_offers
from enrollment.eligibility.home_points import HomePoint
from enrollment.eligibility.tiers import TierTable, claimed_facts
from enrollment.places.distances import metres, minutes_on_foot
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.search import named_places
from enrollment.places.search.named_places import Start
from enrollment.places.search.site_index import Counts, Order, Question, SiteIndex, site_index
from enrollment.places.service_areas import service_area_index
from enrollment.season import kept_years
from enrollment.season.facts import home_of
from enrollment.season.rounds import RoundProgramme
from enrollment.season.rules import TierResult

EVERYTHING = Question()
PER_PAGE = 15
MOST_BY_CHANCE = 60
"""So many of those that answer a question are sorted by chance, the first for the home; the others follow."""


@dataclass(frozen=True)
class Candidate:
    """A programme with the tier that the family's claims would give, if they are verified.

    `metres` is the straight-line distance, None if home or kindergarten has no point on the map; `measured_from` names
    the estate, community or street used for a home without its own point.  `own_area`: the kindergarten lies in the area
    of the home.  `grounds` are those grounds of the programme's reserved places that the family claims.
    """

    programme: Programme
    tiered: TierResult
    serves: bool
    metres: int | None
    grounds: frozenset[str] = frozenset()
    measured_from: str | None = None
    own_area: bool = False

    @property
    def kindergarten(self) -> Kindergarten:
        return self.programme.kindergarten

    @property
    def minutes(self) -> int | None:
        return None if self.metres is None else minutes_on_foot(self.metres)


Shares = Callable[[Sequence[Candidate]], Sequence[float | None]]
"""The chance of the family at each of these candidates, None where it is not known."""


@dataclass(frozen=True)
class Candidates:
    """One page of candidates; `number` counts from 1.  `suggested` are places that the words may mean."""

    items: list[Candidate]
    number: int
    last: int
    total: int
    counts: Counts
    suggested: list[Start]


class Finder:
    """Finds candidates for one application in one round; created once for a page."""

    def __init__(self, session: Session, application: Application, round_id: uuid.UUID):
        self._session = session
        self._application = application
        self._round = kept_years.round_of(session, round_id)
        self._facts = claimed_facts(session, application.id)
        self._home = households.household_of(session, application.id)
        self._point = home_points.point_of(session, self._home)
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
                metres_between(self._point, programme.kindergarten),
                priority.grounds,
                self._point.measured_from if self._point else None,
                self._home is not None and programme.kindergarten.area_code == self._home.home_area,
            )
            for programme, priority in zip(listed, priorities, strict=True)
        ]

    def others(self, listed: Sequence[Candidate], most: int) -> list[Programme]:
        """At most `most` further programmes: first those that serve the home, then those of its area, nearest first.

        A kindergarten of another area is included only if it serves the home.  A home outside the city has no area; the
        areas of the wishes are used instead.
        """
        own = self._home.home_area if self._home else None
        areas = {own} if own else {each.kindergarten.area_code for each in listed}
        found = self._offered().where(
            Programme.id.not_in([each.programme.id for each in listed]),
            or_(Kindergarten.area_code.in_(areas), Kindergarten.id.in_(self._serving)),
        )
        return list(self._session.scalars(found.order_by(*self._order()).limit(most)).unique())

    def search(
        self,
        asked: Question = EVERYTHING,
        page: int = 1,
        per_page: int = PER_PAGE,
        *,
        shares: Shares | None = None,
    ) -> Candidates:
        """The programmes of the round at the child's level that answer the question.

        Without another order the home decides: what serves it, its own area, the nearest, its street.  `shares` sorts by
        chance.
        """
        programmes, ordered, counts = self._answers(asked, shares)
        last = max(1, -(-len(ordered) // per_page))
        number = min(max(page, 1), last)
        shown = self._of(programmes, ordered[(number - 1) * per_page : number * per_page])
        words = asked.words if asked.start is None and len(asked.words.strip()) > 1 else ""
        suggested = named_places.points_of(self._session).suggested(words, asked.area) if words else []
        return Candidates(self.seen(shown), number, last, len(ordered), counts, suggested)

    def at(self, kindergarten_id: uuid.UUID) -> Candidate | None:
        """A kindergarten as a candidate; None if the round has no places there at the child's level."""
        programmes = round_offers.programmes_of(self._session, self._round.id, self._application.level)
        programme_id = programmes.of.get(kindergarten_id)
        return self.seen([self._session.get_one(Programme, programme_id)])[0] if programme_id is not None else None

    def pins(self, asked: Question, *, shares: Shares | None = None) -> list[Kindergarten]:
        """The kindergartens of the list in its order, for the map."""
        _programmes, ordered, _counts = self._answers(asked, shares)
        return ordered

    def _of(self, programmes: Mapping[uuid.UUID, uuid.UUID], listed: Sequence[Kindergarten]) -> list[Programme]:
        ids = [programmes[each.id] for each in listed]
        found = {each.id: each for each in self._session.scalars(select(Programme).where(Programme.id.in_(ids)))}
        return [found[each] for each in ids]

    @property
    def start(self) -> HomePoint | None:
        """Where ways begin: the start of the question or, without one, the home."""
        return self._point

    def _answers(
        self, asked: Question, shares: Shares | None = None
    ) -> tuple[Mapping[uuid.UUID, uuid.UUID], list[Kindergarten], Counts]:
        """The programme of each kindergarten of the round, those that answer the question in its order, and the counts."""
        if asked.start is not None:
            self._point = HomePoint(asked.start.longitude, asked.start.latitude, asked.start.name)
        index = site_index(self._session)
        programmes = round_offers.programmes_of(self._session, self._round.id, self._application.level)
        start = None if self._point is None else Start(self._point.longitude, self._point.latitude)
        distances = index.metres(start)
        numbers, ranks = index.matching(asked.words)
        in_round = round_offers.mask(index, programmes)
        numbers, ranks = numbers[in_round[numbers]], ranks[in_round[numbers]]
        masks = index.conditions(replace(asked, level=None, start=start), distances, {})
        if asked.serving:
            masks["serving"] = index.among(self._serving)
        counts = index.counts(numbers, masks, {})
        for mask in masks.values():
            kept = mask[numbers]
            numbers, ranks = numbers[kept], ranks[kept]
        keys = self._home_keys(index, distances) if asked.order in (None, Order.BEST, Order.CHANCE) else []
        ordered = index.ordered(asked, numbers, ranks, distances, lambda _: 0, before=keys)
        listed = [index.listed[at] for at in ordered]
        if asked.order == Order.CHANCE and shares is not None:
            near = listed[:MOST_BY_CHANCE]
            known = zip(near, shares(self.seen(self._of(programmes.of, near))), strict=True)
            by_chance = sorted(known, key=lambda each: -1.0 if each[1] is None else each[1], reverse=True)
            listed[:MOST_BY_CHANCE] = [kindergarten for kindergarten, _share in by_chance]
        return programmes.of, listed, counts

    def _home_keys(self, index: SiteIndex, distances: np.ndarray) -> list[np.ndarray]:
        """What decides the order, the least important first: the street, the distance, the area, what serves the home."""
        home = self._home
        keys: list[np.ndarray] = []
        if home is not None:
            # a family that still lives outside the city looks where it works or is registered
            here = index.in_area(home.home_area or home.work_area or home.hukou_area)
            if home.home_street:
                keys.append(~(here & index.on_street(home.home_street)))
            if self._point is not None:
                keys.append(distances)
            keys.append(~here)
        return [*keys, ~index.among(self._serving)]

    @property
    def sorted_by(self) -> str:
        """What decides the order within an area, as `_order` does: `distance`, `street` or only the name of the
        kindergarten, after the home's own area (`area`) or without any address (`name`)."""
        if self._home is None:
            return "name"
        if self._point is not None:
            return "distance"
        return "street" if self._home.home_street else "area"

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
        # a family that still lives outside the city looks where it works or is registered
        here = Kindergarten.area_code == (home.home_area or home.work_area or home.hukou_area)
        order.append(case((here, 0), else_=1))
        if self._point is not None:
            shrink = math.cos(math.radians(self._point.latitude))
            east = (Kindergarten.longitude - self._point.longitude) * shrink
            north = Kindergarten.latitude - self._point.latitude
            order.append((east * east + north * north).nulls_last())
        if home.home_street:
            order.append(case((and_(here, Kindergarten.street == home.home_street), 0), else_=1))
        return [*order, Kindergarten.sort_key, Kindergarten.code]


def metres_between(home: HomePoint | None, there: Kindergarten) -> int | None:
    """The straight-line distance from a home to a kindergarten in metres; None if one of them has no point."""
    if home is None or there.longitude is None or there.latitude is None:
        return None
    return metres(home.longitude, home.latitude, there.longitude, there.latitude)
