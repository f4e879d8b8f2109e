"""Which rules always have an outcome, asked of a constraint solver."""

import pytest

from allocation.solve import solve
from tests.engine.cases import case, market_of
from tests.engine.definitions import Rule
from tests.engine.stable_by_cpsat import CLOSE, OVERHANG, STRICT, StableOutcomes
from tests.engine.tiny import tiny_market


def granted_tries(rule: Rule, outcome) -> tuple[int, ...]:
    """The solver's outcome as the index of each unit's granted try (the number of its tries for none)."""
    return tuple(
        next(
            (k for k, (rank, q, *_) in enumerate(tries) if (rank, q) == (outcome.rank[c], outcome.pool[c])), len(tries)
        )
        for (c, *_), tries in zip(rule.units, rule.tries, strict=True)
    )


@pytest.mark.parametrize("number", ["19", "20"])
def test_the_strict_rule_has_the_outcomes_that_the_case_says_and_one_case_has_none(number):
    told = case(number)
    market, members = market_of(told)
    rule, programmes = Rule(market), [p["id"] for p in told["programmes"]]
    asked = StableOutcomes(market, STRICT)
    named = [
        {
            one["id"]: programmes[rule.tries[unit][at][1]] if at < len(rule.tries[unit]) else None
            for unit, (one, at) in enumerate(zip(told["applicants"], outcome, strict=True))
        }
        for outcome in asked.all()
    ]
    assert [m[0] for m in members] == [unit[0] for unit in rule.units]
    assert named == told["expected"]["strict_stable_matchings"]


@pytest.mark.parametrize("pair_rule", [OVERHANG, CLOSE])
def test_the_constraints_say_what_the_definitions_say(pair_rule):
    """On markets small enough both list the same stable outcomes."""
    several = 0
    for number in range(40):
        market = tiny_market(number, pair_rule=pair_rule, contrary=number % 2 == 1)
        stable = StableOutcomes(market, pair_rule).all()
        assert stable == sorted(Rule(market).stable()), number
        several += len(stable) > 1
    assert several >= 2


@pytest.mark.parametrize("pools", [False, True])
@pytest.mark.parametrize("pair_rule", [OVERHANG, CLOSE])
def test_with_bound_units_there_is_always_one_outcome_that_is_best_for_every_unit(pair_rule, pools):
    """Ours is stable, and in no stable outcome does any unit get what it likes better: so it is the only best one."""
    refused = 0
    for number in range(12):
        market = tiny_market(number, children=30, programmes=6, pair_rule=pair_rule, pools=pools, contrary=True)
        asked = StableOutcomes(market, pair_rule)
        ours = granted_tries(asked.rule, solve(market))
        assert asked.has(ours), number
        assert not asked.has_one_better_for_somebody_than(ours), number
        refused += sum(ours)
    assert refused > 100


def test_that_the_strict_rule_has_none_is_not_rare():
    """Of random small markets with many twins some have no strictly stable outcome, while the rules offered always have."""
    without = [
        number
        for number in range(120)
        if not StableOutcomes(tiny_market(number, children=8, programmes=3, pools=False, contrary=True), STRICT).all()
    ]
    assert without
