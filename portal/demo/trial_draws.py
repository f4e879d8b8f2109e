"""Families with a list that is too short of chances end it with a kindergarten that has places left.

Real families learn that from last year's cut-offs and from the estimates in the portal.  Here some draws with random
tickets take their place: after each of them, families without a place change the end of their list.
"""

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator

from portal.demo.programmes import DemoProgramme

TRIALS = 12
MOST_WISHES = 5
ADDS = 0.7
"""Share of the families with one wish that add another instead of replacing it."""


@dataclass
class WishList:
    """A family's wishes, as indices of offers, best first.  `elder`: an elder child is at the first of them."""

    area: str
    chosen: list[int]
    elder: bool = False
    daring: bool = False


def settle(
    random: Generator, lists: Sequence[WishList], offers: Sequence[DemoProgramme], most: int = MOST_WISHES
) -> None:
    """Change the lists, of `most` wishes at most, of families that get no place in trial draws, except the daring ones."""
    areas, places = [offer.area for offer in offers], [offer.places for offer in offers]
    for _trial in range(TRIALS):
        held = _drawn(lists, areas, places, random.random(len(lists)).tolist())
        placed = {child for children in held for _priority, _ticket, child in children}
        left: dict[str, list[int]] = defaultdict(list)
        for index, children in enumerate(held):
            left[areas[index]] += [index] * (places[index] - len(children))
        for number, wishes in enumerate(lists):
            if number not in placed and not wishes.daring:
                _end_with_one_of(random, wishes, left[wishes.area], most)


def _end_with_one_of(random: Generator, wishes: WishList, left: list[int], most: int) -> None:
    """End the list with one of the places that are left; the place is taken from `left`."""
    new = [at for at, index in enumerate(left) if index not in wishes.chosen]
    if not new:
        return
    found = left.pop(new[int(random.integers(len(new)))])
    if len(wishes.chosen) > 1:
        wishes.chosen[most - 1 :] = [found]
    elif wishes.elder or random.random() < ADDS:
        wishes.chosen.append(found)
    else:
        wishes.chosen[:] = [found]


def _drawn(
    lists: Sequence[WishList], areas: Sequence[str], places: Sequence[int], tickets: Sequence[float]
) -> list[list[tuple[int, float, int]]]:
    """Who holds the places of each offer after deferred acceptance: siblings first, then families of the area."""
    held: list[list[tuple[int, float, int]]] = [[] for _ in places]
    asked = [0] * len(lists)
    for first in range(len(lists)):
        number = first
        while asked[number] < len(lists[number].chosen):
            wishes, rank = lists[number], asked[number]
            index = wishes.chosen[rank]
            asked[number] += 1
            behind = 0 if wishes.elder and rank == 0 else 1 if areas[index] == wishes.area else 2
            heapq.heappush(held[index], (-behind, -tickets[number], number))
            if len(held[index]) <= places[index]:
                break
            number = heapq.heappop(held[index])[2]
    return held
