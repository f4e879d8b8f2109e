"""The programmes of each round, kept in the process: what a family of a class level can choose."""

import datetime as dt
import functools
import uuid
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.reading.catalogue import Part
from enrollment.places.programmes import Programme
from enrollment.places.search.site_index import SiteIndex
from enrollment.season.rounds import RoundProgramme

EVERY = dt.timedelta(seconds=2)

Key = tuple[uuid.UUID, str]


@dataclass(frozen=True, eq=False)
class LevelProgrammes:
    """The programme of each kindergarten that takes part."""

    of: dict[uuid.UUID, uuid.UUID]


def _read(session: Session) -> dict[Key, LevelProgrammes]:
    found: dict[Key, dict[uuid.UUID, uuid.UUID]] = defaultdict(dict)
    columns = (RoundProgramme.round_id, Programme.level, Programme.kindergarten_id, Programme.id)
    query = select(*columns).join(Programme, Programme.id == RoundProgramme.programme_id)
    for round_id, level, kindergarten_id, programme_id in session.execute(query):
        found[round_id, level][kindergarten_id] = programme_id
    return {key: LevelProgrammes(of) for key, of in found.items()}


ROUND_OFFERS = Part("round_offers", ("round_programme",), _read, every=EVERY)


def programmes_of(session: Session, round_id: uuid.UUID, level: str) -> LevelProgrammes:
    """The programmes of a round at a class level."""
    kept = ROUND_OFFERS.of(session)
    return (_read(session) if kept is None else kept).get((round_id, level)) or LevelProgrammes({})


@functools.lru_cache(maxsize=16)
def mask(index: SiteIndex, programmes: LevelProgrammes) -> np.ndarray:
    """Which kindergartens of the index take part."""
    return index.among(programmes.of)
