"""Where a home is on the map, for distances: its own point, else the middle of its estate, community or street.

Few families share the position of their phone, but the estate, community and street that they name are known through
kindergartens: some lie on that street, or list that estate in their service area.  The middle of these kindergartens is
used as the point of the name, and a page says from which place the distance was measured.
"""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from enrollment.people.household_rows import Household
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.service_areas import ServiceArea, normalise_name

FINEST_FIRST = ("estate", "community", "street")


@dataclass(frozen=True)
class HomePoint:
    """A point in degrees.  `measured_from` names the estate, community or street used instead of the home, else None."""

    longitude: float
    latitude: float
    measured_from: str | None = None


class HomePoints:
    """The points of the named places of an area (None: of all areas), read once for many homes."""

    def __init__(self, session: Session, area: str | None = None):
        self._sites: dict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
        on_the_map = Kindergarten.longitude.is_not(None) & Kindergarten.latitude.is_not(None)
        here = on_the_map & (Kindergarten.area_code == area) if area else on_the_map
        point = (Kindergarten.area_code, Kindergarten.longitude, Kindergarten.latitude)
        streets = select(*point, Kindergarten.street).where(here, Kindergarten.street.is_not(None))
        for row in session.execute(streets):
            self._add(row.area_code, "street", row.street or "", row)
        served = select(*point, ServiceArea.kind, ServiceArea.name).join(
            Kindergarten, Kindergarten.id == ServiceArea.kindergarten_id
        )
        for served_name in session.execute(served.where(here, ServiceArea.kind.in_(("estate", "community")))):
            self._add(served_name.area_code, served_name.kind, served_name.name, served_name)

    def _add(self, area: str, kind: str, name: str, site: Row) -> None:
        self._sites[area, kind, normalise_name(name)].append((float(site.longitude), float(site.latitude)))

    def of(self, home: Household | None) -> HomePoint | None:
        """The point of a home.  None if no named place is known on the map, and for a home outside the city."""
        if home is None or home.home_area is None:
            return None
        if home.home_longitude is not None and home.home_latitude is not None:
            return HomePoint(float(home.home_longitude), float(home.home_latitude))
        names = {"estate": home.home_estate, "community": home.home_community, "street": home.home_street}
        for kind in FINEST_FIRST:
            name = names[kind]
            sites = self._sites.get((home.home_area, kind, normalise_name(name))) if name else None
            if sites:
                east, north = zip(*sites, strict=True)
                return HomePoint(sum(east) / len(sites), sum(north) / len(sites), name)
        return None


def point_of(session: Session, home: Household | None) -> HomePoint | None:
    """The point of one home."""
    if home is None or home.home_area is None:
        return None
    return HomePoints(session, home.home_area).of(home)
