"""Where more places help most: greedy on the engine, with a bound on what any distribution of them could do.

In each step a few places go to the programme where most children more are placed, as a mean over the same draws.  The
gain of a place may grow after another one, so greedy need not be best; the bound is the most children that could sit in
the same number of places more, wherever these are, whatever the priorities (a network flow in HiGHS).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import highspy
import numpy as np

from allocation.arrays import Array, readonly
from allocation.experiments.draws import RankedDraws
from allocation.market import Market
from allocation.planning.linear_solver import open_solver

CANDIDATES = 24
"""Programmes that are tried in a step: those that most unplaced children named."""


@dataclass(frozen=True)
class Step:
    """Places that go to a programme, and how many children more are placed, over all draws together."""

    programme: int
    places: int
    gain: int


@dataclass(frozen=True)
class MorePlaces:
    """``placed`` children before, over all ``draws`` together; ``bound`` is the most that one draw can place in the end."""

    draws: int
    placed: int
    steps: tuple[Step, ...]
    bound: int


def search(
    market: Market, more: int, step: int, draws: int, seed: int = 1, tell: Callable[[int], None] = lambda _done: None
) -> MorePlaces:
    """Give ``more`` places away, ``step`` at a time.  ``tell`` gets the number of places given and may raise to stop.

    It ends early where no unplaced child named a programme to which places would help.
    """
    seeds = [seed + number for number in range(draws)]
    bound = most_placed(market, more)
    placed, wanted = _drawn(market, seeds)
    before, given = placed, 0
    steps: list[Step] = []
    while given < more:
        tell(given)
        size = min(step, more - given)
        gains = [
            (_drawn(with_places(market, programme, size), seeds)[0] - placed, -programme)
            for programme in _candidates(wanted)
        ]
        gain, programme = max(gains, default=(0, 0))
        if gain <= 0:
            break
        market = with_places(market, -programme, size)
        placed, wanted = _drawn(market, seeds)
        given += size
        steps.append(Step(-programme, size, gain))
    return MorePlaces(draws, before, tuple(_together(steps)), bound)


def with_places(market: Market, programme: int, more: int) -> Market:
    """The market with more places in the last pool of a programme, which is the one for everybody if there is one."""
    places, of_pools = market.places.copy(), market.pools.places.copy()
    places[programme] += more
    of_pools[market.pools.start[programme + 1] - 1] += more
    return market.with_columns(replace(market.pools, places=readonly(of_pools, np.int32)), places=places)


def _drawn(market: Market, seeds: list[int]) -> tuple[int, Array]:
    """Children placed over these draws, and for each programme how many unplaced ones named it."""
    table = RankedDraws(market)
    placed, wanted = 0, np.zeros(market.programmes, dtype=np.int64)
    owner = np.repeat(np.arange(market.children), np.diff(market.offsets))
    for seed in seeds:
        left = table.draw(seed).own < 0
        placed += market.children - int(np.count_nonzero(left))
        wanted += np.bincount(market.programme[left[owner]], minlength=market.programmes)
    return placed, wanted


def _candidates(wanted: Array) -> list[int]:
    order = np.argsort(-wanted, kind="stable")[:CANDIDATES]
    return [int(programme) for programme in order if wanted[programme]]


def _together(steps: list[Step]) -> Iterator[Step]:
    """One line for each programme, those with most gain first."""
    total: dict[int, tuple[int, int]] = {}
    for each in steps:
        places, gain = total.get(each.programme, (0, 0))
        total[each.programme] = places + each.places, gain + each.gain
    for programme, (places, gain) in sorted(total.items(), key=lambda item: (-item[1][1], item[0])):
        yield Step(programme, places, gain)


def most_placed(market: Market, more: int) -> int:
    """The most children that could sit in programmes that they named, with ``more`` places wherever they help.

    Children who named the same programmes are one column group.  A pool may take one child too many with a pair, so each
    bound child counts as a place more.
    """
    groups: dict[tuple[int, ...], int] = {}
    for child in range(market.children):
        named = market.programme[market.offsets[child] : market.offsets[child + 1]]
        if len(named):
            key = tuple(sorted(set(named.tolist())))
            groups[key] = groups.get(key, 0) + 1
    if not groups:
        return 0
    bound_children = 0 if market.unit is None else int(np.count_nonzero(market.unit >= 0))
    solver = open_solver()
    programmes = market.programmes
    ways = [(group, programme) for group, key in enumerate(groups) for programme in key]
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(ways) + programmes, len(groups) + programmes + 1
    program.col_cost_ = np.concatenate((-np.ones(len(ways)), np.zeros(programmes)))
    program.col_lower_ = np.zeros(program.num_col_)
    program.col_upper_ = np.full(program.num_col_, highspy.kHighsInf)
    program.row_lower_ = np.full(program.num_row_, -highspy.kHighsInf)
    program.row_upper_ = np.concatenate((list(groups.values()), market.places, [more + bound_children])).astype(float)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    index = [one for group, programme in ways for one in (group, len(groups) + programme)]
    index += [one for programme in range(programmes) for one in (len(groups) + programme, program.num_row_ - 1)]
    program.a_matrix_.start_ = np.arange(0, 2 * program.num_col_ + 1, 2)
    program.a_matrix_.index_ = np.array(index)
    program.a_matrix_.value_ = np.array([1, 1] * len(ways) + [-1, 1] * programmes, dtype=float)
    solver.passModel(program)
    solver.run()
    return int(round(-solver.getInfo().objective_function_value, 6))
