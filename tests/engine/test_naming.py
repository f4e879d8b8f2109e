"""Which wish a child names in a phase of one wish: the compiled loop names what the formula says, written with arrays."""

import itertools

import numpy as np
import pytest

from allocation.experiments.naming import LEAST, name_wishes

CHILDREN, PROGRAMMES, TIERS = 400, 30, 4


def by_formula(offsets, programme, tier, worth, leader, careful, waits, free, chance, next_chance):
    owner = np.repeat(np.arange(len(leader)), np.diff(offsets))
    hope, later = chance[programme, tier], np.zeros(len(leader))
    if next_chance is not None:
        np.maximum.at(later, owner, next_chance[programme, tier] * worth)
    value = np.where(careful[owner], hope * worth + (1 - hope) * later[owner] + LEAST, worth + 1)
    value = np.where(free[programme] > 0, value, -1)
    best = [
        int(start + np.argmax(value[start:stop])) if stop > start and value[start:stop].max() > 0 else -1
        for start, stop in itertools.pairwise(offsets)
    ]
    own = [offsets[child] + best[lead] - offsets[lead] if best[lead] >= 0 else -1 for child, lead in enumerate(leader)]
    return np.where(waits, own, -1)


@pytest.mark.parametrize("last", [True, False])
def test_the_loop_names_what_the_formula_says(last):
    dice = np.random.default_rng(7)
    lengths = dice.integers(0, 9, CHILDREN)
    leader = np.arange(CHILDREN)
    leader[1:200:4] -= 1  # every fourth of the first half is bound to the child before it
    lengths[leader != np.arange(CHILDREN)] = lengths[leader[leader != np.arange(CHILDREN)]]
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    wishes = int(offsets[-1])
    programme, tier = dice.integers(0, PROGRAMMES, wishes), dice.integers(0, TIERS, wishes)
    worth = np.round(dice.random(wishes), 1)  # many are equal: the first one counts
    careful, waits = (dice.random(CHILDREN) < share for share in (0.5, 0.7))
    careful, waits = careful[leader], waits[leader]
    free = dice.integers(0, 2, PROGRAMMES)
    chance = np.round(dice.random((PROGRAMMES, TIERS)), 1)
    next_chance = None if last else np.round(dice.random((PROGRAMMES, TIERS)), 1)
    asked = (offsets, programme, tier, worth, leader, careful, waits, free, chance, next_chance)
    named = np.empty(CHILDREN, dtype=np.int64)
    name_wishes(*asked, named)
    assert named.tolist() == by_formula(*asked).tolist()
    assert (named >= 0).sum() > 100 and (named < 0).sum() > 100
