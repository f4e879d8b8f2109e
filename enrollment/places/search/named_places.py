"""Streets, communities and estates with a point on the map: where a family lives, and from where a way is measured.

Officials import the points.  A name without one is taken to lie in the middle of the kindergartens that stand on that street
or list that estate in their service area, so that a distance can be told before the list is complete.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.catalogue import Part
from enrollment.places.kept_places import EVERY, TABLES
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.search.text_index import Field, Lines, TextIndex, normalised
from enrollment.places.service_areas import ServiceArea, normalise_name

PLACE_KINDS = ("street", "community", "estate")
MOST_SUGGESTED = 4


class NamedPlace(Base):
    """The middle of a street, a community or an estate (WGS-84); `sort_key` is the name in pinyin."""

    __tablename__ = "named_place"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"))
    kind: Mapped[str]
    name: Mapped[str]
    sort_key: Mapped[str]
    longitude: Mapped[Decimal] = mapped_column(Numeric(9, 6))
    latitude: Mapped[Decimal] = mapped_column(Numeric(8, 6))

    __table_args__ = (
        UniqueConstraint("area_code", "kind", "name"),
        CheckConstraint("kind IN ('" + "','".join(PLACE_KINDS) + "')", name="known_kind"),
    )


@dataclass(frozen=True)
class Start:
    """A point in degrees from which ways are measured; `name` is None for the reader's own point."""

    longitude: float
    latitude: float
    name: str | None = None
    kind: str | None = None
    area: str | None = None

    @property
    def code(self) -> str:
        """The place in an address."""
        return f"{self.area}:{self.kind}:{self.name}"


Key = tuple[str, str, str]


class NamedPoints:
    """The points of the named places of an area (None: of all areas), read once for many look-ups."""

    def __init__(self, session: Session, area: str | None = None):
        self._listed: dict[Key, tuple[NamedPlace, Start]] = {}
        query = select(NamedPlace).order_by(NamedPlace.sort_key, NamedPlace.area_code)
        for row in session.scalars(query.where(NamedPlace.area_code == area) if area else query):
            start = Start(float(row.longitude), float(row.latitude), row.name, row.kind, row.area_code)
            self._listed[row.area_code, row.kind, normalise_name(row.name)] = row, start
        self._sites: dict[Key, list[tuple[float, float]]] = defaultdict(list)
        self._names: dict[Key, str] = {}
        on_the_map = Kindergarten.longitude.is_not(None) & Kindergarten.latitude.is_not(None)
        here = on_the_map & (Kindergarten.area_code == area) if area else on_the_map
        point = (Kindergarten.area_code, Kindergarten.longitude, Kindergarten.latitude)
        streets = select(*point, Kindergarten.street).where(here, Kindergarten.street.is_not(None))
        self._add((row.area_code, "street", row.street or "", row) for row in session.execute(streets))
        served = select(*point, ServiceArea.kind, ServiceArea.name).join(
            Kindergarten, Kindergarten.id == ServiceArea.kindergarten_id
        )
        kinds = ServiceArea.kind.in_(("estate", "community"))
        self._add((row.area_code, row.kind, row.name, row) for row in session.execute(served.where(here, kinds)))

    def _add(self, found: Iterable[tuple[str, str, str, Any]]) -> None:
        for area, kind, name, site in found:
            key = (area, kind, normalise_name(name))
            self._sites[key].append((float(site.longitude), float(site.latitude)))
            self._names.setdefault(key, name)

    def of(self, area: str, kind: str, name: str) -> Start | None:
        """The point of a named place, None where nothing is known of it."""
        key = (area, kind, normalise_name(name))
        if key in self._listed:
            return self._listed[key][1]
        sites = self._sites.get(key)
        if not sites:
            return None
        east, north = zip(*sites, strict=True)
        return Start(sum(east) / len(sites), sum(north) / len(sites), name, kind, area)

    @cached_property
    def _all(self) -> tuple[list[Key], TextIndex]:
        keys = [*self._listed, *(key for key in self._names if key not in self._listed)]
        names = [(at, normalised(self._listed[key][0].name if key in self._listed else self._names[key])) for at, key in enumerate(keys)]  # fmt: skip
        letters = [
            (at, normalised(self._listed[key][0].sort_key)) for at, key in enumerate(keys) if key in self._listed
        ]
        return keys, TextIndex([Field(Lines(names), 0, 1, 3), Field(Lines(letters), 2, 2)], len(keys))

    def suggested(self, words: str, area: str | None = None) -> list[Start]:
        """The places that a search may mean, the best first: at most `MOST_SUGGESTED`."""
        keys, index = self._all
        ranks = index.search(words)
        best = sorted((rank, at) for at, rank in ranks.items() if area in (None, keys[at][0]))[:MOST_SUGGESTED]
        found = (self.of(keys[at][0], keys[at][1], self._written(keys[at])) for _, at in best)
        return [each for each in found if each is not None]

    def _written(self, key: Key) -> str:
        return self._listed[key][0].name if key in self._listed else self._names[key]


POINTS = Part("named_points", TABLES, NamedPoints, every=EVERY)
"""The points of all areas, kept in the process for pages."""


def points_of(session: Session, area: str | None = None) -> NamedPoints:
    """The kept points, or those of one area read now."""
    return POINTS.of(session) or NamedPoints(session, area)


def start_of(session: Session, code: str) -> Start | None:
    """The place that an address names (`Start.code`)."""
    area, _, rest = code.partition(":")
    kind, _, name = rest.partition(":")
    return points_of(session).of(area, kind, name) if kind in PLACE_KINDS and name else None
