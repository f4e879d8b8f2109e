"""Central placement against every assignment of small examples."""

import random
from itertools import product

import numpy as np
import pytest

from allocation import central
from allocation.central import Proposals, Ways, propose
from allocation.coverage import Coverage, Percent


def ways(rows):
    child, programme, metres = np.array(rows, dtype=np.int32).reshape(-1, 3).T
    return Ways(child, programme, metres)


def best_by_hand(children, rows, vacancies, nature, tolerance):
    """(most seated, least cost) over every assignment."""
    options = [[None] + [(p, m + tolerance * nature[p]) for c, p, m in rows if c == child] for child in range(children)]
    best = (1, 0)
    for chosen in product(*options):
        held = [one[0] for one in chosen if one]
        if all(held.count(p) <= vacancies[p] for p in set(held)):
            best = min(best, (-len(held), sum(one[1] for one in chosen if one)))
    return best


def test_small_examples_are_solved_to_the_metre():
    for number in range(60):
        dice = random.Random(number)
        children, programmes = dice.randint(1, 5), dice.randint(1, 4)
        rows = [(c, p, dice.randint(0, 50)) for c in range(children) for p in range(programmes) if dice.random() < 0.7]
        vacancies = [dice.randint(0, 2) for _ in range(programmes)]
        nature = [dice.randint(0, 2) for _ in range(programmes)]
        tolerance = dice.choice((0, 10, 100))
        got = propose(np.arange(children), ways(rows), np.array(vacancies), np.array(nature), tolerance)
        cost = int(got.total_metres) + tolerance * sum(nature[p] for p in got.programme.tolist() if p >= 0)
        assert (-got.seated, cost) == best_by_hand(children, rows, vacancies, nature, tolerance)
        assert all(got.programme.tolist().count(p) <= vacancies[p] for p in range(programmes))


def test_each_child_has_the_tolerance_of_its_own_area():
    rows = [(0, 0, 1_500), (0, 1, 1_000), (1, 2, 1_500), (1, 3, 1_000)]
    got = propose(np.array([1, 2]), ways(rows), np.array([1, 1, 1, 1]), np.array([0, 1, 0, 1]), np.array([499, 501]))
    assert got.programme.tolist() == [1, 2]
    with pytest.raises(ValueError, match="not negative"):
        propose(np.array([1]), ways(rows[:2]), np.array([1, 1]), np.array([0, 1]), np.array([-1]))


@pytest.mark.parametrize("tolerance,expected", [(499, 1), (501, 0)])
def test_a_public_place_is_preferred_within_the_tolerance(tolerance, expected):
    got = propose(np.array([1]), ways([(0, 0, 1_500), (0, 1, 1_000)]), np.array([1, 1]), np.array([0, 1]), tolerance)
    assert got.programme.tolist() == [expected]


def test_twins_go_together_to_the_nearest_place_with_room_for_both():
    rows = [(0, 0, 10), (1, 0, 10), (0, 1, 90), (1, 1, 90), (2, 0, 500)]
    got = propose(np.array([1, 2, 3]), ways(rows), np.array([1, 2]), np.array([0, 0]), 0, np.array([5, 5, -1]))
    assert got.programme.tolist() == [1, 1, 0]
    got = propose(np.array([1, 2, 3]), ways(rows), np.array([1, 1]), np.array([0, 0]), 0, np.array([5, 5, -1]))
    assert got.programme.tolist() == [-1, -1, 0]


def test_nobody_and_nothing():
    got = propose(np.array([1]), ways([]), np.array([1]), np.array([0]), 0)
    assert (got.programme.tolist(), got.seated, got.total_metres) == ([-1], 0, 0)
    with pytest.raises(ValueError):
        propose(np.array([1]), ways([]), np.array([1]), np.array([0]), -1)


def test_the_effect_on_both_shares():
    proposals = Proposals(np.array([0, 1, 1, 2, -1]), np.array([5, 5, 5, 5, -1]))
    after = proposals.effect(Coverage(96, 50, 30, Percent(5_100), Percent(8_200)), np.array([0, 1, 2]))
    assert (after.all, after.public, after.inclusive) == (100, 51, 32)
    assert after.public_share.met and after.inclusive_coverage.met


def test_an_assignment_that_is_not_solved_is_not_guessed():
    solver = central._flow(np.array([0]), np.array([0]), np.array([1]))
    solver.addRow(2, 2, 1, np.array([0]), np.ones(1))
    with pytest.raises(ArithmeticError, match="was not solved"):
        central._minimum(solver, np.ones(1))
