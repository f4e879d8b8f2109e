"""Wishes of families: kindergartens near home by distance, nature, reputation and fee, and at last one that is not full.

Popular public kindergartens of a real city get two to six first wishes per place, at most about twelve.  Most families
know that, and end their list with a kindergarten nearby where fewer want to go (see `trial_draws` too); a few do not.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.random import Generator

from enrollment.ground.classifications import Nature
from portal.demo import geography, people
from portal.demo.programmes import DemoProgramme
from portal.demo.trial_draws import WishList

NEAR = 24
"""Number of nearest kindergartens that a family considers."""

LIKED_SPREAD, LIKED_IF_PUBLIC, LIKED_IF_NAMED, LIKED_IF_ATTACHED = 0.8, 0.7, 0.7, -2.5
"""Spread of reputation, and what the nature, the sign-in page and a primary school add to it."""

DISTANCE, FEE, ELSEWHERE, CROWD, CHANCE = 1.5, 0.4, 2.0, 0.95, 0.45
"""How much a family minds distance, a thousand yuan a month, another area, and earlier first wishes; and chance."""
WALK = 600.0
"""Distance in metres without a penalty."""

HOW_MANY = (0.05, 0.12, 0.3, 0.23, 0.3)
"""Shares of families with one to five wishes."""

DARING = 0.03
"""Share of families who take no care that they get a place."""

ELDER = 0.155
"""Share of families with an elder child on a roll near their home, who want the younger one at the same kindergarten."""
MOST_ELDERS = 0.45
"""Of a kindergarten's places, those that younger siblings can want."""

AT_ONCE = 500


class Demand:
    """The kindergartens of a city with their popularity, and how many families wish for them so far.

    `seats` are the children on roll, by the kindergarten's code, whom a younger sibling can follow.
    """

    def __init__(self, random: Generator, offers: Sequence[DemoProgramme], seats: Mapping[str, int]):
        self.random = random
        self.points = np.array([offer.point for offer in offers])
        self.places = np.array([max(offer.places, 1) for offer in offers], dtype=float)
        self.areas = np.array([offer.area for offer in offers])
        self.fees = np.array([offer.fee for offer in offers]) / 1000
        self.liked = _liked(random, offers)
        self.firsts = np.zeros(len(offers))
        self.sure = np.zeros(len(offers))
        """Families that count on a place here."""
        self.seats = np.array(
            [min(seats.get(offer.kindergarten, 0), round(offer.places * MOST_ELDERS)) for offer in offers]
        )

    def wishes(self, area: str, homes: np.ndarray) -> Iterator[WishList]:
        """The wishes of a family at each home (longitude, latitude) of an area."""
        near_by = min(NEAR, len(self.points))
        for start in range(0, len(homes), AT_ONCE):
            metres = geography.metres_between(homes[start : start + AT_ONCE], self.points)
            metres *= np.where(self.areas == area, 1.0, ELSEWHERE)
            near = np.sort(np.argpartition(metres, near_by - 1, axis=1)[:, :near_by], axis=1)
            pull = self.liked[near] - DISTANCE * np.log1p(np.take_along_axis(metres, near, axis=1) / WALK)
            pull -= FEE * self.fees[near] + ELSEWHERE * (self.areas[near] != area)
            pull += self.random.gumbel(0, CHANCE, pull.shape)
            how_many = self.random.choice(len(HOW_MANY), size=len(pull), p=HOW_MANY) + 1
            daring, elder = self.random.random(len(pull)) < DARING, self.random.random(len(pull)) < ELDER
            for each in zip(near, pull, how_many.tolist(), daring.tolist(), elder.tolist(), strict=True):
                yield self._list(area, *each)

    def _list(self, area: str, near: np.ndarray, pull: np.ndarray, wanted: int, daring: bool, elder: bool) -> WishList:
        crowded = np.log1p(self.firsts[near] / self.places[near])
        ranked = near[np.argsort(CROWD * crowded - pull, kind="stable")]
        first = self._with_elder(ranked) if elder else None
        sure = None if daring else self._sure(near, pull)
        chosen = [index for index in ranked[: wanted + 2].tolist() if index not in (first, sure)]
        if first is not None:
            # a younger sibling comes before most others: it counts on this kindergarten
            self.sure[first] += 1
            self.seats[first] -= 1
            chosen = [first, *chosen][:wanted]
        elif sure is not None:
            self.sure[sure] += 1
            chosen = [*chosen[: wanted - 1], sure]
        else:
            chosen = chosen[:wanted]
        self.firsts[chosen[0]] += 1
        return WishList(area, chosen, elder=first is not None, daring=daring)

    def _with_elder(self, ranked: np.ndarray) -> int | None:
        open_ = ranked[self.seats[ranked] > 0]
        return int(open_[min(int(self.random.exponential(2.0)), len(open_) - 1)]) if len(open_) else None

    def _sure(self, near: np.ndarray, pull: np.ndarray) -> int:
        """The best kindergarten nearby with fewer families counting on it than it has places, or the least crowded."""
        room = self.sure[near] < self.places[near]
        if room.any():
            return int(near[np.where(room, pull, -np.inf).argmax()])
        return int(near[(self.sure[near] / self.places[near]).argmin()])


def _liked(random: Generator, offers: Sequence[DemoProgramme]) -> np.ndarray:
    public = np.array([offer.nature == Nature.PUBLIC for offer in offers])
    named = np.array([offer.name in (people.HOME, people.ELSEWHERE) for offer in offers])
    luck = random.normal(0, LIKED_SPREAD, len(offers))
    attached = np.array([offer.attached for offer in offers])
    liked = np.where(named, np.abs(luck), luck) + LIKED_IF_PUBLIC * public + LIKED_IF_NAMED * named
    return liked + LIKED_IF_ATTACHED * attached
