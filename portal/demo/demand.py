"""Wishes of families: popular kindergartens near home with fewer earlier wishes.

Popular public kindergartens of a real city get two to six first wishes per place, at most about twelve; others stay half
empty.  Each first wish makes a kindergarten slightly less attractive to the next families.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.random import Generator

from enrollment.ground.classifications import Nature
from portal.demo import geography, people
from portal.demo.programmes import DemoProgramme

NEAR = 24
"""Number of nearest kindergartens that a family considers."""

LIKED_SPREAD, LIKED_IF_PUBLIC, LIKED_IF_NAMED = 0.9, 0.7, 0.9
"""Spread of popularity, and its bonus for public kindergartens and for those of the sign-in page."""

DISTANCE, CROWD, CHANCE = 1.5, 0.8, 0.45
WALK = 600.0
"""Distance in metres without a penalty."""

HOW_MANY = (0.07, 0.15, 0.3, 0.2, 0.28)
"""Shares of families with one to five wishes."""

AT_ONCE = 500


class Demand:
    """The kindergartens of a city with their popularity and the number of first wishes so far."""

    def __init__(self, random: Generator, offers: Sequence[DemoProgramme]):
        self.random = random
        self.points = np.array([offer.point for offer in offers])
        self.places = np.array([max(offer.places, 1) for offer in offers], dtype=float)
        self.liked = _liked(random, offers)
        self.firsts = np.zeros(len(offers))

    def wishes(self, homes: np.ndarray) -> Iterator[list[int]]:
        """The wishes of a family at each home (longitude, latitude), as indices of offers, best first."""
        near_by = min(NEAR, len(self.points))
        for start in range(0, len(homes), AT_ONCE):
            metres = geography.metres_between(homes[start : start + AT_ONCE], self.points)
            near = np.sort(np.argpartition(metres, near_by - 1, axis=1)[:, :near_by], axis=1)
            pull = self.liked[near] - DISTANCE * np.log1p(np.take_along_axis(metres, near, axis=1) / WALK)
            pull += self.random.gumbel(0, CHANCE, pull.shape)
            how_many = self.random.choice(len(HOW_MANY), size=len(pull), p=HOW_MANY) + 1
            for mine, appeal, wanted in zip(near, pull, how_many.tolist(), strict=True):
                crowded = np.log1p(self.firsts[mine] / self.places[mine])
                best = mine[np.argsort(CROWD * crowded - appeal, kind="stable")[:wanted]]
                self.firsts[best[0]] += 1
                yield best.tolist()


def _liked(random: Generator, offers: Sequence[DemoProgramme]) -> np.ndarray:
    public = np.array([offer.nature == Nature.PUBLIC for offer in offers])
    named = np.array([offer.name in (people.HOME, people.ELSEWHERE) for offer in offers])
    luck = random.normal(0, LIKED_SPREAD, len(offers))
    return np.where(named, np.abs(luck), luck) + LIKED_IF_PUBLIC * public + LIKED_IF_NAMED * named
