"""What families truly want beyond what they declared: an assumption, fitted on the lists where there are enough.

Worth of a kindergarten for a child = its attraction - a price for each kilometre + what nobody sees (Gumbel).  Attraction
and price are those under which the declared first wishes are most likely (conditional logit, McFadden 1974; attractions by
the fixed point of Berry, Levinsohn & Pakes 1995).
"""

from dataclasses import dataclass

import numpy as np

from allocation.arrays import Array

FEWEST_LISTS = 200
PRICES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5)
"""The prices of a kilometre that are tried; without enough lists it is 1."""

ROUNDS = 20
LIMIT = 6.0
"""The largest attraction: a kindergarten that nobody named first is not infinitely bad."""

SEED = 20260


@dataclass(frozen=True)
class Taste:
    """`attraction` of each programme, the price of a `kilometre`, and whether they were `fitted`."""

    attraction: Array
    kilometre: float
    fitted: bool


@dataclass(frozen=True)
class Choices:
    """The sets among which children choose: wishes by child (m), kilometres of each, and the position of the first declared
    wish in the rows (-1: none or distance unknown)."""

    offsets: Array
    programme: Array
    kilometres: Array
    chosen: Array


def fit(choices: Choices, programmes: int) -> Taste:
    """The taste under which the declared first wishes are most likely."""
    usable = choices.chosen >= 0
    if usable.sum() < FEWEST_LISTS:
        return Taste(np.zeros(programmes), 1.0, fitted=False)
    best = max((_fit_at(choices, usable, programmes, price) for price in PRICES), key=lambda found: found[0])
    return best[1]


def _fit_at(choices: Choices, usable: Array, programmes: int, price: float) -> tuple[float, Taste]:
    lengths = np.diff(choices.offsets)
    counted = np.repeat(usable, lengths)
    owner = np.repeat(np.arange(len(lengths)), lengths)[counted]
    programme, kilometres = choices.programme[counted], choices.kilometres[counted]
    first = choices.programme[choices.chosen[usable]]
    named = np.bincount(first, minlength=programmes) + 0.5
    attraction = np.zeros(programmes)
    for _ in range(ROUNDS):
        weight = np.exp(attraction[programme] - price * kilometres)
        total = np.bincount(owner, weight, minlength=len(lengths))
        expected = np.bincount(programme, weight / total[owner], minlength=programmes) + 0.5
        attraction = np.clip(attraction + np.log(named / expected), -LIMIT, LIMIT)
    total = np.bincount(owner, np.exp(attraction[programme] - price * kilometres), minlength=len(lengths))
    at = choices.chosen[usable]
    likelihood = attraction[first] - price * choices.kilometres[at] - np.log(total[usable])
    return float(likelihood.sum()), Taste(attraction, price, fitted=True)


def order(choices: Choices, declared: Array, taste: Taste) -> tuple[Array, Array]:
    """The order of all rows, child by child, and the worth of each row in that order (1 the best, 0 the worst).

    The first `declared[i]` rows of a child are its own wishes and stay in front.  The unseen part is drawn with a fixed
    seed, so the same families give the same lists.
    """
    lengths = np.diff(choices.offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(len(owner)) - np.repeat(choices.offsets[:-1], lengths)
    unseen = np.random.default_rng(SEED).gumbel(size=len(owner))
    worth = taste.attraction[choices.programme] - taste.kilometre * choices.kilometres + unseen
    own = position < declared[owner]
    rank = np.where(own, position.astype(float), 1e6 - worth)
    rows = np.lexsort((rank, owner))
    falling = worth[np.lexsort((-worth, owner))]
    has = lengths > 0
    low = np.zeros(len(lengths))
    span = np.ones(len(lengths))
    low[has] = falling[choices.offsets[1:][has] - 1]
    span[has] = np.maximum(falling[choices.offsets[:-1][has]] - low[has], 1e-9)
    return rows, (falling - low[owner]) / span[owner]
