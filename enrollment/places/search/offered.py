"""The approved programmes of every year, kept in the process: how many places each kindergarten offers at each level."""

import datetime as dt
import functools
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.reading.catalogue import Part
from enrollment.places.areas import LEVELS
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.places.search.site_index import SiteIndex

EVERY = dt.timedelta(seconds=20)
"""Answers to offers change the table all day, and the places that are shown do not depend on them."""


@dataclass(frozen=True)
class Offer:
    """A programme as a list shows it."""

    level: str
    places: int
    withheld: int
    programme_id: uuid.UUID


@dataclass(frozen=True, eq=False)
class YearOffers:
    """The offers of a year by kindergarten, youngest children first."""

    of: Mapping[uuid.UUID, list[Offer]] = field(default_factory=dict)


def _read(session: Session) -> dict[int, YearOffers]:
    years: dict[int, dict[uuid.UUID, list[Offer]]] = defaultdict(lambda: defaultdict(list))
    columns = (Programme.year, Programme.kindergarten_id, Programme.level, Programme.places, Programme.withheld)
    query = select(*columns, Programme.id).where(Programme.state == ProgrammeState.APPROVED)
    for year, kindergarten_id, level, places, withheld, id_ in session.execute(query):
        years[year][kindergarten_id].append(Offer(level, places, withheld, id_))
    for offers in years.values():
        for each in offers.values():
            each.sort(key=lambda offer: LEVELS.index(offer.level))
    return {year: YearOffers(dict(offers)) for year, offers in years.items()}


OFFERED = Part("offered", ("programme",), _read, every=EVERY)


def offers_of(session: Session, year: int | None) -> YearOffers:
    """What is offered in a year."""
    kept = OFFERED.of(session)
    return (_read(session) if kept is None else kept).get(year or 0) or YearOffers()


@functools.lru_cache(maxsize=8)
def masks(index: SiteIndex, offers: YearOffers) -> dict[str, np.ndarray]:
    """By level, which kindergartens of the index offer places."""
    found: dict[str, np.ndarray] = {level: np.zeros(len(index.listed), dtype=bool) for level in LEVELS}
    for kindergarten_id, each in offers.of.items():
        at = index.number.get(kindergarten_id)
        for offer in each if at is not None else ():
            found[offer.level][at] = True
    return found
