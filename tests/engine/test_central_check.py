"""The independent check of a central placement: it finds nothing in the solver's, and each planted fault."""

import random

import numpy as np
import pytest

from allocation.central import Ways, propose
from allocation.checks.central import CENTRAL_CHECKS, ENOUGH, check_central

# child, programme, cost. Children 0 and 1 are bound; 0 to 2 places are free.
ROWS = [(0, 0, 10), (1, 0, 10), (0, 1, 30), (1, 1, 30), (2, 0, 5), (2, 2, 40), (3, 2, 7), (3, 0, 9)]
VACANCIES, UNIT, TICKETS = [2, 2, 1], [4, 4, -1, -1], [1, 2, 3, 4]


def faults(chosen, rows=ROWS, vacancies=VACANCIES, unit=UNIT, tickets=TICKETS):
    """The names of the checks that fail, with what they say."""
    child, programme, cost = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    found = check_central(
        np.array(tickets), child, programme, cost, np.array(vacancies), np.array(unit), np.array(chosen)
    )
    assert set(found) <= set(CENTRAL_CHECKS)
    return {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([0, 0, -1, 2], {}),  # the pair takes both cheap places, and one of the two others the last
        ([0, 0, 2, -1], {"least_cost": ("a cheaper placement of as many children",)}),
        ([0, 0, -1, -1], {"as_many_as_possible": ("child 2", "child 3")}),
        ([0, 0, 1, 2], {"only_known_ways": ("child 2",)}),
        ([0, 0, 2, 2], {"no_place_twice": ("programme 2",)}),
        ([1, 1, 0, 2], {"bound_together": ("unit 4",)}),  # the pair costs less at 0
        ([0, 1, 0, 2], {"bound_together": ("unit 4",)}),
        ([-1, -1, 0, 2], {"bound_together": ("unit 4",)}),
    ],
)
def test_each_fault_of_a_placement_is_found(chosen, expected):
    assert faults(chosen) == expected


def test_a_pair_without_a_common_place_has_none():
    rows = [(0, 0, 10), (1, 1, 10), (2, 0, 5)]
    alone = {"rows": rows, "vacancies": [1, 1], "unit": [4, 4, -1], "tickets": [1, 2, 3]}
    assert faults([-1, -1, 0], **alone) == {}
    assert faults([0, 1, -1], **alone) == {"bound_together": ("unit 4",)}


def test_a_child_is_placed_if_others_can_move_along():
    """Child 0 knows only programme 0, where child 1 is, which can move to 1, where child 2 is, which can move to 2."""
    rows = [(0, 0, 1), (1, 0, 1), (1, 1, 9), (2, 1, 1), (2, 2, 9)]
    chain = {"rows": rows, "unit": [-1] * 3, "tickets": [1, 2, 3]}
    assert faults([-1, 0, 1], vacancies=[1, 1, 1], **chain) == {"as_many_as_possible": ("child 0",)}
    assert faults([-1, 0, 1], vacancies=[1, 1, 0], **chain) == {}, "there is no free place at the end"
    assert faults([0, 1, 2], vacancies=[1, 1, 1], **chain) == {}


def test_two_children_change_places_if_both_save():
    rows = [(0, 0, 9), (0, 1, 1), (1, 1, 9), (1, 0, 1)]
    both = {"rows": rows, "vacancies": [1, 1], "unit": [-1, 3], "tickets": [1, 2]}  # a number of one child binds nobody
    assert faults([0, 1], **both) == {"least_cost": ("a cheaper placement of as many children",)}
    assert faults([1, 0], **both) == {}


def test_a_long_list_of_faults_is_cut():
    count = ENOUGH + 5
    found = faults([-1] * count, [(c, 0, 1) for c in range(count)], [count], [-1] * count, list(range(count)))
    assert found == {"as_many_as_possible": tuple(f"child {c}" for c in range(ENOUGH))}


def test_the_solvers_placement_has_no_fault_and_a_changed_one_has():
    changed = 0
    for number in range(60):
        dice = random.Random(number)
        children, programmes = dice.randint(3, 9), dice.randint(2, 5)
        rows = [(c, p, dice.randint(0, 60)) for c in range(children) for p in range(programmes) if dice.random() < 0.6]
        vacancies = [dice.randint(0, 2) for _ in range(programmes)]
        unit = [7, 7, *[-1] * (children - 2)] if number % 2 else [-1] * children
        tickets = dice.sample(range(1, 100), children)
        child, programme, cost = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        made = propose(
            np.array(tickets), Ways(child, programme, cost), np.array(vacancies), np.zeros(programmes, dtype=int), 0,
            np.array(unit),
        )  # fmt: skip
        chosen = made.programme.tolist()
        market = {"rows": rows, "vacancies": vacancies, "unit": unit, "tickets": tickets}
        assert faults(chosen, **market) == {}, number
        for c in (c for c, p in enumerate(chosen) if p >= 0):
            changed += 1
            assert faults([*chosen[:c], -1, *chosen[c + 1 :]], **market), (number, c)
    assert changed > 100
