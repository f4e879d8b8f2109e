"""More places: greedy takes the best place of every step, and no distribution exceeds the bound."""

import itertools
import random

from allocation.experiments.draws import RankedDraws
from allocation.market import Market
from allocation.planning import more_places


def small(seed: int, children: int = 14, programmes: int = 4) -> Market:
    dice = random.Random(seed)
    wishes = [dice.sample(range(programmes), dice.randrange(1, 4)) for _child in range(children)]
    places = [dice.randrange(1, 3) for _programme in range(programmes)]
    offsets = [0, *itertools.accumulate(len(each) for each in wishes)]
    tiers = [dice.randrange(2) for each in wishes for _wish in each]
    return Market.from_arrays(offsets, [p for each in wishes for p in each], tiers, None, places)


def placed(market: Market, seeds: range) -> int:
    table = RankedDraws(market)
    return sum(int((table.draw(seed).own >= 0).sum()) for seed in seeds)


def test_every_step_is_the_best_one_and_nothing_exceeds_the_bound():
    for seed in range(6):
        market, seeds = small(seed), range(1, 4)
        found = more_places.search(market, more=3, step=1, draws=3)
        assert found.placed == placed(market, seeds)
        first = [placed(more_places.with_places(market, p, 1), seeds) - found.placed for p in range(4)]
        one = more_places.search(market, more=1, step=1, draws=3)
        assert [each.gain for each in one.steps] == [max(first)]
        total = found.placed + sum(each.gain for each in found.steps)
        best = 0
        for chosen in itertools.combinations_with_replacement(range(4), 3):
            changed = market
            for programme in chosen:
                changed = more_places.with_places(changed, programme, 1)
            best = max(best, placed(changed, seeds))
        assert found.placed < total <= best <= 3 * found.bound
        assert sum(each.places for each in found.steps) <= 3


def test_it_ends_where_no_place_helps():
    market = Market.from_arrays([0, 1, 2], [0, 0], [0, 0], None, [2, 5])
    found = more_places.search(market, more=10, step=5, draws=2)
    assert (found.placed, found.steps, found.bound) == (4, (), 2)
