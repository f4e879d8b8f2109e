"""Stability written down as conditions for a constraint solver (CP-SAT), which knows no algorithm of matching.

A unit has a yes or no for each of its tries (as in :class:`tests.engine.definitions.Rule`) and gets at most one. It has
asked a try if no earlier one was granted; a try that was asked and not granted is refused, and then its pool must have
had a reason, which is all that the three rules differ in. So markets too large to write down every outcome can be
asked: is there a stable outcome, and is there one that some unit likes better?
"""

from ortools.sat.python import cp_model

from tests.engine.definitions import Rule

OVERHANG, CLOSE, STRICT = "overhang", "close", "strict"


class StableOutcomes:
    """The stable outcomes of a market under a rule; ``strict`` passes a unit over and takes the next that fits."""

    def __init__(self, market, pair_rule: str):
        self.rule = Rule(market)
        self.pair_rule = pair_rule
        self.model = cp_model.CpModel()
        self.granted = [[self.model.new_bool_var("") for _ in tries] for tries in self.rule.tries]
        self.refused = [[self.model.new_bool_var("") for _ in tries] for tries in self.rule.tries]
        for granted, refused in zip(self.granted, self.refused, strict=True):
            self.model.add_at_most_one(granted)
            for k, one in enumerate(refused):  # refused: asked, which is nothing granted before, and not granted
                self.model.add(one == 1 - sum(granted[: k + 1]))
        for pool, places in enumerate(self.rule.places):
            self._pool(pool, places)

    def _pool(self, pool: int, places: int) -> None:
        """Who asks this pool, best first; each seat and each refusal with what it demands of the better ones."""
        line = sorted(
            (standing, unit, k)
            for unit, tries in enumerate(self.rule.tries)
            for k, (_, q, standing, _) in enumerate(tries)
            if q == pool
        )
        better = [(len(self.rule.units[unit]), unit, k) for _, unit, k in line]
        for at, (size, unit, k) in enumerate(better):
            used = sum(other * self.granted[v][j] for other, v, j in better[:at])
            self._seat(self.granted[unit][k], self.refused[unit][k], used, size, places, better[:at])
        if self.pair_rule == STRICT:
            self.model.add(sum(size * self.granted[unit][k] for size, unit, k in better) <= places)

    def _seat(self, granted, refused, used, size, places, better) -> None:
        demand = self.model.add
        if self.pair_rule == OVERHANG:  # a place was left, or none
            demand(used <= places - 1).only_enforce_if(granted)
            demand(used >= places).only_enforce_if(refused)
        elif self.pair_rule == STRICT:  # it did not fit behind the better ones that sit here
            demand(used + size >= places + 1).only_enforce_if(refused)
        else:  # it did not fit, or somebody better did not
            before = [self.refused[v][j] for _, v, j in better]
            demand(used + size <= places).only_enforce_if(granted)
            for other in before:
                self.model.add_implication(granted, ~other)
            full = self.model.new_bool_var("")
            demand(used + size >= places + 1).only_enforce_if(full)
            self.model.add_bool_or([full, *before, ~refused])

    def _solved(self, more=lambda model: None, found=None) -> bool:
        model = self.model.clone()
        more(model)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.enumerate_all_solutions = found is not None
        status = solver.solve(model, found)
        assert status in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE)
        return status != cp_model.INFEASIBLE

    def all(self) -> list[tuple[int, ...]]:
        """Every stable outcome, as the index of each unit's granted try (the number of its tries for none)."""
        outcomes = set()

        class Found(cp_model.CpSolverSolutionCallback):
            def on_solution_callback(found):
                outcomes.add(tuple(
                    next((k for k, one in enumerate(granted) if found.value(one)), len(granted)) for granted in self.granted
                ))  # fmt: skip

        self._solved(found=Found())
        return sorted(outcomes)

    def has(self, outcome) -> bool:
        """Whether this outcome is stable."""
        return self._solved(lambda model: [
            model.add(one == (k == at))
            for granted, at in zip(self.granted, outcome, strict=True)
            for k, one in enumerate(granted)
        ])  # fmt: skip

    def has_one_better_for_somebody_than(self, outcome) -> bool:
        """Whether some unit gets, in some stable outcome, a try that it likes better."""
        better = [one for granted, at in zip(self.granted, outcome, strict=True) for one in granted[:at]]
        return self._solved(lambda model: model.add_bool_or(better))
