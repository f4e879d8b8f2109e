"""Central placement: the nearest vacancies for children without a place who agreed to it.

As many children as possible get a proposal; among these assignments the total cost is minimal. The cost of a proposal is its distance
plus ``tolerance`` for an inclusive and twice that for another kindergarten: a public place is preferred up to that much
farther away. Bound units go first, in ticket order, each to its cheapest kindergarten with room for all. The least-cost
assignment is a network flow, so its linear program has an integer solution (HiGHS, simplex).
"""

from dataclasses import dataclass

import highspy
import numpy as np

from allocation.arrays import Array
from allocation.coverage import Coverage
from allocation.market import NATURES
from allocation.planning.linear_solver import open_solver

PUBLIC, INCLUSIVE, PRIVATE = range(len(NATURES))


@dataclass(frozen=True)
class Ways:
    """Which child can go where: one row for each pair, ``metres`` a whole number."""

    child: Array  # int32[e]
    programme: Array  # int32[e]
    metres: Array  # int32[e]


@dataclass(frozen=True)
class Proposals:
    """The programme proposed to each child (int32[n], -1 none) and its distance (int32[n], -1 none)."""

    programme: Array
    metres: Array

    @property
    def seated(self) -> int:
        """Children with a proposal."""
        return int(np.count_nonzero(self.programme >= 0))

    @property
    def total_metres(self) -> int:
        """The sum of all distances."""
        return int(self.metres[self.metres >= 0].sum(dtype=np.int64))

    def effect(self, before: Coverage, nature: Array) -> Coverage:
        """The two shares once these children have arrived."""
        arrived = np.bincount(nature[self.programme[self.programme >= 0]], minlength=len(NATURES))
        return before + Coverage(int(arrived.sum()), int(arrived[PUBLIC]), int(arrived[INCLUSIVE]))


def propose(
    ticket: Array,
    ways: Ways,
    vacancies: Array,
    nature: Array,
    tolerance: int | Array,
    unit: Array | None = None,
) -> Proposals:
    """Propose places to ``len(ticket)`` children (tickets distinct). ``unit``: children that share a number are bound.

    ``vacancies`` and ``nature`` (index in NATURES) are by programme, ``tolerance`` in metres, one for all or one for each
    child. Raises ``ValueError`` for a negative number.
    """
    tolerance = np.broadcast_to(np.asarray(tolerance, dtype=np.int64), len(ticket))
    if (
        (len(tolerance) and tolerance.min() < 0)
        or (len(ways.metres) and ways.metres.min() < 0)
        or (len(vacancies) and vacancies.min() < 0)
    ):
        raise ValueError("tolerance, metres and vacancies are not negative")
    cost = ways.metres.astype(np.int64) + tolerance[ways.child] * np.asarray(nature, dtype=np.int64)[ways.programme]
    order = np.lexsort((ways.programme, np.asarray(ticket)[ways.child]))
    free = np.array(vacancies, dtype=np.int64)
    chosen = np.full(len(ticket), -1, dtype=np.int64)
    bound = np.zeros(len(ticket), dtype=bool)
    for members in _bound_units(ticket, unit):
        bound[members] = True
        _seat_together(members, ways, cost, free, chosen)
    rows = order[~bound[ways.child[order]]]
    rows = rows[free[ways.programme[rows]] > 0]
    taken = rows[_least_cost(ways.child[rows], ways.programme[rows], cost[rows], free)]
    chosen[ways.child[taken]] = taken
    got = chosen >= 0
    return Proposals(
        programme=np.where(got, ways.programme[chosen], -1).astype(np.int32)
        if len(ways.child)
        else chosen.astype(np.int32),
        metres=np.where(got, ways.metres[chosen], -1).astype(np.int32) if len(ways.child) else chosen.astype(np.int32),
    )


def _bound_units(ticket: Array, unit: Array | None) -> list[list[int]]:
    """The members of each bound unit, the best ticket first."""
    units: dict[int, list[int]] = {}
    for child in np.argsort(ticket).tolist():
        if unit is not None and unit[child] >= 0:
            units.setdefault(int(unit[child]), []).append(child)
    return [members for members in units.values() if len(members) > 1]


def _seat_together(members: list[int], ways: Ways, cost: Array, free: Array, chosen: Array) -> None:
    """Give all members the programme that costs least for them together and has room for all, if there is one."""
    total: dict[int, tuple[int, list[int]]] = {}
    for member in members:
        for row in np.flatnonzero(ways.child == member).tolist():
            sum_, rows = total.get(int(ways.programme[row]), (0, []))
            total[int(ways.programme[row])] = (sum_ + int(cost[row]), [*rows, row])
    fits = [(sum_, p, rows) for p, (sum_, rows) in total.items() if len(rows) == len(members) <= free[p]]
    if fits:
        _, programme, rows = min(fits)
        free[programme] -= len(members)
        chosen[members] = rows


def _least_cost(child: Array, programme: Array, cost: Array, free: Array) -> Array:
    """The chosen rows: one at most for each child, ``free`` for each programme; most children, then least cost."""
    if not len(child):
        return np.zeros(0, dtype=np.int64)
    _, child = np.unique(child, return_inverse=True)
    used, programme = np.unique(programme, return_inverse=True)
    solver = _flow(child, programme, free[used])
    most = round(_minimum(solver, -np.ones(len(child))))
    solver.addRow(-most, -most, len(child), np.arange(len(child)), -np.ones(len(child)))
    _minimum(solver, cost)
    return np.flatnonzero(np.array(solver.getSolution().col_value) > 0.5)


def _flow(child: Array, programme: Array, free: Array) -> highspy.Highs:
    """The linear program: a column for each row of ways, a row for each child and for each programme."""
    count, children = len(child), int(child.max()) + 1
    solver = open_solver()
    solver.setOptionValue("solver", "simplex")
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = count, children + len(free)
    program.col_cost_ = np.zeros(count)
    program.col_lower_, program.col_upper_ = np.zeros(count), np.ones(count)
    program.row_lower_ = np.full(program.num_row_, -highspy.kHighsInf)
    program.row_upper_ = np.concatenate((np.ones(children), free.astype(float)))
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.arange(0, 2 * count + 1, 2)
    program.a_matrix_.index_ = np.stack((child, children + programme), axis=1).ravel()
    program.a_matrix_.value_ = np.ones(2 * count)
    solver.passModel(program)
    return solver


def _minimum(solver: highspy.Highs, cost: Array) -> float:
    """Solve for this cost; the least value, as a positive number where the cost counts children."""
    count = len(cost)
    solver.changeColsCost(count, np.arange(count, dtype=np.int32), cost.astype(float))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise ArithmeticError(f"the assignment was not solved: {solver.getModelStatus()}")
    return abs(solver.getObjectiveValue())
