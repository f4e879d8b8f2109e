"""Streets, communities and estates of the invented city: each has a middle, and a home belongs to the nearest one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from enrollment.people.household_rows import Household
from enrollment.places.areas import Area
from portal.demo import geography, names

CHILDREN_OF_A_COMMUNITY = 14
COMMUNITIES = (6, 90)
COMMUNITIES_OF_A_STREET = 3
ESTATE_OF_DEMO, DEMO_AREA = "锦官新城", "510104"
PHASES = ("", "二期", "三期", "四期")
COUNTIES = {"510121", "510129", "510131", "510181", "510182", "510183", "510184", "510185", "DBXQ"}
"""Areas with towns 镇 instead of streets 街道."""


@dataclass(frozen=True)
class Neighbourhood:
    """A community within its street, with the estate that most of its families live in."""

    street: str
    community: str
    estate: str
    point: tuple[float, float]


class Neighbourhoods:
    """The communities of one area."""

    def __init__(self, area: str, listed: Sequence[Neighbourhood]):
        self.area, self.all = area, list(listed)
        self.points = np.array([each.point for each in self.all])

    @classmethod
    def drawn(cls, random: Generator, area: Area, children: int) -> "Neighbourhoods":
        """Those of an area of the invented city in which so many children apply."""
        number = min(max(children // CHILDREN_OF_A_COMMUNITY, COMMUNITIES[0]), COMMUNITIES[1])
        streets = -(-number // COMMUNITIES_OF_A_STREET)
        points = geography.points_in(random, area.code, number)
        # communities of a street lie next to each other
        points = points[np.argsort(points[:, 0] + points[:, 1], kind="stable")]
        stems = names.places(random, number + streets)
        called = list(names.STREETS_OF_JINJIANG) if area.code == DEMO_AREA else []
        called = (called + stems[number:])[:streets]
        kind = "镇" if area.code in COUNTIES else "街道"
        first, estates = int(random.integers(len(names.ESTATES))), len(names.ESTATES)
        estates_here = [names.ESTATES[(first + each) % estates] + PHASES[each // estates] for each in range(number)]
        if area.code == DEMO_AREA:
            estates_here[0] = ESTATE_OF_DEMO
        listed = [
            Neighbourhood(
                called[each // COMMUNITIES_OF_A_STREET] + kind,
                f"{stems[each]}社区",
                estates_here[each],
                (float(point[0]), float(point[1])),
            )
            for each, point in enumerate(points)
        ]
        return cls(area.code, listed)

    def of_points(self, points: np.ndarray) -> list[Neighbourhood]:
        """The nearest neighbourhood of each point (longitude, latitude)."""
        return [self.all[each] for each in geography.metres_between(points, self.points).argmin(axis=1)]

    def around(self, point: np.ndarray, number: int) -> list[Neighbourhood]:
        """The nearest neighbourhoods of a point, the nearest first."""
        metres = geography.metres_between(point[None, :], self.points)[0]
        return [self.all[each] for each in np.argsort(metres, kind="stable")[:number]]


def of_the_city(session: Session) -> dict[str, Neighbourhoods]:
    """The communities in which families live already, by area: a home of each stands for its middle."""
    one_each = (
        select(Household)
        .where(Household.home_area.is_not(None), Household.home_community.is_not(None))
        .where(Household.home_longitude.is_not(None), Household.home_latitude.is_not(None))
        .ext(distinct_on(Household.home_area, Household.home_community))
        .order_by(Household.home_area, Household.home_community, Household.application_id)
    )
    listed: dict[str, list[Neighbourhood]] = defaultdict(list)
    for home in session.scalars(one_each):
        area, community, east, north = home.home_area, home.home_community, home.home_longitude, home.home_latitude
        if area is None or community is None or east is None or north is None:
            continue
        point = (float(east), float(north))
        listed[area].append(Neighbourhood(home.home_street or "", community, home.home_estate or "", point))
    return {area: Neighbourhoods(area, communities) for area, communities in listed.items()}
