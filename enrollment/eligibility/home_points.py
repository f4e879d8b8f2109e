"""Where a home is on the map, for distances: its own point, else the point of its estate, community or street.

Few families share the position of their phone; a page says from which place the distance was measured.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.people.household_rows import Household
from enrollment.places.search.named_places import NamedPoints, points_of

FINEST_FIRST = ("estate", "community", "street")


@dataclass(frozen=True)
class HomePoint:
    """A point in degrees.  `measured_from` names the estate, community or street used instead of the home, else None."""

    longitude: float
    latitude: float
    measured_from: str | None = None


class HomePoints:
    """The points of homes in an area (None: in all areas), read once for many homes."""

    def __init__(self, session: Session, area: str | None = None):
        self._points = NamedPoints(session, area)

    def of(self, home: Household | None) -> HomePoint | None:
        """The point of a home, as `home_point` has it."""
        return home_point(home, self._points)


def point_of(session: Session, home: Household | None) -> HomePoint | None:
    """The point of one home."""
    if home is None or home.home_area is None:
        return None
    return home_point(home, points_of(session, home.home_area))


def home_point(home: Household | None, points: NamedPoints) -> HomePoint | None:
    """The point of a home.  None if no named place is known on the map, and for a home outside the city."""
    if home is None or home.home_area is None:
        return None
    if home.home_longitude is not None and home.home_latitude is not None:
        return HomePoint(float(home.home_longitude), float(home.home_latitude))
    names = {"estate": home.home_estate, "community": home.home_community, "street": home.home_street}
    for kind in FINEST_FIRST:
        name = names[kind]
        found = points.of(home.home_area, kind, name) if name else None
        if found is not None:
            return HomePoint(found.longitude, found.latitude, name)
    return None
