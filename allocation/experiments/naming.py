"""Which single wish each child names in a phase of one wish, from what a place is worth to it and what it believes.

A *plain* child names its wish of the largest worth.  A *careful* one names that of the largest
``chance * worth + (1 - chance) * later``, where ``later`` is the best that the next phase promises it.
"""

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit

LEAST = 1e-6
"""Added to what a careful child weighs, so that it names a kindergarten even where it has no hope."""


@jit
def name_wishes(
    offsets: Array, programme: Array, tier: Array, worth: Array, leader: Array, careful: Array, waits: Array, free: Array, chance: Array, next_chance: Array | None, named: Array
) -> None:  # fmt: skip
    """Write the row that each child names (``named`` int64[n]); -1 for one that does not wait or for whom nothing is open.

    ``careful`` and ``waits`` are bool[n], ``free`` the places left of each programme (int64), ``chance`` and ``next_chance``
    float64[programmes, tiers] of this phase and of the next one, None after the last.  A bound child waits when its
    ``leader`` does, and names the position that it names.
    """
    for child in range(leader.shape[0]):
        named[child] = -1
        if waits[child] and leader[child] == child:
            named[child] = best_of(
                offsets[child], offsets[child + 1], programme, tier, worth, careful[child], free, chance, next_chance
            )
    for child in range(leader.shape[0]):
        unit = leader[child]
        if unit != child and named[unit] >= 0:
            named[child] = offsets[child] + named[unit] - offsets[unit]


@jit
def best_of(
    start: int, stop: int, programme: Array, tier: Array, worth: Array, careful: bool, free: Array, chance: Array, next_chance: Array | None
) -> np.int64:  # fmt: skip
    """The first of the rows from ``start`` to ``stop`` that is open and worth most; -1 if none is."""
    later = 0.0
    if careful and next_chance is not None:
        for wish in range(start, stop):
            later = max(later, next_chance[programme[wish], tier[wish]] * worth[wish])
    best, top = np.int64(-1), 0.0
    for wish in range(start, stop):
        if free[programme[wish]] <= 0:
            continue
        value = worth[wish] + 1.0
        if careful:
            hope = chance[programme[wish], tier[wish]]
            value = hope * worth[wish] + (1.0 - hope) * later + LEAST
        if value > top:
            best, top = np.int64(wish), value
    return best
