"""Search for kindergartens, and their public data: programmes, sites, service areas."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, lazyload

from enrollment.places import kindergartens
from enrollment.places.areas import LEVELS, Level
from enrollment.places.distances import minutes_on_foot
from enrollment.places.grades.rows import Grade
from enrollment.places.kindergartens import Kindergarten, by_code
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.places.search import named_places, offered
from enrollment.places.search.named_places import Start
from enrollment.places.search.offered import Offer
from enrollment.places.search.site_index import SITES, Counts, Question, SiteIndex, site_index
from enrollment.places.service_areas import ServiceArea


@dataclass(frozen=True)
class Hit:
    """A kindergarten of a list.  `number` is its place in the whole list, from 1; `metres` None where no distance is known."""

    number: int
    kindergarten: Kindergarten
    metres: int | None
    offers: list[Offer]
    grades: Sequence[Grade] = ()

    @property
    def minutes(self) -> int | None:
        return None if self.metres is None else minutes_on_foot(self.metres)

    def level(self, asked: str | None) -> str:
        """The level of which a list tells the places: the one that is asked for, else the lower class or the youngest offered."""
        levels = [each.level for each in self.offers]
        return asked or (levels[0] if levels and Level.LOWER not in levels else Level.LOWER)

    def places(self, level: str) -> int | None:
        """The places offered at a level; None where none are published."""
        return next((each.places for each in self.offers if each.level == level), None)


@dataclass(frozen=True)
class Found:
    """One page of the kindergartens that answer a question; `number` counts from 1, `last` is the number of pages."""

    items: list[Hit]
    number: int
    last: int
    total: int
    counts: Counts
    suggested: list[Start]

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


def search(
    session: Session,
    asked: Question,
    *,
    year: int | None = None,
    ease: Mapping[uuid.UUID, float] | None = None,
    page: int = 1,
    per_page: int = 20,
) -> Found:
    """The open kindergartens that answer the question, in its order.

    A level is one of the year's approved programmes.  `ease` orders by the last line: the smaller, the easier it was to
    get in; a kindergarten without a number comes last.
    """
    index, offers = site_index(session), offered.offers_of(session, year)
    metres = index.metres(asked.start)
    counts, ordered = _selected(index, offers, asked, metres, ease or {})
    last = max(-(-len(ordered) // per_page), 1)
    number = min(max(page, 1), last)
    first = (number - 1) * per_page
    hits = [
        _hit(index, offers, at, first + place, metres)
        for place, at in enumerate(ordered[first : first + per_page].tolist(), 1)
    ]
    return Found(hits, number, last, len(ordered), counts, _suggested(session, asked))


def by_words(session: Session, words: str, most: int) -> list[Kindergarten]:
    """The open kindergartens that fit the words, the best first: for a field in which a name is typed."""
    index = site_index(session)
    numbers, ranks = index.matching(words)
    ordered = index.ordered(Question(words), numbers, ranks, index.metres(None), lambda _: 0)
    return [index.listed[at] for at in ordered[:most].tolist()]


def of_exact_name(session: Session, typed: str) -> list[Kindergarten]:
    """The open kindergartens with exactly this name or code."""
    index = SITES.of(session)
    if index is None:
        return kindergartens.of_exact_name(session, typed)
    return [each for each in index.listed if typed in (each.name, each.code)]


def is_open(session: Session, code: str) -> bool:
    """Whether this is the code of an open kindergarten."""
    index = SITES.of(session)
    known = kindergartens.by_code(session, code) if index is None else index.by_code.get(code)
    return known is not None and known.closed_on is None


def points(
    session: Session, asked: Question, *, year: int | None = None, ease: Mapping[uuid.UUID, float] | None = None
) -> list[Hit]:
    """All that answer the question, in the order of the list: the pins of the map."""
    index, offers = site_index(session), offered.offers_of(session, year)
    metres = index.metres(asked.start)
    _counts, ordered = _selected(index, offers, asked, metres, ease or {})
    return [_hit(index, offers, at, place, metres) for place, at in enumerate(ordered.tolist(), 1)]


def of_codes(session: Session, codes: list[str], *, year: int | None, start: Start | None = None) -> list[Hit]:
    """These kindergartens in the order of their codes, as a list shows them; unknown codes are left out."""
    index, offers = site_index(session), offered.offers_of(session, year)
    metres = index.metres(start)
    known = [index.number[index.by_code[code].id] for code in codes if code in index.by_code and index.by_code[code].id in index.number]  # fmt: skip
    return [_hit(index, offers, at, place, metres) for place, at in enumerate(known, 1)]


def _selected(
    index: SiteIndex, offers: offered.YearOffers, asked: Question, metres: Any, ease: Mapping[uuid.UUID, float]
) -> tuple[Counts, Any]:
    numbers, ranks = index.matching(asked.words)
    at_level = offered.masks(index, offers)
    masks = index.conditions(asked, metres, at_level)
    counts = index.counts(numbers, masks, at_level)
    for mask in masks.values():
        kept = mask[numbers]
        numbers, ranks = numbers[kept], ranks[kept]
    infinite = float("inf")
    ordered = index.ordered(asked, numbers, ranks, metres, lambda at: ease.get(index.listed[at].id, infinite))
    return counts, ordered


def _hit(index: SiteIndex, offers: offered.YearOffers, at: int, place: int, metres: Any) -> Hit:
    found = index.listed[at]
    known = metres[at] != float("inf")
    return Hit(
        place, found, int(metres[at]) if known else None, offers.of.get(found.id, []), index.grades.get(found.id, ())
    )


def _suggested(session: Session, asked: Question) -> list[Start]:
    """Streets and estates that the words may mean, to measure from."""
    if asked.start is not None or len(asked.words.strip()) < 2:
        return []
    return named_places.points_of(session).suggested(asked.words, asked.area)


def number_open(session: Session) -> int:
    """How many kindergartens are open."""
    return len(site_index(session).listed)


def kindergarten_of_code(session: Session, code: str) -> Kindergarten | None:
    """The kindergarten with this code, for a page."""
    index = SITES.of(session)
    return by_code(session, code) if index is None else index.by_code.get(code)


def programmes_offered(
    session: Session, kindergarten_ids: list[uuid.UUID], year: int
) -> dict[uuid.UUID, list[Programme]]:
    """The approved programmes of the year for each kindergarten that has one, youngest children first."""
    query = select(Programme).where(
        Programme.kindergarten_id.in_(kindergarten_ids),
        Programme.year == year,
        Programme.state == ProgrammeState.APPROVED,
    )
    # a list shows neither the pools nor, again, the kindergarten of a programme: a page that does loads them
    light = query.options(lazyload(Programme.kindergarten), lazyload(Programme.pools))
    found: dict[uuid.UUID, list[Programme]] = defaultdict(list)
    for programme in sorted(session.scalars(light), key=lambda p: LEVELS.index(p.level)):
        found[programme.kindergarten_id].append(programme)
    return dict(found)


def other_sites(session: Session, kindergarten: Kindergarten) -> list[Kindergarten]:
    """The other open sites of the same kindergarten, including its main site."""
    house = kindergarten.parent_id or kindergarten.id
    query = select(Kindergarten).where(
        or_(Kindergarten.id == house, Kindergarten.parent_id == house),
        Kindergarten.id != kindergarten.id,
        Kindergarten.closed_on.is_(None),
    )
    return list(session.scalars(query.order_by(Kindergarten.sort_key)))


def service_area_names(session: Session, kindergarten_id: uuid.UUID) -> dict[str, list[str]]:
    """Names of its service area by kind (street, community, estate, road); polygons have no name."""
    query = select(ServiceArea.kind, ServiceArea.name).where(
        ServiceArea.kindergarten_id == kindergarten_id, ServiceArea.kind != "polygon"
    )
    names: dict[str, list[str]] = defaultdict(list)
    for kind, name in session.execute(query.order_by(ServiceArea.kind, ServiceArea.name)):
        names[kind].append(name)
    return dict(names)
