"""Service areas: which streets, communities, estates, roads or polygons a kindergarten serves."""

import functools
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from shapely import STRtree, get_num_coordinates
from shapely.errors import ShapelyError
from shapely.geometry import Point, shape
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, exists, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.ground.reading.catalogue import Part
from enrollment.ground.table_version import TableVersion, table_version
from enrollment.places.kept_places import EVERY, TABLES
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme

KINDS = ("street", "community", "estate", "road", "polygon")
NAMED = KINDS[:4]
MOST_POINTS = 5000


class ServiceArea(Base):
    """One entry of a service area notice.  Only the kind `polygon` has a `boundary` (GeoJSON)."""

    __tablename__ = "service_area"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    kind: Mapped[str]
    name: Mapped[str]
    boundary: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),
        CheckConstraint("(kind = 'polygon') = (boundary IS NOT NULL)", name="polygon_has_a_boundary"),
        UniqueConstraint("kindergarten_id", "kind", "name"),
        Index("ix_service_area__name", "kind", "name"),
    )


@functools.lru_cache(maxsize=65_536)
def normalise_name(name: str) -> str:
    """A name in the form that is compared: 三圣 街道 and 三圣街道 are the same street, full-width letters are plain ones."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def polygon(boundary: Mapping[str, Any]):
    """The shape of a GeoJSON Polygon or MultiPolygon (or a Feature of one), longitude first, WGS-84.

    Refuses `boundary_unreadable`, `boundary_crosses_itself`, `boundary_too_detailed` and `boundary_not_degrees`.
    """
    geometry = boundary.get("geometry") if boundary.get("type") == "Feature" else boundary
    if not isinstance(geometry, Mapping) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise Refused("boundary_unreadable", field="boundary")
    try:
        found = shape(dict(geometry))
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError) as fault:
        raise Refused("boundary_unreadable", field="boundary") from fault
    if found.is_empty:
        raise Refused("boundary_unreadable", field="boundary")
    if not found.is_valid:
        raise Refused("boundary_crosses_itself", field="boundary")
    if get_num_coordinates(found) > MOST_POINTS:
        raise Refused("boundary_too_detailed", field="boundary", most=MOST_POINTS)
    west, south, east, north = found.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise Refused("boundary_not_degrees", field="boundary")
    return found


class ServiceAreaIndex:
    """All service areas of the kindergartens that offer programmes in `year` (None: of all), read once for many look-ups."""

    def __init__(self, session: Session, year: int | None = None):
        # by area too: areas share names of communities, and a draw looks up every family
        self._names: dict[tuple[str, str], dict[str, set[uuid.UUID]]] = defaultdict(lambda: defaultdict(set))
        self._owners: list[uuid.UUID] = []
        shapes = []
        for row in _service_area_rows(session, year):
            if row.kind == "polygon":
                shapes.append(polygon(row.boundary))
                self._owners.append(row.kindergarten_id)
            else:
                self._names[row.kind, normalise_name(row.name)][row.area_code].add(row.kindergarten_id)
        self._tree = STRtree(shapes)

    def serves(self, kindergarten_id: uuid.UUID, place: Mapping[str, Any] | None) -> bool:
        """Whether the place lies in a service area of the kindergarten.

        `place` is the fact `home_place`: street, community, estate, road (names) and point ([longitude, latitude]).
        With `area` a name counts only in that admission area: there is a 新城社区 in more than one of them.
        """
        return kindergarten_id in self.serving(place)

    def serving(self, place: Mapping[str, Any] | None) -> set[uuid.UUID]:
        """The kindergartens that serve a place."""
        found: set[uuid.UUID] = set()
        if not place:
            return found
        for kind in NAMED:
            if place.get(kind):
                named = self._names.get((kind, normalise_name(str(place[kind]))), {})
                found.update(*([named.get(place["area"], ())] if place.get("area") is not None else named.values()))
        if place.get("point") and self._owners:
            at = Point(*place["point"])
            found |= {self._owners[index] for index in self._tree.query(at, predicate="intersects")}
        return found


def _service_area_rows(session: Session, year: int | None) -> Iterable:
    query = select(
        ServiceArea.kindergarten_id, ServiceArea.kind, ServiceArea.name, ServiceArea.boundary, Kindergarten.area_code
    ).join(Kindergarten, Kindergarten.id == ServiceArea.kindergarten_id)
    if year is not None:
        offered = exists().where(Programme.kindergarten_id == ServiceArea.kindergarten_id, Programme.year == year)
        query = query.where(offered)
    return session.execute(query)


SERVICE_AREAS = Part("service_areas", TABLES, ServiceAreaIndex, every=EVERY)
"""The index of all kindergartens, kept in the process for pages."""

_read: tuple[TableVersion, ServiceAreaIndex] | None = None


def service_area_index(session: Session) -> ServiceAreaIndex:
    """The index of all kindergartens for a page, cached in the process until a row changes.

    A draw builds its own index and does not use the cache.
    """
    kept = SERVICE_AREAS.of(session)
    if kept is not None:
        return kept
    global _read
    state = table_version(session, ServiceArea, Kindergarten)
    known = _read
    if known is None or known[0] != state:
        known = _read = (state, ServiceAreaIndex(session))
    return known[1]


def list_names(session: Session, kind: str, area_code: str | None = None) -> list[str]:
    """The names that a family picks from: every street (community, estate, road) that any kindergarten of the area serves."""
    query = select(ServiceArea.name).where(ServiceArea.kind == kind).distinct()
    if area_code:
        query = query.join(Kindergarten, Kindergarten.id == ServiceArea.kindergarten_id)
        query = query.where(Kindergarten.area_code == area_code)
    return sorted(session.scalars(query))
